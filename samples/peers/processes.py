"""What whole processes take on a GPU: processes.py [--json FILE] [--repeats N] PROGRAM.., each the runner `samples`.

The time that a new process takes to its first result, with cold caches, where NVRTC compiles its kernels, and with warm ones; and to
build an engine of one layer, with warm ones. Programs take turns, so that what a machine does meanwhile is in the times of all.
Medians in seconds; beside them what the driver takes by itself: to be loaded and initialised, to make a context, and a whole process
that does no more than that, without what Python takes to start.
"""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SAMPLES = ["add", "circ_pad --mode inetdef", "non_zero"]
FLOAT, INT32, INT64 = 1, 6, 7


def varint(value):
    """A number as a protocol buffer has it."""
    encoded = []
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def number(field, value):
    """A field of a protocol buffer that holds a number."""
    return varint(field << 3) + varint(value)


def piece(field, content):
    """One that holds text, or another message."""
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, dtype, extents):
    dims = b"".join(piece(1, piece(2, e) if isinstance(e, str) else number(1, e)) for e in extents)
    return piece(1, name) + piece(2, piece(1, number(1, dtype) + piece(2, dims)))


def model(operator, shape, outputs, attributes=b""):
    """An ONNX model of one operator of the samples."""
    node = piece(1, "X") + b"".join(piece(2, name) for name, *_ in outputs) + piece(4, operator) + attributes + piece(7, "sample")
    graph = piece(1, node) + piece(2, operator) + piece(11, tensor("X", FLOAT, shape))
    graph += b"".join(piece(12, tensor(*output)) for output in outputs)
    versions = piece(8, piece(1, "") + number(2, 17)) + piece(8, piece(1, "sample") + number(2, 1))
    return number(1, 8) + piece(7, graph) + versions


def layers():
    """Models of one layer, by what they are of."""
    for shape in [[32, 32], [1024, 1024], [4096, 8192]]:
        outputs = [("Y", INT32, ["n", 2]), ("N", INT64, [])]
        yield f"non_zero {'x'.join(map(str, shape))}", model("non_zero_plugin", shape, outputs)
    pads = piece(5, piece(1, "pads") + 4 * number(8, 1) + number(20, 7))
    for shape in [[1, 1, 32, 32], [1, 64, 128, 128], [32, 64, 128, 128]]:
        outputs = [("Y", FLOAT, [*shape[:2], shape[2] + 2, shape[3] + 2])]
        yield f"circ_pad {'x'.join(map(str, shape))}", model("circ_pad_plugin", shape, outputs, pads)


def process(arguments, folder="/"):
    """The seconds that a process with its caches in a folder takes, and what it says."""
    environment = os.environ | {"PLUGIN_RUNTIME_CACHE": f"{folder}/kernels", "CUDA_CACHE_PATH": f"{folder}/driver"}
    start = time.perf_counter()
    done = subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True, cwd=folder)
    return time.perf_counter() - start, done.stdout


def first_results(programs, line, repeats):
    """Of each program cold ones and warm ones."""
    taken = [([], []) for _ in programs]
    for _ in range(repeats):
        for program, (cold, warm) in zip(programs, taken):
            folder = tempfile.mkdtemp()
            cold.append(process([program, *line.split(), "--device", "cuda"], folder)[0])
            warm.append(process([program, *line.split(), "--device", "cuda"], folder)[0])
            shutil.rmtree(folder)
    return taken


def builds(programs, content, repeats):
    """Of each program."""
    folders = [tempfile.mkdtemp() for _ in programs]
    taken = [[] for _ in programs]
    for turn in range(repeats + 1):
        for program, folder, seconds in zip(programs, folders, taken):
            pathlib.Path(folder, "layer.onnx").write_bytes(content)
            arguments = [program, "build", "layer.onnx", "--device", "cuda", "--save", "layer.engine"]
            took = process(arguments, folder)[0]
            # The first time its kernels are compiled.
            if turn > 0:
                seconds.append(took)
    for folder in folders:
        shutil.rmtree(folder)
    return taken


def driver():
    """What the driver takes to be loaded and initialised, and to make a context, here and now."""
    start = time.perf_counter()
    cuda = ctypes.CDLL("libcuda.so.1")
    if cuda.cuInit(0):
        raise RuntimeError("cuInit failed")
    ready = time.perf_counter()
    context = ctypes.c_void_p()
    if cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0):
        raise RuntimeError("there is no context")
    return ready - start, time.perf_counter() - ready


def all_seconds(seconds):
    return ", ".join(f"{taken:.3f} s" for taken in seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM", type=os.path.abspath)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    given = parser.parse_args()
    rows = []

    def tell(what, seconds):
        print(f"{what}: {all_seconds(seconds)}", flush=True)
        rows.append({"what": what, "seconds": seconds})

    for line in SAMPLES:
        taken = first_results(given.programs, line, given.repeats)
        for side, name in enumerate(["cold", "warm"]):
            tell(f"first result of {line.split()[0]}, {name}", [statistics.median(times[side]) for times in taken])
    for name, content in layers():
        tell(f"build of {name}", list(map(statistics.median, builds(given.programs, content, given.repeats))))
    python = statistics.median(process([sys.executable, "-c", "import ctypes"])[0] for _ in range(given.repeats))
    took = []
    for _ in range(given.repeats):
        whole, told = process([sys.executable, os.path.abspath(__file__), "--driver"])
        took.append([*map(float, told.split()), whole - python])
    initialised, context, whole = map(statistics.median, zip(*took))
    tell("the driver alone, until it is initialised", [initialised])
    tell("the driver alone, for a context", [context])
    tell("the driver alone, a whole process", [whole])
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    if sys.argv[1:] == ["--driver"]:
        print(*driver())
    else:
        main()
