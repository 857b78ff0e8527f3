"""Runs a plugin on PyTorch's streams and memory, plain and captured: with_torch.py LIBRARY"""

import ctypes
import sys

import torch

library = ctypes.CDLL(sys.argv[1])
library.foreign_open.restype = ctypes.c_void_p
library.foreign_open.argtypes = [ctypes.c_int64, ctypes.c_char_p, ctypes.c_size_t]
library.foreign_run.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_size_t, ctypes.c_char_p]
message = ctypes.create_string_buffer(1024)


def opened(count):
    context = library.foreign_open(count, message, len(message))
    assert context, message.value.decode()
    return context


def run(context, x, y):
    stream = torch.cuda.current_stream().cuda_stream
    status = library.foreign_run(context, stream, x.data_ptr(), y.data_ptr(), x.numel() * 4, message)
    assert status == 0, message.value.decode()


checked = 0
for count in (1, 4099, 1 << 20):
    context = opened(count)
    x, y = torch.randn(count, device="cuda"), torch.full((count,), -7.0, device="cuda")

    # The default stream, then streams that are gone after each run.
    run(context, x, y)
    assert torch.equal(y, x + 1)
    for _ in range(3):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            x.normal_()
            run(context, x, y)
            doubled = y * 2
        torch.cuda.current_stream().wait_stream(stream)
        del stream
        assert torch.equal(doubled, (x + 1) * 2)
        checked += 1

    # Captured among PyTorch's own work, in a stream that it makes for that.
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        scaled = x * 3
        run(context, scaled, y)
        result = y - 1
    for _ in range(3):
        x.normal_()
        y.fill_(-7)
        graph.replay()
        assert torch.allclose(result, x * 3, atol=1e-5), (result, x)
        checked += 1

    # What overlaps is refused, and says so.
    if count > 8:
        both = torch.empty(2 * count, device="cuda")
        status = library.foreign_run(
            context, torch.cuda.current_stream().cuda_stream, both.data_ptr(), both.data_ptr() + 16, count * 4, message
        )
        assert status == 1 and b"overlap" in message.value, message.value

print(f"torch {torch.__version__}: {checked} runs on its streams and memory are right")
