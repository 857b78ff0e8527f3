"""Times PyTorch, Triton, CuPy, CUB and JAX on the work that `samples bench --device cuda` times.

Usage: gpu_peers.py [--json FILE] [--quick]

Needs torch, triton, cupy and a GPU; CUB is timed where nvcc is, JAX where Python has it for GPUs. Give the file to `samples bench --device cuda --peers FILE` to see the ratios.
GPU times are medians of events around one call after another; CuPy's, whose calls wait, are wall time. Host times are
medians of batches, the GPU's work aside.
"""

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# Memory that JAX doesn't use is for the others.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import cupy
import torch
import torch.nn.functional as functional
import triton
import triton.language as tl

TYPES = {"f32": torch.float32, "f16": torch.float16}
BLOCKS = (256, 1024)
IMAGE = (10, 3, 32, 32)
# Extents, and what is put around the two last dimensions on each side.
IMAGES = (
    (IMAGE, 1),
    ((64, 64, 256, 256), 1),
    ((64, 64, 64, 64), 1),
    ((8, 512, 33, 33), 1),
    ((1024, 1024, 14, 14), 1),
    ((1, 1, 4097, 4099), 1),
    ((64, 64, 128, 128), 64),
    ((16, 3, 1024, 1024), 1),
)
# Rows and columns, and how many percent of the elements aren't zero.
MATRICES = ((128, 50), (1024, 50), (4096, 50), (4096, 1), (4096, 99), (16384, 50), (16384, 1), (16384, 99))
CHAIN = 20


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the rows to this file")
    parser.add_argument("--quick", action="store_true", help="small inputs and few runs, to see that it works")
    return parser.parse_args()


class Clock:
    def __init__(self, quick):
        self.warm_up, self.rounds, self.batches, self.calls = (1, 3, 3, 10) if quick else (10, 50, 15, 500)

    def gpu_us(self, run):
        """The median GPU time of one call, by events before and after it."""
        for _ in range(self.warm_up):
            run()
        torch.cuda.synchronize()
        times = []
        for _ in range(self.rounds):
            before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            before.record()
            run()
            after.record()
            after.synchronize()
            times.append(before.elapsed_time(after) * 1e3)
        return statistics.median(times)

    def wall_us(self, run, wait):
        """The median time of a call and of waiting for what it does."""
        run()
        wait()
        times = []
        for _ in range(max(3, self.rounds // 5)):
            start = time.perf_counter()
            run()
            wait()
            times.append((time.perf_counter() - start) * 1e6)
        return statistics.median(times)

    def host_us(self, run):
        """The median of the host's time of a call; the GPU runs behind it."""
        for _ in range(self.calls // 10 + 1):
            run()
        torch.cuda.synchronize()
        times = []
        for _ in range(self.batches):
            start = time.perf_counter()
            for _ in range(self.calls):
                run()
            times.append((time.perf_counter() - start) / self.calls * 1e6)
            torch.cuda.synchronize()
        return statistics.median(times)


@triton.jit
def circ_pad_kernel(x, y, y_len, before_h, before_w, h, w, out_h, out_w, BLOCK: tl.constexpr):
    # The place in the input follows from the place in the output.
    out = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = out < y_len
    column = (out % out_w - before_w + w) % w
    line = (out // out_w % out_h - before_h + h) % h
    plane = out // out_w // out_h
    value = tl.load(x + (plane * h + line) * w + column, mask=inside)
    tl.store(y + out, value, mask=inside)


@triton.jit
def add_kernel(x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at, mask=at < n) + 1, mask=at < n)


def row(work, dtype, shape, **times):
    times = {f"{name}_us": time for name, time in times.items() if time is not None}
    return {"work": work, "dtype": dtype, "shape": list(shape), **times}


def copy_row(clock, quick):
    bytes_ = 1 << (24 if quick else 30)
    source = torch.zeros(bytes_, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return row("copy", "u8", [bytes_], pytorch=clock.gpu_us(lambda: target.copy_(source)))


class Cub:
    """CUB's selection, compiled by nvcc where there is one."""

    def __init__(self):
        self.library = None
        nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
        if not os.path.exists(nvcc):
            print("no nvcc: CUB isn't timed", flush=True)
            return
        self.folder = tempfile.TemporaryDirectory()
        library = os.path.join(self.folder.name, "libcub_non_zero.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cub_non_zero.cu")
        options = ["-O3", "-std=c++17", "-arch=native", "-shared", "-Xcompiler", "-fPIC"]
        subprocess.run([nvcc, *options, source, "-o", library], check=True)
        self.library = ctypes.CDLL(library)

    def non_zero_us(self, clock, x, dtype):
        if self.library is None:
            return None
        select = getattr(self.library, f"non_zero_{dtype}")
        out = torch.empty((x.numel(), 2), dtype=torch.int32, device="cuda")
        count = torch.zeros(1, dtype=torch.int64, device="cuda")
        needed = ctypes.c_size_t()
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)

        def call(scratch):
            address = [ctypes.c_void_p(tensor.data_ptr()) for tensor in (x, out, count)]
            n, columns = ctypes.c_longlong(x.numel()), ctypes.c_uint(x.shape[1])
            status = select(address[0], n, columns, address[1], address[2], scratch, ctypes.byref(needed), stream)
            assert status == 0, f"CUB fails with CUDA error {status}"

        call(ctypes.c_void_p())
        scratch = torch.empty(needed.value, dtype=torch.uint8, device="cuda")
        call(ctypes.c_void_p(scratch.data_ptr()))
        assert count.item() == torch.count_nonzero(x).item(), "CUB finds another number"
        return clock.gpu_us(lambda: call(ctypes.c_void_p(scratch.data_ptr())))


def non_zero_row(clock, cub, dtype, side, percent):
    shape = (side, side)
    x = torch.randn(shape, device="cuda")
    x[x == 0] = 1
    x[torch.rand(shape, device="cuda") >= percent / 100] = 0
    x = x.to(TYPES[dtype])
    times = {"pytorch": clock.gpu_us(lambda: torch.nonzero(x)), "cub": cub.non_zero_us(clock, x, dtype)}
    if percent == 50:
        times["pytorch_static"] = clock.gpu_us(lambda: torch.nonzero_static(x, size=x.numel()))
        torch.cuda.empty_cache()
        same = cupy.from_dlpack(x)
        times["cupy"] = clock.wall_us(lambda: cupy.argwhere(same), cupy.cuda.Device().synchronize)
        cupy.get_default_memory_pool().free_all_blocks()
    torch.cuda.empty_cache()
    return row("non_zero" if percent == 50 else f"non_zero of {percent} %", dtype, shape, **times)


def jax_pad_us(clock, x, pad):
    """The median of batches of calls, waited for; `None` where there is no JAX for GPUs."""
    try:
        import jax
        import jax.numpy as jnp

        jax.devices("gpu")
    except (ImportError, RuntimeError):
        return None
    given = jax.dlpack.from_dlpack(x)
    padded = jax.jit(lambda x: jnp.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="wrap"))
    calls = 10

    def batch():
        for _ in range(calls):
            last = padded(given)
        last.block_until_ready()

    return clock.wall_us(batch, lambda: None) / calls


def circ_pad_row(clock, dtype, shape, by, compiled):
    x = torch.randn(shape, device="cuda").to(TYPES[dtype])
    pad = lambda x: functional.pad(x, (by, by, by, by), mode="circular")
    expected = pad(x)
    y = torch.empty_like(expected)
    _, _, h, w = shape
    times = []
    for block in BLOCKS:
        grid = (triton.cdiv(y.numel(), block),)
        run = lambda: circ_pad_kernel[grid](x, y, y.numel(), by, by, h, w, h + 2 * by, w + 2 * by, BLOCK=block)
        run()
        assert torch.equal(y, expected), "Triton's result differs from PyTorch's"
        times.append(clock.gpu_us(run))
    others = {}
    if compiled:
        # What was compiled for other shapes counts against a limit, after which nothing is compiled.
        torch.compiler.reset()
        by_inductor = torch.compile(pad, dynamic=False)
        assert torch.equal(by_inductor(x), expected), "torch.compile's result differs from PyTorch's"
        others = {"torch_compile": clock.gpu_us(lambda: by_inductor(x)), "jax": jax_pad_us(clock, x, by)}
    del expected
    work = "circ_pad" if by == 1 else f"circ_pad by {by}"
    return row(work, dtype, shape, pytorch=clock.gpu_us(lambda: pad(x)), triton=min(times), **others)


def add_row(clock, dtype, elements):
    x = torch.zeros(elements, dtype=TYPES[dtype], device="cuda")
    y = torch.empty_like(x)
    grid = (triton.cdiv(elements, 1024),)
    return row(
        "add",
        dtype,
        [elements],
        pytorch=clock.gpu_us(lambda: torch.add(x, 1, out=y)),
        triton=clock.gpu_us(lambda: add_kernel[grid](x, y, elements, BLOCK=1024)),
    )


@torch.library.custom_op("peers::add_one", mutates_args=("y",))
def add_one(x: torch.Tensor, y: torch.Tensor) -> None:
    torch.add(x, 1, out=y)


def host_rows(clock):
    """What it costs the host to issue one small addition, and a recorded chain of them."""
    x = torch.zeros(IMAGE, device="cuda")
    y = torch.empty_like(x)
    n = x.numel()
    source = 'extern "C" __global__ void add(const float* x, float* y, int n) {' \
             " int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) y[i] = x[i] + 1.0f; }"
    raw = cupy.RawKernel(source, "add")
    cupy_x, cupy_y = cupy.from_dlpack(x), cupy.empty(IMAGE, dtype=cupy.float32)
    grid = (triton.cdiv(n, 256),)
    yield row(
        "enqueue of 1 plugin",
        "f32",
        IMAGE,
        pytorch=clock.host_us(lambda: torch.add(x, 1, out=y)),
        pytorch_custom_op=clock.host_us(lambda: add_one(x, y)),
        triton=clock.host_us(lambda: add_kernel[grid](x, y, n, BLOCK=256)),
        cupy=clock.host_us(lambda: raw(grid, (256,), (cupy_x, cupy_y, cupy.int32(n)))),
    )
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(CHAIN):
            torch.add(x, 1, out=y)
    # Few at a time: where the queue is full, the host waits for the GPU.
    clock.calls = min(clock.calls, 20)
    yield row(f"replay of {CHAIN} plugins", "f32", IMAGE, pytorch=clock.host_us(graph.replay))


def measure(clock, quick):
    yield copy_row(clock, quick)
    cub = Cub()
    for dtype in TYPES:
        for side, percent in MATRICES[:1] if quick else MATRICES:
            yield non_zero_row(clock, cub, dtype, side, percent)
    for dtype in TYPES:
        for shape, by in IMAGES[:1] if quick else IMAGES:
            yield circ_pad_row(clock, dtype, shape, by, compiled=not quick)
            torch.cuda.empty_cache()
    for dtype, element in TYPES.items():
        yield add_row(clock, dtype, (1 << (20 if quick else 30)) // element.itemsize)
        torch.cuda.empty_cache()
    yield from host_rows(clock)


def main():
    args = options()
    if not torch.cuda.is_available():
        sys.exit("no GPU that PyTorch sees")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, triton {triton.__version__}, cupy {cupy.__version__}")
    rows = []
    for each in measure(Clock(args.quick), args.quick):
        times = ", ".join(f"{key[:-3]} {value:.2f}" for key, value in each.items() if key.endswith("_us"))
        print(f"{each['work']:21s} {each['dtype']} {'x'.join(map(str, each['shape'])):15s} µs: {times}", flush=True)
        rows.append(each)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
