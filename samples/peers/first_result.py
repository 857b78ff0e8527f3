"""The time that a new process takes to its first result on a GPU: first_result.py PROGRAM [REPEATS], with the runner `samples`.

Of each sample with cold caches, where NVRTC compiles its kernels, and with warm ones, as medians of whole processes in seconds;
beside them what the driver takes by itself: to be loaded and initialised, and to make a context.
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


def process(arguments, folder):
    """The seconds that a process with its caches in a folder takes."""
    environment = os.environ | {"PLUGIN_RUNTIME_CACHE": f"{folder}/kernels", "CUDA_CACHE_PATH": f"{folder}/driver"}
    start = time.perf_counter()
    subprocess.run(arguments, env=environment, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    return time.perf_counter() - start


def times(program, line, repeats):
    """Cold ones and warm ones."""
    cold, warm = [], []
    for _ in range(repeats):
        folder = tempfile.mkdtemp()
        cold.append(process([program, *line.split(), "--device", "cuda"], folder))
        warm.append(process([program, *line.split(), "--device", "cuda"], folder))
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
    alone = [sys.executable, __file__, "--driver"]
    took = [subprocess.run(alone, check=True, capture_output=True, text=True).stdout.split() for _ in range(repeats)]
    initialised, context = (statistics.median(float(one[what]) for one in took) for what in range(2))
    print(f"the driver alone: {initialised:.3f} s until it is initialised, {context:.3f} s for a context")


if __name__ == "__main__":
    if sys.argv[1:] == ["--driver"]:
        print(*driver())
    else:
        main()
