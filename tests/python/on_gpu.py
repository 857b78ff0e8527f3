"""Plugins as functions of arrays on a GPU: on_gpu.py LIBRARY [PART..].

LIBRARY is `cargo build --release -p samples`'s. Needs apache-tvm-ffi and numpy, and CuPy or PyTorch for the parts that are
named after them; parts whose package isn't there say SKIPPED. The suite runs with these arrays by

    PYTHON_ARRAYS=torch_cuda cargo test -p tests --test python suite

and, where there is no cargo, by that test's program, with PLUGIN_LIBRARIES the folder that holds libtests.so, and
PYTHON_SOURCES that of the sources.
"""

import os
import sys
import threading

import numpy as np

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../plugin-runtime/python/src")
sys.path.insert(0, SOURCES)

import plugin_runtime

LIBRARY = sys.argv[1]
plugins = plugin_runtime.load(LIBRARY)
sample = plugins.sample
PADS = [1, 2, 2, 1]
# Larger than a block, and odd.
SHAPE = (3, 5, 61, 67)


def floats(shape=SHAPE, seed=0, dtype=np.float32):
    return (np.random.default_rng(seed).integers(-32, 33, shape) / 4).astype(dtype)


def wrapped(x):
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(2, 1), (1, 2)], "wrap")


def same(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape, (found.dtype, found.shape, expected.shape)
    assert np.array_equal(found, expected)


def refused(call, *texts):
    try:
        call()
    except (ValueError, RuntimeError, TypeError) as error:
        for text in texts:
            assert text in str(error), f"`{error}` doesn't say `{text}`"
        return
    raise AssertionError("it was taken")


def cupy_arrays():
    import cupy as cp

    for dtype in (np.float32, np.float16):
        x = floats(dtype=dtype)
        found = sample.circ_pad_plugin(cp.asarray(x), pads=PADS)
        assert isinstance(found, cp.ndarray)
        same(found.get(), wrapped(x))
    matrix = floats((301, 203))
    indices, count = sample.non_zero_plugin(cp.asarray(matrix))
    same(indices.get(), np.argwhere(matrix).astype(np.int32))
    assert int(count) == np.count_nonzero(matrix)
    y = cp.asarray(floats())
    assert sample.inplace_add_plugin(y, delta=3) is y
    same(y.get(), floats() + 3)
    same(sample.circ_pad_plugin(cp.asarray(floats()).transpose(0, 1, 3, 2), pads=PADS).get(), wrapped(floats().transpose(0, 1, 3, 2)))
    assert sample.elemwise_add_plugin(cp.zeros((0, 4), np.float32), block_size=64).shape == (0, 4)
    refused(lambda: sample.circ_pad_plugin(y.astype(np.float64), pads=PADS), "float64", "inp0")
    refused(lambda: sample.inplace_add_plugin(y.transpose(3, 2, 1, 0), delta=1), "in place", "contiguous")


def cupy_streams():
    import cupy as cp

    x = floats((512, 4099))
    for stream in (cp.cuda.Stream(), cp.cuda.Stream(non_blocking=True), cp.cuda.Stream.null):
        with stream:
            y = cp.asarray(x)
            for _ in range(50):
                y = sample.elemwise_add_plugin(y, block_size=256)
                y *= 2
                y -= 2
                y /= 2
            same(y.get(), x)


def torch_tensors():
    import torch

    for dtype in (np.float32, np.float16):
        x = floats(dtype=dtype)
        found = sample.circ_pad_plugin(torch.from_numpy(x).cuda(), pads=PADS)
        assert isinstance(found, torch.Tensor) and found.is_cuda
        same(found.cpu().numpy(), wrapped(x))
    matrix = floats((301, 203))
    indices, count = sample.non_zero_plugin(torch.from_numpy(matrix).cuda())
    assert torch.equal(indices.long(), torch.nonzero(torch.from_numpy(matrix).cuda())) and count.item() == len(indices)
    assert indices.untyped_storage().nbytes() < matrix.size * 8, "it holds the memory of the largest output"
    y = torch.from_numpy(floats()).cuda()
    assert sample.inplace_add_plugin(y, delta=3) is y
    same(y.cpu().numpy(), floats() + 3)
    same(sample.circ_pad_plugin(y.transpose(2, 3), pads=PADS).cpu().numpy(), wrapped((floats() + 3).transpose(0, 1, 3, 2)))
    refused(lambda: sample.circ_pad_plugin(y.double(), pads=PADS), "float64", "inp0")
    # On the CPU too, and between the two.
    same(sample.circ_pad_plugin(torch.from_numpy(floats()), pads=PADS).numpy(), wrapped(floats()))


def torch_streams():
    import torch

    x = torch.from_numpy(floats((512, 4099))).cuda()
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        y = x.clone()
        for _ in range(50):
            y = sample.elemwise_add_plugin(y, block_size=256)
            y.sub_(1)
    stream.synchronize()
    assert torch.equal(x, y)


def torch_captured():
    import torch

    x = torch.zeros(4099, device="cuda")
    sample.elemwise_add_plugin(x, block_size=256)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = sample.elemwise_add_plugin(x, block_size=256)
        z = sample.circ_pad_plugin(y.view(1, -1), pads=[1, 1])
    for value in (5, 7):
        x.fill_(value)
        graph.replay()
        torch.cuda.synchronize()
        assert (y == value + 1).all() and z.shape == (1, 4101) and (z == value + 1).all()
    def found_inside():
        with torch.cuda.graph(torch.cuda.CUDAGraph()):
            sample.non_zero_plugin(x.view(1, -1))
    try:
        found_inside()
    except Exception as error:
        assert "captured" in str(error) or "captur" in repr(error.__context__), error
    else:
        raise AssertionError("a plugin that waits was captured")


def torch_memory_is_flat():
    import torch

    x = torch.from_numpy(floats((64, 1031))).cuda()

    def call():
        sample.circ_pad_plugin(x, pads=[1, 1])
        sample.non_zero_plugin(x)

    for _ in range(50):
        call()
    torch.cuda.synchronize()
    before = torch.cuda.mem_get_info()[0]
    for _ in range(5_000):
        call()
    torch.cuda.synchronize()
    assert before - torch.cuda.mem_get_info()[0] < 32 << 20


def cupy_memory_is_flat():
    import cupy as cp

    x = cp.asarray(floats((64, 1031)))

    def call():
        sample.circ_pad_plugin(x, pads=[1, 1])
        sample.non_zero_plugin(x)

    for _ in range(50):
        call()
    cp.cuda.runtime.deviceSynchronize()
    before = cp.cuda.runtime.memGetInfo()[0]
    for _ in range(5_000):
        call()
    cp.cuda.runtime.deviceSynchronize()
    assert before - cp.cuda.runtime.memGetInfo()[0] < 64 << 20


def torch_threads():
    import torch

    failures = []

    def work(seed):
        try:
            with torch.cuda.stream(torch.cuda.Stream()):
                for turn in range(50):
                    x = floats((3, 40 + turn), seed * 1000 + turn)
                    found = sample.circ_pad_plugin(torch.from_numpy(x).cuda(), pads=PADS)
                    same(found.cpu().numpy(), wrapped(x))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


PARTS = [
    cupy_arrays,
    cupy_streams,
    cupy_memory_is_flat,
    torch_tensors,
    torch_streams,
    torch_captured,
    torch_memory_is_flat,
    torch_threads,
]

failed = 0
for part in PARTS:
    if sys.argv[2:] and part.__name__ not in sys.argv[2:]:
        continue
    try:
        part()
        print(f"PASS {part.__name__}", flush=True)
    except ImportError as error:
        print(f"SKIPPED {part.__name__}: {error}", flush=True)
    except Exception:
        import traceback

        failed = 1
        print(f"FAIL {part.__name__}\n{traceback.format_exc()}", flush=True)
sys.exit(failed)
