"""Times numpy and ONNX Runtime on the work that `samples bench` times.

Usage: cpu_peers.py [--json FILE] [--quick] [--threads N]

Needs numpy, onnxruntime and onnx. Give the file to `samples bench --peers FILE` to see the ratios.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

TYPES = {"f32": (np.float32, TensorProto.FLOAT), "f16": (np.float16, TensorProto.FLOAT16)}
CHAIN = 100


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the rows to this file")
    parser.add_argument("--quick", action="store_true", help="small inputs and few runs, to see that it works")
    parser.add_argument("--threads", type=int, default=0, help="threads of ONNX Runtime; 0 is all")
    return parser.parse_args()


def median_us(run, quick):
    """The median time of one call, in microseconds."""
    budget, least, most = (0, 3, 3) if quick else (1.5, 15, 501)
    start = time.perf_counter()
    run()
    run()
    once = (time.perf_counter() - start) / 2
    batch = 1 if quick else max(1, int(200e-6 / once))
    rounds = int(min(max(budget / (once * batch), least), most))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(batch):
            run()
        times.append((time.perf_counter() - start) / batch * 1e6)
    return statistics.median(times)


def session(nodes, element_type, threads, output_type=None, constants=(), optimise=True):
    graph = helper.make_graph(
        nodes,
        "peer",
        [helper.make_tensor_value_info("x", element_type, None)],
        [helper.make_tensor_value_info("y", output_type or element_type, None)],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.log_severity_level = 4
    if not optimise:
        settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])


def onnxruntime_us(make_session, x, quick):
    """None where ONNX Runtime has no kernel for the type."""
    try:
        peer = make_session()
    except Exception as error:
        print(f"ONNX Runtime can't run this: {str(error).splitlines()[0]}", file=sys.stderr)
        return None
    return median_us(lambda: peer.run(None, {"x": x}), quick)


def non_zero(x, element_type, args):
    make = lambda: session([helper.make_node("NonZero", ["x"], ["y"])], element_type, args.threads, TensorProto.INT64)
    return median_us(lambda: np.argwhere(x), args.quick), onnxruntime_us(make, x, args.quick)


def circ_pad(x, element_type, args):
    pads = helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1])
    node = helper.make_node("Pad", ["x", "pads"], ["y"], mode="wrap")
    make = lambda: session([node], element_type, args.threads, constants=[pads])
    pad_numpy = lambda: np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], "wrap")
    return median_us(pad_numpy, args.quick), onnxruntime_us(make, x, args.quick)


def one(element_type):
    numpy_type = np.float16 if element_type == TensorProto.FLOAT16 else np.float32
    return helper.make_tensor("one", element_type, [], numpy_type(1).tobytes(), raw=True)


def add(x, element_type, args):
    node = helper.make_node("Add", ["x", "one"], ["y"])
    make = lambda: session([node], element_type, args.threads, constants=[one(element_type)])
    y = np.empty_like(x)
    return median_us(lambda: np.add(x, x.dtype.type(1), out=y), args.quick), onnxruntime_us(make, x, args.quick)


def chain(args):
    """A chain of additions on 4 elements; no numpy, whose cost here is Python's."""
    x = np.ones(4, np.float32)
    name = lambda i: "x" if i == 0 else "y" if i == CHAIN else f"t{i}"
    nodes = [helper.make_node("Add", [name(i), "one"], [name(i + 1)]) for i in range(CHAIN)]
    make = lambda: session(nodes, TensorProto.FLOAT, args.threads, constants=[one(TensorProto.FLOAT)], optimise=False)
    whole = onnxruntime_us(make, x, args.quick)
    yield row(f"chain of {CHAIN} plugins", "f32", x.shape, None, whole)
    yield row(f"chain of {CHAIN} plugins, each", "f32", x.shape, None, whole and whole / CHAIN)


def row(work, dtype, shape, numpy_us, ort_us):
    return {"work": work, "dtype": dtype, "shape": list(shape), "numpy_us": numpy_us, "onnxruntime_us": ort_us}


def measure(args):
    random = np.random.default_rng(0)
    quick = args.quick
    work = [
        ("non_zero", non_zero, [(128, 128)] + [(4096, 4096)] * (not quick)),
        ("circ_pad", circ_pad, [(10, 3, 32, 32)] + [(16, 64, 128, 128)] * (not quick)),
        ("add", add, [(1 << 10,)] if quick else None),
    ]
    for dtype, (numpy_type, element_type) in TYPES.items():
        for name, run, shapes in work:
            for shape in shapes or [((64 << 20) // np.dtype(numpy_type).itemsize,)]:
                x = random.standard_normal(shape, dtype=np.float32).astype(numpy_type)
                if name == "non_zero":
                    x[random.random(shape) < 0.5] = 0
                yield row(name, dtype, shape, *run(x, element_type, args))
    yield from chain(args)


def main():
    args = options()
    rows = []
    print(f"numpy {np.__version__}, ONNX Runtime {ort.__version__}, threads {args.threads or 'all'}")
    for each in measure(args):
        by_numpy, by_ort = ("-" if t is None else f"{t:.2f}" for t in (each["numpy_us"], each["onnxruntime_us"]))
        shape = "x".join(map(str, each["shape"]))
        print(f"{each['work']:27s} {each['dtype']} {shape:14s} numpy {by_numpy:>12s} us  ONNX Runtime {by_ort:>12s} us")
        rows.append(each)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
