"""Builds models with TensorRT-RTX and a library of plugins, for an architecture, without a GPU.

    build.py LIBRARY LIST

LIST has a line a model: its name, its path, the extents of dynamic inputs as `name=min:opt:max` with `2x3` each, and `aliases`
where plugins may update inputs in place. What is found goes to stdout, a line each, with the model's name before it.
"""

import sys

import tensorrt_rtx_bindings as trt


class Log(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)
        self.lines = []

    def log(self, severity, message):
        self.lines.append((int(severity), message))


LOG = Log()
ERROR, VERBOSE = int(trt.ILogger.ERROR), int(trt.ILogger.VERBOSE)


def said(severity):
    found = [message for level, message in LOG.lines if level == severity]
    LOG.lines = []
    return found


def shape(text):
    return tuple(int(extent) for extent in text.split("x") if extent)


def configured(builder, options):
    config = builder.create_builder_config()
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.SM89, 0)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    profile = builder.create_optimization_profile()
    for option in options:
        if option == "aliases":
            config.set_preview_feature(trt.PreviewFeature.ALIASED_PLUGIN_IO_10_03, True)
        else:
            name, shapes = option.split("=")
            profile.set_shape(name, *(shape(text) for text in shapes.split(":")))
    config.add_optimization_profile(profile)
    return config


def build(builder, path, options):
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, LOG)
    with open(path, "rb") as model:
        if not parser.parse(model.read()):
            yield "not parsed"
            return
    for index in range(network.num_outputs):
        output = network.get_output(index)
        yield f"output {output.name} {output.dtype.name} {list(output.shape)}"
    plan = builder.build_serialized_network(network, configured(builder, options))
    if plan is None:
        yield "not built"
        return
    yield "built"
    # What a plan keeps of a plugin are its fields.
    kept = bytes(plan)
    for name in (b"plugin_runtime.outline", b"pads", b"block_size", b"delta"):
        if name in kept:
            yield f"kept {name.decode()}"


def main(library, models):
    builder = trt.Builder(LOG)
    registry = builder.get_plugin_registry()
    if registry.load_library(library) is None:
        print(*said(ERROR), "the library isn't loaded", sep="\n")
        return 1
    for creator in registry.all_creators:
        kind = creator.interface_info.kind if hasattr(creator, "interface_info") else "V1"
        print(f"creator {kind}: {creator.plugin_namespace}::{creator.name} {creator.plugin_version}")
    with open(models) as lines:
        for line in lines:
            name, path, *options = line.split()
            LOG.lines = []
            for found in build(builder, path, options):
                print(f"{name}: {found}")
            told = list(LOG.lines)
            for message in said(ERROR):
                print(f"{name}: error {message!r}")
            LOG.lines = told
            for message in said(VERBOSE):
                if message.startswith("layer `"):
                    print(f"{name}: verbose {message}")
    return 0


sys.exit(main(*sys.argv[1:]))
