"""Times the sample plugins inside ONNX Runtime, beside its own operators and beside the engine of this workspace.

Usage: onnxruntime_host.py LIBRARY SAMPLES [--quick]

LIBRARY is libsamples.so, SAMPLES the command `samples`, both built with --release. Needs numpy, onnxruntime and onnx.
Two figures: what a node of `add` on 4 elements takes more than one of ONNX Runtime's Add, from chains of both; and how
long circ_pad takes in a session compared with the engine, runs of both in turn.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

CHAIN = 200
SHAPE = (16, 64, 128, 128)


def session(nodes, library, constants=(), shape=None):
    graph = helper.make_graph(
        nodes,
        "host",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(constants),
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("sample", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    settings = ort.SessionOptions()
    settings.register_custom_ops_library(library)
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level = 4
    if shape:
        settings.add_session_config_entry("plugin_runtime.tune", "1")
    return ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])


def bound(made, x, y):
    """A run that copies nothing."""
    binding = made.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu", 0, np.float32, y.shape, y.ctypes.data)
    return lambda: made.run_with_iobinding(binding)


def best_us(run, count):
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count * 1e6


def chain(op, library, **more):
    name = lambda i: "x" if i == 0 else "y" if i == CHAIN else f"t{i}"
    inputs = lambda i: [name(i), "one"] if op == "Add" else [name(i)]
    nodes = [helper.make_node(op, inputs(i), [name(i + 1)], **more) for i in range(CHAIN)]
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    return session(nodes, library, [one] if op == "Add" else [])


def per_node(args):
    x, y = np.ones(4, np.float32), np.empty(4, np.float32)
    plugin = chain("elemwise_add_plugin", args.library, domain="sample", block_size=256)
    made = {"plugin": bound(plugin, x, y), "Add": bound(chain("Add", args.library), x, y)}
    rounds, count = (3, 10) if args.quick else (101, 200)
    times = {name: [] for name in made}
    for run in made.values():
        best_us(run, count)
    assert (y == 1 + CHAIN).all(), y
    for _ in range(rounds):
        for name, run in made.items():
            times[name].append(best_us(run, count) / CHAIN)
    plugin, add = (statistics.median(times[name]) for name in ("plugin", "Add"))
    more = statistics.median(a - b for a, b in zip(times["plugin"], times["Add"]))
    print(f"a node on 4 elements: plugin {plugin:.3f} us, Add {add:.3f} us, {more:+.3f} us")


def engine_us(samples):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [samples, "bench", "--device", "cpu", "--only", "circ_pad", "--alone", "--json", file.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = json.load(open(file.name))
    return next(r["median_us"] for r in rows if r["dtype"] == "f32" and tuple(r["shape"]) == SHAPE)


def circ_pad(args):
    x = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    y = np.empty((*SHAPE[:2], SHAPE[2] + 2, SHAPE[3] + 2), np.float32)
    node = helper.make_node("circ_pad_plugin", ["x"], ["y"], domain="sample", pads=[1, 1, 1, 1])
    # Tuned, as the engine is.
    run = bound(session([node], args.library, shape=SHAPE), x, y)
    ratios = []
    for _ in range(1 if args.quick else 7):
        inside = []
        best_us(run, 5)
        for _ in range(5 if args.quick else 41):
            inside.append(best_us(run, 1))
        inside, engine = statistics.median(inside), engine_us(args.samples)
        ratios.append(inside / engine)
        print(f"circ_pad {'x'.join(map(str, SHAPE))}: in a session {inside:.0f} us, in the engine {engine:.0f} us")
    assert (y == np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], "wrap")).all()
    print(f"circ_pad in a session takes {statistics.median(ratios):.3f} times the engine's time")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("samples")
    parser.add_argument("--quick", action="store_true", help="few runs, to see that it works")
    args = parser.parse_args()
    print(f"ONNX Runtime {ort.__version__}")
    per_node(args)
    circ_pad(args)


if __name__ == "__main__":
    main()
