"""What JAX does with plugins: jax_scenarios.py DEVICE TESTS SECOND [SCENARIO..], all of them where none is named."""

import functools
import gc
import os
import resource
import sys
import tempfile
import threading

device, path, second_path = sys.argv[1:4]
on_gpu = device != "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import plugin_runtime  # noqa: E402

jax.config.update("jax_default_device", jax.devices("gpu" if on_gpu else "cpu")[0])
plugins = plugin_runtime.load(path)
functions = plugins.jax()
sample, gpu = functions.sample, functions.gpu
target = "plugin_runtime." + plugins.library.path.name.split(".")[0].removeprefix("lib")


def array(*shape, dtype=np.float32, seed=0):
    """Multiples of 1/4, a third of them 0."""
    generator = np.random.default_rng(seed)
    values = generator.integers(-32, 33, shape) / 4 * (generator.random(shape) > 0.3)
    return jnp.asarray(values.astype(dtype))


def wrapped(x, pads):
    left, right, top, bottom = pads
    return jnp.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode="wrap")


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())


def refused(expected, call, kind=Exception):
    try:
        jax.block_until_ready(call())
    except kind as error:
        assert expected in str(error), f"{expected!r} isn't in {error}"
    else:
        raise AssertionError(f"{expected!r}: nothing was refused")


def results_equal_those_of_jax():
    for dtype in (np.float32, np.float16):
        for shape in ((1, 1, 1, 1), (2, 3, 17, 31)):
            x = array(*shape, dtype=dtype)
            for pads in ([1, 1, 1, 1], [0, 3, 2, 0]):
                assert same(sample.circ_pad_plugin(x, pads=pads), wrapped(x, pads)), (shape, pads)
        x = array(1, 1, 8, 8, dtype=dtype)
        assert same(sample.circ_pad_plugin(x, pads=[2, 0, 3, 0])[..., :8, :8], jnp.roll(x, (3, 2), (2, 3)))
        for shape in ((0, 5), (1, 1), (33, 65)):
            x = array(*shape, dtype=dtype)
            found, count = sample.non_zero_plugin(x)
            expected = jnp.stack(jnp.nonzero(x, size=x.size, fill_value=0), axis=1).astype(jnp.int32)
            assert same(found, expected) and int(count) == int((x != 0).sum()), shape
            assert same(sample.inplace_add_plugin(x, delta=3), x + 3), shape


def jitted():
    x = array(1, 2, 5, 7)
    fast = jax.jit(lambda x: sample.circ_pad_plugin(x * 2, pads=[1, 2, 0, 1]) + 1)
    assert same(fast(x), wrapped(x * 2, [1, 2, 0, 1]) + 1)
    first = jax.jit(lambda x: sample.non_zero_plugin(x)[0][:2] * 2)
    assert same(first(array(8, 8)), jnp.argwhere(array(8, 8), size=2).astype(jnp.int32) * 2)
    words = jax.jit(lambda x: gpu.offsets(x, table=bytes([0, 255]), signs="−+"))
    x = array(7)
    assert same(words(x), jnp.array([0.0, 255.0] * 4)[:7] + x * jnp.array([-1.0, 1.0] * 4)[:7])
    assert same(jax.jit(lambda x: gpu.affine(x, factors=[2, -1.0], shift=-2, negate=True))(x),
                -(x * jnp.array([2.0, -1.0] * 4)[:7] - 2))


def mapped():
    x = array(3, 1, 1, 4, 5)
    pad = functools.partial(sample.circ_pad_plugin, pads=[1, 1, 1, 1])
    expected = jnp.stack([pad(x) for x in x])
    assert same(jax.vmap(pad)(x), expected) and same(jax.jit(jax.vmap(pad))(x), expected)
    assert same(jax.vmap(functools.partial(pad, vmap_method="broadcast_all"))(x), expected)
    found, counts = jax.vmap(sample.non_zero_plugin)(array(3, 4, 5))
    for index, x in enumerate(array(3, 4, 5)):
        assert same(found[index], sample.non_zero_plugin(x)[0]) and counts[index] == (x != 0).sum()
    assert same(jax.vmap(functools.partial(sample.inplace_add_plugin, delta=2))(array(3, 4)), array(3, 4) + 2)


def scanned():
    def step(carry, row):
        carry = sample.inplace_add_plugin(carry, delta=1)
        return carry, gpu.mirror(row)

    carry, rows = jax.lax.scan(step, jnp.zeros(3), array(6, 5))
    assert same(carry, jnp.full(3, 6.0))
    assert same(rows, jnp.stack([gpu.mirror(row) for row in array(6, 5)]))


def updated_in_place():
    x = array(4, 5)
    before = np.asarray(x)
    update = functools.partial(sample.inplace_add_plugin, delta=4)
    assert same(update(x), x + 4) and same(jax.jit(update)(x), x + 4) and (np.asarray(x) == before).all()
    donated = jax.jit(update, donate_argnums=0)
    y = x + 0
    assert same(donated(y), x + 4)
    assert y.is_deleted()
    assert same(jax.jit(lambda x: update(x) + x)(x), 2 * x + 4)


def exported():
    from jax import export

    height, width = export.symbolic_shape("h, w")
    checks = [export.DisabledSafetyCheck.custom_call(target)]
    exporting = functools.partial(export.export, platforms=["cuda" if on_gpu else "cpu"], disabled_checks=checks)
    pad = jax.jit(functools.partial(sample.circ_pad_plugin, pads=[1, 2, 0, 1]))
    program = exporting(pad)(jax.ShapeDtypeStruct((1, 1, height, width), jnp.float32))
    try:
        program = export.deserialize(program.serialize())
    except ImportError as error:
        print(f"SKIPPED exported to bytes: {error}")
    for shape in ((1, 1, 3, 4), (1, 1, 7, 2)):
        assert same(program.call(array(*shape)), wrapped(array(*shape), [1, 2, 0, 1]))
    program = exporting(jax.jit(sample.non_zero_plugin))(jax.ShapeDtypeStruct((height, width), jnp.float32))
    assert same(program.call(array(5, 6))[0], sample.non_zero_plugin(array(5, 6))[0])
    if not on_gpu:
        # Whether they are equal, no symbol tells.
        (bias,) = export.symbolic_shape("b", scope=height.scope)
        described = jax.ShapeDtypeStruct((height, width), jnp.float32), jax.ShapeDtypeStruct((bias,), jnp.float32)
        program = exporting(jax.jit(functions.test.add_columns))(*described)
        assert same(program.call(array(5, 6), array(6)), array(5, 6) + array(6))
        refused("must equal", lambda: program.call(array(5, 6), array(7)))


def errors():
    x = array(4, 4)
    refused("non_zero needs a matrix, but `inp0` is of rank 1", lambda: sample.non_zero_plugin(array(3)), ValueError)
    refused("isn't in the range of i32", lambda: sample.circ_pad_plugin(x, pads=[1 << 32] * 4), ValueError)
    refused("argument: 'pads'", lambda: sample.circ_pad_plugin(x), TypeError)
    refused("no attribute `pad`; did you mean `pads`", lambda: sample.circ_pad_plugin(x, pads=[1] * 4, pad=1), TypeError)
    refused("did you mean `circ_pad_plugin`", lambda: sample.circ_pad_plugi, AttributeError)
    equal = "test::add_columns v1: `x.d1` must equal `bias.d0`, but is 4, not 3"
    refused(equal, lambda: functions.test.add_columns(x, array(3)), ValueError)
    refused(equal, lambda: jax.jit(functions.test.add_columns)(x, array(3)), ValueError)
    refused("which plugins don't have", lambda: sample.non_zero_plugin(x.astype(jnp.complex64)), ValueError)
    nan = jnp.array([1.0, jnp.nan])
    if not on_gpu:
        for _ in range(20):
            refused("element 1 is NaN", lambda: functions.test.refuse_nan(nan), jax.errors.JaxRuntimeError)
            refused("panicked: element 1", lambda: functions.test.refuse_nan(nan, by_panic=True))
        refused("didn't write its size tensor", lambda: functions.test.misbehave(array(3), tactics=[2]))
        assert same(functions.test.refuse_nan(jnp.ones(2)), jnp.ones(2))
    else:
        refused("cuda", lambda: functions.test.refuse_nan(nan))
    refused("", lambda: jax.grad(lambda x: gpu.scale(x, factor=2.0).sum())(array(3)))
    raw = jax.ffi.ffi_call(target, jax.ShapeDtypeStruct((4, 4), jnp.float32))
    name = {"plugin_runtime.plugin": "sample::circ_pad_plugi"}
    refused("did you mean `sample::circ_pad_plugin`", lambda: raw(x, **name))
    name = {"plugin_runtime.plugin": "sample::circ_pad_plugin"}
    refused("attribute `pads` is missing", lambda: raw(x, **name))
    refused("but the call has FP32 [4, 4] for it", lambda: raw(x, pads=np.array([1, 1]), **name))


def gradients_of_ones_own():
    @jax.custom_vjp
    def scaled(x):
        return gpu.scale(x, factor=2.0)

    scaled.defvjp(lambda x: (scaled(x), None), lambda _, g: (gpu.scale(g, factor=2.0),))
    assert same(jax.grad(lambda x: scaled(x).sum())(array(3)), jnp.full(3, 2.0))


def narrow_and_wide():
    assert sample.non_zero_plugin(array(3, 3))[1].dtype == jnp.int32
    with jax.enable_x64(True):
        assert sample.non_zero_plugin(array(3, 3))[1].dtype == jnp.int64


def threads():
    wrong = []

    def work(seed):
        for turn in range(20):
            x = array(17, 5, seed=seed)
            found, count = sample.non_zero_plugin(x)
            if int(count) != int((x != 0).sum()):
                wrong.append((seed, turn))

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert not wrong, wrong


def many_runs():
    def peak():
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    x = array(1, 1, 64, 64)
    pad = jax.jit(lambda x: sample.circ_pad_plugin(x, pads=[1, 2, 3, 4]))
    found = jax.jit(sample.non_zero_plugin)

    def runs(count):
        for _ in range(count):
            pad(x)
            found(x[0, 0])[1].block_until_ready()

    runs(1000)
    before = peak()
    runs(10000)
    assert peak() - before < 16 << 10, f"memory grew by {peak() - before} KiB"


def two_libraries():
    second = plugin_runtime.load(second_path).jax().second
    x = array(5)
    if not on_gpu:
        assert same(second.negate(x), -x)
    assert same(sample.elemwise_add_plugin(x, block_size=256), x + 1)


def tactics():
    with tempfile.TemporaryDirectory() as folder:
        lockfile = os.path.join(folder, "tuning.lock")
        tuned = plugin_runtime.load(path, lockfile=lockfile, tune=True).jax().sample
        x = array(2, 3, 16, 16)
        assert same(tuned.circ_pad_plugin(x, pads=[1, 1, 1, 1]), wrapped(x, [1, 1, 1, 1]))
        with open(lockfile) as file:
            assert "sample::circ_pad_plugin" in file.read()
        plugin_runtime.load(path, lockfile="", tune=False).jax()


def recorded():
    if not on_gpu:
        return print("SKIPPED recorded: it is for a GPU")
    kept = plugins.jax(command_buffers=True).sample
    x, y = array(1, 1, 64, 64), array(64, 64)
    # Outside of a command buffer first.
    kept.circ_pad_plugin(x, pads=[1, 1, 1, 1]), kept.non_zero_plugin(y), kept.inplace_add_plugin(y, delta=1)

    @jax.jit
    def many(x, y):
        for _ in range(8):
            x = kept.circ_pad_plugin(x, pads=[1, 1, 1, 1])[..., 1:-1, 1:-1]
            y = kept.inplace_add_plugin(y, delta=1)
            y = y + kept.non_zero_plugin(y)[1]
        return x, y

    def expected(x, y):
        for _ in range(8):
            y = y + 1
            y = y + (y != 0).sum()
        return x, y

    for seed in range(4):
        x, y = array(1, 1, 64, 64, seed=seed), array(64, 64, seed=seed)
        assert all(map(same, many(x, y), expected(x, y))), seed


scenarios = {name: value for name, value in list(globals().items()) if callable(value) and value.__module__ == "__main__"}
for helper in ("array", "wrapped", "same", "refused"):
    del scenarios[helper]
for name in sys.argv[4:] or scenarios:
    scenarios[name]()
    print(f"ended {name}", flush=True)
