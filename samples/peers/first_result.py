"""The time that a new process takes to its first result on a GPU: first_result.py PROGRAM [REPEATS], with the runner `samples`.

Of each sample with cold caches, where NVRTC compiles its kernels, and with warm ones, as medians of whole processes in seconds;
beside them what the driver takes by itself: to be loaded and initialised, to make a context, and a whole process that does
no more than that, without what Python takes to start.
"""

import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SAMPLES = ["add", "circ_pad --mode inetdef", "non_zero"]


def process(arguments, folder="/"):
    """The seconds that a process with its caches in a folder takes, and what it says."""
    environment = os.environ | {"PLUGIN_RUNTIME_CACHE": f"{folder}/kernels", "CUDA_CACHE_PATH": f"{folder}/driver"}
    start = time.perf_counter()
    done = subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True, cwd=folder)
    return time.perf_counter() - start, done.stdout


def times(program, line, repeats):
    """Cold ones and warm ones."""
    cold, warm = [], []
    for _ in range(repeats):
        folder = tempfile.mkdtemp()
        cold.append(process([program, *line.split(), "--device", "cuda"], folder)[0])
        warm.append(process([program, *line.split(), "--device", "cuda"], folder)[0])
        shutil.rmtree(folder)
    return cold, warm


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


def main():
    program, repeats = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for line in SAMPLES:
        cold, warm = times(program, line, repeats)
        print(f"first result of {line}: {statistics.median(cold):.3f} s cold, {statistics.median(warm):.3f} s warm", flush=True)
    python = statistics.median(process([sys.executable, "-c", "import ctypes"])[0] for _ in range(repeats))
    took = []
    for _ in range(repeats):
        whole, told = process([sys.executable, os.path.abspath(__file__), "--driver"])
        took.append([*map(float, told.split()), whole - python])
    initialised, context, whole = map(statistics.median, zip(*took))
    print(f"the driver alone: {initialised:.3f} s until it is initialised, {context:.3f} s for a context, {whole:.3f} s in all")


if __name__ == "__main__":
    if sys.argv[1:] == ["--driver"]:
        print(*driver())
    else:
        main()
