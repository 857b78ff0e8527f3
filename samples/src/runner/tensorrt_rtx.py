"""Builds a model with TensorRT-RTX and a library of plugins, and runs it where a GPU is that it supports.

Talks in lines of JSON. Given: {"model", "plugins", "verbose"}; tells {"inputs", "outputs", "gpu", "architectures"}, tensors as
{"name", "dtype", "shape"}. Given: {"profiles": [{NAME: [min, opt, max]}], "architecture", "save", "run": {NAME: {"file",
"shape"}}, "folder"}, of which the last two may be null; tells {"progress"}, {"built"} with the plan's bytes, and {"ran":
[{"name", "dtype", "shape", "file"}]}. {"error"} is the last line where something fails.
"""

import ctypes
import json
import os
import sys
import time

import tensorrt_rtx_bindings as trt


def tell(**line):
    print(json.dumps(line), flush=True)


class Failure(Exception):
    pass


class Log(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)
        self.errors, self.verbose = [], False

    def log(self, severity, message):
        if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
            self.errors.append(message)
        elif self.verbose or severity == trt.ILogger.WARNING:
            print(f"tensorrt-rtx: {message}", file=sys.stderr, flush=True)

    def why(self, what):
        told = "; ".join(self.errors) or "it doesn't say why"
        self.errors = []
        return Failure(f"{what}: {told}")


LOG = Log()


class Cuda:
    """The first GPU, by the driver's own interface."""

    def __init__(self):
        self.driver = ctypes.CDLL("libcuda.so.1")
        self.held = []
        self.call("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        MAJOR, MINOR = 75, 76
        self.architecture = "sm_%d%d" % tuple(self.attribute(device, which) for which in (MAJOR, MINOR))
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name, *arguments):
        status = getattr(self.driver, name)(*arguments)
        if status != 0:
            raise Failure(f"{name} fails with CUDA error {status}")

    def attribute(self, device, which):
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), which, device)
        return value.value

    def allocate(self, size):
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(max(size, 1)))
        self.held.append(address.value)
        return address.value

    def upload(self, address, data):
        if data:
            self.call("cuMemcpyHtoD_v2", ctypes.c_uint64(address), data, ctypes.c_size_t(len(data)))

    def download(self, address, size):
        data = ctypes.create_string_buffer(max(size, 1))
        if size:
            self.call("cuMemcpyDtoH_v2", data, ctypes.c_uint64(address), ctypes.c_size_t(size))
        return data.raw[:size]

    def finish(self):
        self.call("cuCtxSynchronize")

    def close(self):
        for address in self.held:
            self.driver.cuMemFree_v2(ctypes.c_uint64(address))
        self.held = []


def gpu():
    try:
        return Cuda()
    except (OSError, AttributeError, Failure):
        return None


class Outputs(trt.IOutputAllocator):
    """An output whose extents are known when it has run."""

    def __init__(self, cuda):
        trt.IOutputAllocator.__init__(self)
        self.cuda, self.address, self.size, self.shape = cuda, 0, 0, None

    def reallocate_output_async(self, name, memory, size, alignment, stream):
        if self.address == 0 or size > self.size:
            self.address, self.size = self.cuda.allocate(size), size
        return self.address

    def reallocate_output(self, name, memory, size, alignment):
        return self.reallocate_output_async(name, memory, size, alignment, 0)

    def notify_shape(self, name, shape):
        self.shape = list(shape)


BITS = {"FLOAT": 32, "INT32": 32, "INT64": 64, "HALF": 16, "BF16": 16, "INT4": 4, "FP4": 4}


def size_of(dtype, shape):
    count = 1
    for extent in shape:
        count *= extent
    return (count * BITS.get(dtype.name, 8) + 7) // 8


def tensor(found):
    return {"name": found.name, "dtype": found.dtype.name, "shape": list(found.shape)}


def architectures():
    names = [name[2:] for name in dir(trt.ComputeCapability) if name.startswith("SM")]
    return [f"sm_{number}" for number in sorted(int(name) for name in names if name.isdigit())]


def configured(builder, asked):
    config = builder.create_builder_config()
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(trt.ComputeCapability, asked["architecture"].replace("sm_", "SM")), 0)
    config.set_preview_feature(trt.PreviewFeature.ALIASED_PLUGIN_IO_10_03, True)
    for ranges in asked["profiles"]:
        profile = builder.create_optimization_profile()
        for name, shapes in ranges.items():
            profile.set_shape(name, *shapes)
        config.add_optimization_profile(profile)
    return config


def run(plan, asked, cuda):
    runtime = trt.Runtime(LOG)
    runtime.get_plugin_registry().load_library(asked["plugins"])
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise LOG.why("the plan can't be loaded")
    context = engine.create_execution_context()
    outputs = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            given = asked["run"][name]
            with open(given["file"], "rb") as file:
                data = file.read()
            address = cuda.allocate(len(data))
            cuda.upload(address, data)
            context.set_input_shape(name, given["shape"])
            context.set_tensor_address(name, address)
        else:
            outputs[name] = Outputs(cuda)
            context.set_output_allocator(name, outputs[name])
            aliased = engine.get_aliased_input_tensor(name)
            if aliased:
                outputs[name].address = context.get_tensor_address(aliased)
                outputs[name].size = sys.maxsize
    if not context.execute_async_v3(0):
        raise LOG.why("it doesn't run")
    cuda.finish()
    ran = []
    for index, (name, output) in enumerate(outputs.items()):
        dtype = engine.get_tensor_dtype(name)
        path = os.path.join(asked["folder"], f"output.{index}")
        with open(path, "wb") as file:
            file.write(cuda.download(output.address, size_of(dtype, output.shape)))
        ran.append({"name": name, "dtype": dtype.name, "shape": output.shape, "file": path})
    return ran


def main():
    asked = json.loads(sys.stdin.readline())
    LOG.verbose = asked["verbose"]
    builder = trt.Builder(LOG)
    if builder.get_plugin_registry().load_library(asked["plugins"]) is None:
        raise LOG.why(f"the plugins of {asked['plugins']} can't be loaded")
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, LOG)
    with open(asked["model"], "rb") as model:
        if not parser.parse(model.read()):
            raise LOG.why("the model can't be read")
    cuda = gpu()
    tell(
        inputs=[tensor(network.get_input(index)) for index in range(network.num_inputs)],
        outputs=[tensor(network.get_output(index)) for index in range(network.num_outputs)],
        gpu=cuda and cuda.architecture,
        architectures=architectures(),
    )
    asked.update(json.loads(sys.stdin.readline()))
    tell(progress=f"builds for {asked['architecture']}")
    start = time.monotonic()
    plan = builder.build_serialized_network(network, configured(builder, asked))
    if plan is None:
        raise LOG.why("the model can't be built")
    plan = bytes(plan)
    if asked["save"]:
        with open(asked["save"], "wb") as file:
            file.write(plan)
    tell(built=len(plan), seconds=time.monotonic() - start)
    if asked["run"] is not None:
        tell(ran=run(plan, asked, cuda))
        cuda.close()


try:
    main()
except Exception as error:
    tell(error=str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}")
    sys.exit(1)
