"""The host's time of a plugin's call in PyTorch and JAX, beside their own operators: frameworks_host.py LIBRARY [WHAT..].

WHAT are torch, torch_cuda, jax and jax_cuda; without any, those that are there. Times are of calls on a few elements, each the
median of the quicker turns, ours and theirs in turns; on a GPU the host enqueues and doesn't wait meanwhile.
"""

import os
import sys

from host_calls import main, timed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../plugin-runtime/python/src"))

import plugin_runtime

plugins = plugin_runtime.load(sys.argv[1])


def report(where, times, ours, theirs, limit=None):
    """A line, with a verdict where there is a limit: ours is at most so many times theirs."""
    ratio = times[ours] / times[theirs]
    verdict = "" if limit is None else "PASS  " if ratio <= limit else "FAIL  "
    told = "" if limit is None else f"; at most {limit:.2f} x"
    print(f"{verdict}{where}: {ours} {times[ours]:.2f} us, {theirs} {times[theirs]:.2f} us, {ratio:.2f} x{told}", flush=True)
    return limit is None or ratio <= limit


def torch_calls(device):
    import torch

    sample = plugins.torch().sample
    add, pad = sample.elemwise_add_plugin.default, sample.circ_pad_plugin.default
    update = sample.inplace_add_plugin.default
    x, image, pads = torch.ones(8, device=device), torch.ones(1, 1, 2, 2, device=device), [1, 1, 1, 1]
    y = torch.empty_like(x)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times = timed(
        {
            "elemwise_add": lambda: add(x, 256),
            "circ_pad": lambda: pad(image, pads),
            "inplace_add": lambda: update(x, 0),
            "x * 2.0": lambda: x * 2.0,
            "torch.add(out=)": lambda: torch.add(x, 1.0, out=y),
            "x.add_": lambda: x.add_(0.0),
            "F.pad": lambda: torch.nn.functional.pad(image, (1, 1, 1, 1), mode="circular"),
            "empty_like": lambda: torch.empty_like(x),
        },
        wait,
    )
    where = f"torch {device}"
    # 2.0 us where x * 2.0 takes 2.2; beside an operator that allocates nothing, one that allocates nothing either.
    fine = report(where, times, "elemwise_add", "x * 2.0", 2.0 / 2.2 if device == "cpu" else None)
    fine &= report(where, times, "inplace_add", "torch.add(out=)", 1.3 if device == "cuda" else None)
    report(where, times, "elemwise_add", "torch.add(out=)")
    report(where, times, "inplace_add", "x.add_")
    report(where, times, "circ_pad", "F.pad")
    report(where, times, "elemwise_add", "empty_like")
    return fine


def jax_calls(device):
    import jax

    jax.config.update("jax_default_device", jax.devices("gpu" if device == "cuda" else device)[0])
    sample = plugins.jax().sample
    x = jax.numpy.ones(8)
    image = jax.numpy.ones((1, 1, 2, 2))
    add = jax.jit(lambda x: sample.elemwise_add_plugin(x, block_size=256))
    pad = jax.jit(lambda x: sample.circ_pad_plugin(x, pads=[1, 1, 1, 1]))
    theirs = jax.jit(lambda x: x + 1.0)
    wrap = jax.jit(lambda x: jax.numpy.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="wrap"))
    calls = {
        "elemwise_add": lambda: add(x),
        "circ_pad": lambda: pad(image),
        "x + 1.0": lambda: theirs(x),
        "jnp.pad": lambda: wrap(image),
    }
    times = timed(calls, lambda: add(x).block_until_ready())
    report(f"jax {device}", times, "elemwise_add", "x + 1.0")
    report(f"jax {device}", times, "circ_pad", "jnp.pad")
    return True


main(
    {
        "torch": lambda: torch_calls("cpu"),
        "torch_cuda": lambda: torch_calls("cuda"),
        "jax": lambda: jax_calls("cpu"),
        "jax_cuda": lambda: jax_calls("cuda"),
    }
)
