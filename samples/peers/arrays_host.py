"""The host's time of a call from Python, beside the same work of the arrays' own package: arrays_host.py LIBRARY [ARRAYS..].

ARRAYS are numpy, torch, cupy and torch_cuda; without any, those that are there. Times are of calls on a few elements, each the
best median of several turns, ours and theirs in turns; on a GPU the host enqueues and doesn't wait meanwhile.
"""

import os
import sys

import numpy as np
from host_calls import main, timed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../plugin-runtime/python/src"))

import plugin_runtime

plugins = plugin_runtime.load(sys.argv[1]).sample
# Of a call on a GPU, beside torch.add(out=).
LIMIT = 1.3


def timed_alone(calls, wait):
    """Microseconds of each of some calls in a list, without what it takes to call nothing."""
    *times, empty = timed(dict(enumerate([*calls, nothing])), wait).values()
    return [time - empty for time in times]


def report(what, ours, theirs, name, limit=None):
    ratio = ours / theirs
    verdict = "" if limit is None else ("PASS  " if ratio <= limit else "FAIL  ")
    told = "" if limit is None else f"; at most {limit}"
    print(f"{verdict}{what}: {ours:.2f} us, {name} {theirs:.2f} us, {ratio:.2f} x{told}", flush=True)
    return limit is None or ratio <= limit


def nothing():
    pass


def numpy_calls():
    x = np.ones((2, 2), np.float32)
    pads = [1, 1]
    raw = plugins.circ_pad_plugin.__globals__["_raw"]
    calls = [
        lambda: plugins.circ_pad_plugin(x, pads=pads),
        lambda: raw(x, pads),
        lambda: plugins.elemwise_add_plugin(x, block_size=1),
        lambda: plugins.inplace_add_plugin(x, delta=0),
        lambda: np.pad(x, ((0, 0), (1, 1)), "wrap"),
        lambda: np.add(x, 1.0),
        lambda: np.add(x, 0.0, out=x),
    ]
    pad, bare, add, inplace, np_pad, np_add, np_out = timed_alone(calls, nothing)
    report("numpy: circ_pad", pad, np_pad, "np.pad")
    report("numpy: circ_pad, the function of tvm-ffi", bare, np_pad, "np.pad")
    report("numpy: elemwise_add", add, np_add, "np.add")
    report("numpy: inplace_add", inplace, np_out, "np.add(out=)")
    return True


def torch_calls(device):
    import torch

    x = torch.ones((2, 2), device=device)
    y = torch.empty_like(x)
    pads = [1, 1]
    calls = [
        lambda: plugins.elemwise_add_plugin(x, block_size=64),
        lambda: plugins.circ_pad_plugin(x, pads=pads),
        lambda: plugins.inplace_add_plugin(x, delta=0),
        lambda: torch.add(x, 1.0, out=y),
        lambda: x * 2.0,
    ]
    wait = torch.cuda.synchronize if device == "cuda" else nothing
    add, pad, inplace, out, product = timed_alone(calls, wait)
    limit = LIMIT if device == "cuda" else None
    fine = report(f"torch {device}: elemwise_add", add, out, "torch.add(out=)", limit)
    fine &= report(f"torch {device}: inplace_add", inplace, out, "torch.add(out=)", limit)
    report(f"torch {device}: circ_pad", pad, product, "x * 2.0")
    return fine


def cupy_calls():
    import cupy as cp

    x = cp.ones((2, 2), np.float32)
    y = cp.empty_like(x)
    calls = [
        lambda: plugins.elemwise_add_plugin(x, block_size=64),
        lambda: plugins.inplace_add_plugin(x, delta=0),
        lambda: cp.add(x, 1.0, out=y),
    ]
    add, inplace, out = timed_alone(calls, cp.cuda.runtime.deviceSynchronize)
    report("cupy: elemwise_add", add, out, "cp.add(out=)")
    report("cupy: inplace_add", inplace, out, "cp.add(out=)")
    return True


main(
    {
        "numpy": numpy_calls,
        "torch": lambda: torch_calls("cpu"),
        "cupy": cupy_calls,
        "torch_cuda": lambda: torch_calls("cuda"),
    }
)
