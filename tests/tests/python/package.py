"""Parts by name: package.py PART TESTS SAMPLES SECOND FOLDER; the libraries are those of these packages."""

import ctypes
import gc
import inspect
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import threading

import numpy as np

import plugin_runtime

PART, TESTS, SAMPLES, SECOND, FOLDER = sys.argv[1:]
X = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
PADS = [1, 1, 1, 1]


def refused(kind, *expected):
    """A call that has to raise an error of this kind, whose text holds all of this."""

    class Refused:
        def __enter__(self):
            return self

        def __exit__(self, ty, error, _):
            assert error is not None, "it was taken"
            assert type(error) is kind, f"{type(error).__name__}: {error}"
            for text in expected:
                assert text in str(error), f"`{error}` doesn't say `{text}`"
            return True

    return Refused()


def functions_look_like_the_plugin():
    sample, test = plugin_runtime.load(SAMPLES).sample, plugin_runtime.load(TESTS)
    pad = sample.circ_pad_plugin
    assert str(inspect.signature(pad)) == "(inp0: 'Array', *, pads: 'Sequence[int]') -> 'Array'"
    assert pad.__doc__.startswith("Pads circularly, as `numpy.pad(.., 'wrap')`.") and "pads: Sequence[int]" in pad.__doc__
    assert (pad.__name__, pad.__qualname__) == ("circ_pad_plugin", "sample.circ_pad_plugin")
    assert pad is sample.circ_pad_plugin and "circ_pad_plugin" in dir(sample) and "sample" in dir(plugin_runtime.load(SAMPLES))
    misbehave = inspect.signature(test.test.misbehave)
    assert misbehave.parameters["tactics"].default == (1, 2, 3, 4, 5, 6)
    assert misbehave.return_annotation == "tuple[Array, Array]"
    assert np.array_equal(pad(X, pads=PADS), np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)), "wrap"))
    assert np.array_equal(pad(inp0=X, pads=PADS), pad(X, pads=PADS))
    assert isinstance(pad(X, pads=PADS), np.ndarray) and pad(X, pads=PADS).flags.writeable
    rows, count = sample.non_zero_plugin(np.eye(3, dtype=np.float32))
    assert rows.tolist() == [[0, 0], [1, 1], [2, 2]] and count.shape == () and count == 3
    rows, count = sample.non_zero_plugin(np.zeros((0, 5), np.float32))
    assert rows.shape == (0, 2) and count == 0
    # One that is used as a library of another program's would be.
    twice = test["test::twice"]
    assert twice(np.float32([1, 2])).tolist() == [1, 2, 1, 2]


def names_that_are_not_there():
    plugins = plugin_runtime.load(SAMPLES)
    with refused(AttributeError, "no namespace `sampel`", "did you mean `sample`?"):
        _ = plugins.sampel
    with refused(AttributeError, "no plugin `circ_pad_plugi`", "did you mean `circ_pad_plugin`"):
        _ = plugins.sample.circ_pad_plugi
    with refused(KeyError, "did you mean `sample::circ_pad_plugin v1`"):
        plugins["sample::circ_pad_plugin", 2]
    with refused(TypeError, "sample::circ_pad_plugin v1: no attribute `pad`", "did you mean `pads`?"):
        plugins.sample.circ_pad_plugin(X, pad=PADS)
    with refused(ValueError, "needs the attribute `pads` (&[i32])"):
        plugins.sample.circ_pad_plugin(X)
    with refused(TypeError, "inp0"):
        plugins.sample.circ_pad_plugin(pads=PADS)
    raw = plugins.sample.circ_pad_plugin.__globals__["_raw"]
    with refused(ValueError, "is called with 3 values, but takes 1 input: inp0; then 1 attribute: pads"):
        raw(X, PADS, PADS)


def values_that_attributes_take():
    plugins = plugin_runtime.load(TESTS)
    pad = plugin_runtime.load(SAMPLES).sample.circ_pad_plugin
    expected = pad(X, pads=PADS)
    for pads in (tuple(PADS), np.array(PADS), np.array(PADS, np.int32), np.array(PADS, np.uint8), [np.int64(1)] * 4, [True] * 4):
        assert np.array_equal(pad(X, pads=pads), expected), pads
    scale, x = plugins.test.scale, np.float32([1, 2])
    for factor in (2, 2.0, np.float32(2), np.float64(2), np.int8(2), np.array(2.0)):
        assert scale(x, factor=factor).tolist() == [2, 4], factor
    # Equal to Python, but not the same: each has a result of its own.
    assert [np.signbit(scale(x, factor=zero)[0]) for zero in (0.0, -0.0, 0, -0.0)] == [False, True, False, True]
    assert np.isnan(scale(x, factor=float("nan"))).all() and np.isinf(scale(x, factor=float("inf"))).all()
    offsets = plugins.gpu.offsets
    zeros = np.zeros(3, np.float32)
    for table in ([1, 2], b"\1\2", bytearray(b"\1\2"), np.array([1, 2], np.uint8)):
        table = bytes(table) if isinstance(table, bytearray) else table
        assert offsets(zeros, table=table).tolist() == [1, 2, 1], table
    # Texts and bytes of every length: short ones are handed over in another way.
    for count in range(1, 17):
        long = bytes(range(1, count + 1))
        assert offsets(np.zeros(count, np.float32), table=long).tolist() == list(long)
        signs = ("−+" * 8)[:count]
        expected = [1.0 if sign == "+" else -1.0 for sign in signs]
        assert offsets(np.ones(count, np.float32), table=[0], signs=signs).tolist() == expected


def values_that_attributes_refuse():
    plugins = plugin_runtime.load(TESTS)
    pad, scale = plugin_runtime.load(SAMPLES).sample.circ_pad_plugin, plugins.test.scale
    x = np.ones(3, np.float32)
    where = "attribute `pads` of `sample::circ_pad_plugin v1`: "
    for pads, text in (
        (1, "it is the integer 1; `&[i32]` takes a list of ints"),
        ("1", "it is a string; `&[i32]` takes a list of ints"),
        ([1.5], "it is a list of 1 float; `&[i32]` takes a list of ints"),
        ([1, 1 << 40], "element 1 is 1099511627776, which isn't in the range of i32"),
        ([1, "1"], "element 1 of its list is a str"),
        ([[1], [1]], "element 0 of its list is a list"),
        ({1: 1}, "it is"),
        (object(), "it is of type object: attributes take numbers, lists of them, str and bytes"),
        (range(4), "it is of type range: "),
        ([1, np.bool_(True)], "element 1 of its list is of type numpy.bool"),
        ([1, 1 << 64], "element 1 of its list is 18446744073709551616, which 64 bits don't hold"),
        (np.array([1, 2], object), "an array of object: "),
        (np.ones((2, 2), np.int32), "one dimension"),
        (np.ones(2, np.complex64), "an array of a type that no attribute has"),
    ):
        with refused(ValueError, where, text):
            pad(X, pads=pads)
        # What was refused once isn't taken the second time.
        with refused(ValueError, where, text):
            pad(X, pads=pads)
    with refused(ValueError, "attribute `factor` of `test::scale v1`", "too large for f32"):
        scale(x, factor=1e300)
    with refused(ValueError, "attribute `factor`", "`f32` takes a float, or an int that it holds exactly"):
        scale(x, factor=[1.0])
    with refused(ValueError, "16777217", "f32 doesn't hold exactly"):
        scale(x, factor=16777217)
    with refused(ValueError, "`table`", "u8"):
        plugins.gpu.offsets(x, table=[256])


def arrays_that_are_refused():
    plugins = plugin_runtime.load(SAMPLES).sample
    pad = plugins.circ_pad_plugin
    with refused(ValueError, "input `inp0` of `sample::circ_pad_plugin v1`", "float64", "taken are FP32"):
        pad(X.astype(np.float64), pads=PADS)
    with refused(ValueError, "input `inp0`", "it is a list, not an array"):
        pad([1.0, 2.0], pads=PADS)
    for odd in (X.astype(">f4"), np.array([1, "a"], object), np.zeros(3, "S3")):
        with refused(ValueError, "input `inp0` of `sample::circ_pad_plugin v1`: an array of ", str(odd.dtype)):
            pad(odd, pads=PADS)
    with refused(ValueError, "input `inp0`", "it is None, not an array"):
        pad(None, pads=PADS)
    with refused(ValueError, "input `inp0`", "12 dimensions; at most 8"):
        pad(np.ones((1,) * 12, np.float32), pads=[1, 1])
    with refused(RuntimeError, "sample::non_zero_plugin v1"):
        plugins.non_zero_plugin(np.ones(3, np.float32))
    with refused(ValueError, "sample::circ_pad_plugin v1", "INT64"):
        pad(X.astype(np.int64), pads=PADS)


def arrays_that_are_copied_first():
    plugins = plugin_runtime.load(SAMPLES).sample
    wide = np.arange(60, dtype=np.float32).reshape(5, 4, 3)
    for x in (wide.T, wide[::2], wide[:, ::-1], wide[:, 1:, :2], np.broadcast_to(wide[:1], (2, 4, 3))):
        assert not x.flags.c_contiguous or not x.flags.writeable
        found = plugins.circ_pad_plugin(x, pads=[1, 1])
        assert np.array_equal(found, np.pad(x, ((0, 0), (0, 0), (1, 1)), "wrap"))
    fixed = np.frombuffer(np.arange(4, dtype=np.float32).tobytes(), np.float32)
    assert plugins.elemwise_add_plugin(fixed, block_size=32).tolist() == [1, 2, 3, 4]
    # Bytes that begin anywhere.
    odd = np.zeros(17, np.uint8)[1:].view(np.float32)
    assert plugins.elemwise_add_plugin(odd, block_size=32).tolist() == [1, 1, 1, 1]
    # Strides of extents that are 1 don't matter.
    assert plugins.elemwise_add_plugin(wide[:, :1, :1], block_size=32).shape == (5, 1, 1)


def updates_in_place():
    plugins = plugin_runtime.load(SAMPLES).sample
    x = np.zeros(5, np.float32)
    assert plugins.inplace_add_plugin(x, delta=3) is x and x.tolist() == [3] * 5
    part = np.zeros((4, 5), np.float32)
    plugins.inplace_add_plugin(part[1], delta=1)
    assert part.sum() == 5 and part[1].sum() == 5
    odd = np.zeros(21, np.uint8)[1:].view(np.float32)
    assert plugins.inplace_add_plugin(odd, delta=1) is odd and odd.tolist() == [1] * 5
    fixed = np.zeros(3, np.float32)
    fixed.flags.writeable = False
    for x in (fixed, np.zeros((3, 4), np.float32).T):
        with refused(ValueError, "updates `inp0` in place", "contiguous and writable"):
            plugins.inplace_add_plugin(x, delta=1)
        assert not x.any()
    assert plugins.inplace_add_plugin(np.zeros((0, 3), np.float32), delta=1).shape == (0, 3)


def failures_of_plugins():
    misbehave = plugin_runtime.load(TESTS).test.misbehave
    x = np.ones(3, np.float32)
    assert misbehave(x)[0].tolist() == [1, 1, 1]
    for tactic, text in ((2, "size"), (3, "size"), (4, "panicked"), (5, "test::misbehave v1")):
        for _ in range(3):
            with refused(RuntimeError, "misbehave", text):
                misbehave(x, tactics=[tactic])
    assert misbehave(x)[0].tolist() == [1, 1, 1]
    missing = plugin_runtime.load(TESTS).test.missing_to_three
    assert missing(np.zeros(1, np.float32)).tolist() == [0, 0]
    with refused(ValueError, "missing_to_three", "-2"):
        missing(np.zeros(5, np.float32))


def shapes_that_change():
    plugins = plugin_runtime.load(SAMPLES).sample
    random = np.random.default_rng(0)
    for _ in range(200):
        shape = random.integers(1, 9, random.integers(2, 5))
        x = random.standard_normal(shape, np.float32)
        pads = random.integers(0, 4, 4).tolist()
        widths = [(0, 0)] * (x.ndim - 2) + [tuple(pads[2:]), tuple(pads[:2])]
        assert np.array_equal(plugins.circ_pad_plugin(x, pads=pads), np.pad(x, widths, "wrap"))
        x = (random.random((random.integers(0, 50), random.integers(0, 50))) < 0.5).astype(np.float16)
        assert np.array_equal(plugins.non_zero_plugin(x)[0], np.argwhere(x))
    assert plugins.elemwise_add_plugin(np.ones((), np.float32), block_size=1) == 2


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def flat(call, times):
    """Calls many times; the process mustn't grow. Allocators take more memory now and then, and give some back, so it is the median
    of five rounds."""
    for _ in range(1_000):
        call()
    grown = []
    for _ in range(5):
        before = resident()
        for _ in range(times // 5):
            call()
        grown.append(resident() - before)
    # No whole object a call.
    assert statistics.median(grown) < 65536 + times // 5 * 16, f"{times // 5} calls took {grown} bytes, round by round"


def a_hundred_thousand_calls():
    plugins = plugin_runtime.load(SAMPLES).sample
    x, y = np.ones((4, 5), np.float32), np.zeros(7, np.float32)

    def call():
        plugins.circ_pad_plugin(x, pads=[1, 1])

    flat(call, 100_000)
    flat(lambda: plugins.non_zero_plugin(x), 20_000)
    flat(lambda: plugins.inplace_add_plugin(y, delta=0), 20_000)

    def wrong():
        try:
            plugins.circ_pad_plugin(x, pads="1")
        except ValueError:
            return
        raise AssertionError

    flat(wrong, 5_000)


def many_attributes():
    """Attributes that are others in each call: what is kept has an end."""
    plugins = plugin_runtime.load(TESTS).test
    x = np.ones(3, np.float32)
    for factor in range(600):
        assert plugins.scale(x, factor=factor).tolist() == [factor] * 3
    before = resident()
    for factor in range(600, 4_000):
        assert plugins.scale(x, factor=factor).tolist() == [factor] * 3
    assert resident() - before < 8 << 20
    assert plugins.scale(x, factor=2).tolist() == [2] * 3


def eight_threads():
    plugins = plugin_runtime.load(SAMPLES).sample
    failures = []

    def work(seed):
        random = np.random.default_rng(seed)
        try:
            for _ in range(150):
                x = random.standard_normal((random.integers(1, 5), random.integers(1, 200)), np.float32)
                pads = random.integers(0, 3, 2).tolist()
                expected = np.pad(x, ((0, 0), tuple(pads)), "wrap")
                assert np.array_equal(plugins.circ_pad_plugin(x, pads=pads), expected)
                assert np.array_equal(plugins.non_zero_plugin(x)[0], np.argwhere(x))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def in_child(queue):
    x = np.ones((256, 512), np.float32)
    queue.put(plugin_runtime.load(SAMPLES).sample.circ_pad_plugin(x, pads=[1, 1]).sum())


def forked():
    """A child works although the threads of its parent aren't there."""
    plugins = plugin_runtime.load(SAMPLES).sample
    x = np.ones((256, 512), np.float32)
    assert plugins.circ_pad_plugin(x, pads=[1, 1]).sum() == 256 * 514
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    for _ in range(3):
        child = context.Process(target=in_child, args=(queue,))
        child.start()
        assert queue.get(timeout=60) == 256 * 514
        child.join(60)
        assert child.exitcode == 0
    assert plugins.circ_pad_plugin(x, pads=[1, 1]).sum() == 256 * 514


def two_libraries():
    libraries = [plugin_runtime.load(path) for path in (SECOND, SAMPLES, TESTS, SECOND)]
    x = np.ones(3, np.float32)
    assert [p.id for p in libraries[0]] == ["second::negate"] and "second" not in dir(libraries[1])
    for library in (libraries[0], libraries[3]):
        assert library.second.negate(x).tolist() == [-1] * 3
    assert libraries[1].sample.elemwise_add_plugin(x, block_size=1).tolist() == [2] * 3
    assert libraries[2].test.scale(x, factor=3).tolist() == [3] * 3


def the_library_stays():
    """An output that is dropped after its module was closed."""
    import tvm_ffi

    module = tvm_ffi.load_module(SAMPLES, **({} if tvm_ffi.__version__.startswith("0.1.0") else {"keep_module_alive": False}))
    function = module["plugin_runtime_function"]("sample::elemwise_add_plugin")
    found = np.from_dlpack(function(np.ones(300_000, np.float32), 1))
    del function, module
    gc.collect()
    assert found.sum() == 600_000
    del found
    gc.collect()
    # Loaded for all to see, beside another: each has its own plugins.
    ctypes.CDLL(SECOND, ctypes.RTLD_GLOBAL)
    assert plugin_runtime.load(SAMPLES).sample.elemwise_add_plugin(np.ones(3, np.float32), block_size=1).sum() == 6


def types_of_ml_dtypes():
    try:
        from ml_dtypes import bfloat16
    except ImportError:
        print("ml_dtypes isn't there")
        return
    scale = plugin_runtime.load(TESTS).gpu.scale_bf16
    for x in (np.arange(7), np.arange(8)[::2], np.zeros(0)):
        x = x.astype(bfloat16) if x.size != 4 else np.arange(8).astype(bfloat16)[::2]
        found = scale(x, factor=2.0)
        assert found.dtype == x.dtype and np.array_equal(found, x * bfloat16(2))
    x = np.arange(1000).astype(bfloat16)
    flat(lambda: scale(x, factor=2.0), 20_000)


def a_lockfile_chooses():
    """Tuning writes records; a lockfile is read, by argument and by variable."""
    lockfile = os.path.join(FOLDER, "tuning.lock")
    tuned = plugin_runtime.load(SAMPLES, lockfile=lockfile, tune=True).sample
    x = np.ones((4, 30), np.float32)
    expected = np.pad(x, ((0, 0), (1, 1)), "wrap")
    assert np.array_equal(tuned.circ_pad_plugin(x, pads=[1, 1]), expected)
    with open(lockfile) as file:
        first = file.read()
    assert "circ_pad_plugin" in first
    assert np.array_equal(tuned.circ_pad_plugin(x, pads=[1, 1]), expected)
    with open(lockfile) as file:
        assert file.read() == first
    assert tuned.circ_pad_plugin(x[:, :9], pads=[1, 1]).shape == (4, 11)
    with open(lockfile) as file:
        assert len(file.read()) > len(first)
    assert np.array_equal(plugin_runtime.load(SAMPLES, lockfile=lockfile).sample.circ_pad_plugin(x, pads=[1, 1]), expected)
    os.environ["PLUGIN_RUNTIME_LOCKFILE"] = os.path.join(FOLDER, "missing.lock")
    with refused(ValueError, "missing.lock"):
        plugin_runtime.load(SAMPLES).sample.circ_pad_plugin(x, pads=[1, 1])
    assert np.array_equal(plugin_runtime.load(SAMPLES, lockfile=lockfile).sample.circ_pad_plugin(x, pads=[1, 1]), expected)
    del os.environ["PLUGIN_RUNTIME_LOCKFILE"]
    os.environ["PLUGIN_RUNTIME_TUNE"] = "yes"
    with refused(ValueError, "PLUGIN_RUNTIME_TUNE", "yes"):
        plugin_runtime.load(SAMPLES).sample.circ_pad_plugin(x, pads=[1, 1])


def outputs_as_expressions():
    from plugin_runtime.expressions import evaluate

    library = plugin_runtime.load(SAMPLES).library
    plugins = {plugin.name: plugin for plugin in library.plugins}
    said = library.outputs(plugins["non_zero_plugin"], [("FP16", [-1, 7])], {})
    values = evaluate(said.nodes, lambda input, axis: {(0, 0): 5}[input, axis], lambda size: 11)
    assert [[values[node] for node in output.shape] for output in said.outputs] == [[11, 2], []]
    assert [values[size.upper_bound] for size in said.sizes] == [35] and said.outputs[0].data_dependent
    assert said.outputs[1].size == 0 and said.outputs[0].dtype == "INT32"
    in_place = library.outputs(plugins["inplace_add_plugin"], [("FP32", [-1])], {"delta": 1})
    assert in_place.outputs[0].alias == 0
    with refused(ValueError, "no attribute `delt`", "did you mean `delta`?"):
        library.outputs(plugins["inplace_add_plugin"], [("FP32", [-1])], {"delt": 1})
    with refused(ValueError, "no type `FP31`"):
        library.outputs(plugins["inplace_add_plugin"], [("FP31", [-1])], {"delta": 1})
    for values in ({"pads": [1, 1]}, {"pads": np.array([1, 1])}):
        padded = library.outputs(plugins["circ_pad_plugin"], [("FP32", [-1, 4])], values)
        assert evaluate(padded.nodes, lambda input, axis: 3, lambda size: 0)[padded.outputs[0].shape[1]] == 6


def run(*arguments, **more):
    """A Python without the sources."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(os.environ["PYTHONPATH"].split(os.pathsep)[1:]), **more}
    ended = subprocess.run([sys.executable, *arguments], env=environment, cwd=FOLDER, capture_output=True, text=True)
    assert ended.returncode == 0, f"{arguments}: {ended.stdout}{ended.stderr}"
    return ended.stdout.strip()


def installed(what):
    target = os.path.join(FOLDER, "installed")
    run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", target, what)
    path = os.pathsep.join([target, *os.environ["PYTHONPATH"].split(os.pathsep)[1:]])
    return target, {"PYTHONPATH": path}


USE = """
import numpy as np, samples
x = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
found = samples.sample.circ_pad_plugin(x, pads=[1, 1, 1, 1])
assert np.array_equal(found, np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), "wrap"))
assert "plugin_runtime" not in __import__("sys").modules, "the wheel's own copy is used"
assert "sample" in dir(samples) and samples.plugins.library.plugins
print(samples.__file__)
"""


def an_installed_wheel():
    own = dict(PYTHONPATH=os.environ["PYTHONPATH"])
    made = run("-m", "plugin_runtime", "wheel", SAMPLES, "--output", FOLDER, "--version", "1.2.3", **own)
    made = os.path.join(FOLDER, made)
    with open(made, "rb") as file:
        first = file.read()
    run("-m", "plugin_runtime", "wheel", SAMPLES, "--output", FOLDER, "--version", "1.2.3", **own)
    with open(made, "rb") as file:
        assert file.read() == first
    target, found_there = installed(made)
    assert run("-c", USE, **found_there).startswith(target)
    assert "1.2.3" in run("-c", "import importlib.metadata as m; print(m.version('samples'))", **found_there)
    with open(os.path.join(target, "samples", "__init__.pyi")) as file:
        stub = file.read()
    compile(stub, "__init__.pyi", "exec")
    assert "def circ_pad_plugin(inp0: Array, *, pads: Sequence[int]) -> Array: ..." in stub
    assert "def non_zero_plugin(inp0: Array) -> tuple[Array, Array]: ..." in stub
    listed = run("-m", "plugin_runtime", "list", SAMPLES, **own)
    assert "sample.circ_pad_plugin(inp0: 'Array', *, pads: 'Sequence[int]') -> 'Array'" in listed


def the_package_from_its_sources():
    sources = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(plugin_runtime.__file__))))
    target, found_there = installed(sources)
    use = "import plugin_runtime, sys; print(plugin_runtime.load(sys.argv[1]).sample.circ_pad_plugin.__name__)"
    assert run("-c", use, SAMPLES, **found_there) == "circ_pad_plugin"
    assert os.path.exists(os.path.join(target, "plugin_runtime", "py.typed"))


def types_are_checked():
    """The package by itself, and what uses the types that a wheel brings."""
    try:
        import mypy
    except ImportError:
        print("SKIPPED types_are_checked: mypy isn't there")
        return
    del mypy
    sources = os.path.dirname(os.path.abspath(plugin_runtime.__file__))
    cache = os.path.join(FOLDER, "cache")
    run("-m", "mypy", "--strict", "--cache-dir", cache, sources)
    own = dict(PYTHONPATH=os.environ["PYTHONPATH"])
    made = run("-m", "plugin_runtime", "wheel", SAMPLES, "--output", FOLDER, **own)
    target, _ = installed(os.path.join(FOLDER, made))
    use = os.path.join(FOLDER, "use.py")
    for line, expected in (
        ("reveal_type(samples.sample.circ_pad_plugin(x, pads=[1, 1]))", "ndarray"),
        ("reveal_type(samples.sample.non_zero_plugin(x))", "tuple["),
        ("samples.sample.circ_pad_plugin(x, pad=[1, 1])", 'Unexpected keyword argument "pad"'),
        ('samples.sample.circ_pad_plugin(x, pads="wrap")', "error"),
        ("samples.sample.circ_pad(x)", 'has no attribute "circ_pad"'),
    ):
        with open(use, "w") as file:
            file.write(f"import numpy as np\nimport samples\nx = np.ones((2, 3), np.float32)\n{line}\n")
        checked = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", cache, use],
            env={**os.environ, "MYPYPATH": target},
            capture_output=True,
            text=True,
        )
        assert expected in checked.stdout, f"{line}: {checked.stdout}"
        assert (checked.returncode == 0) == line.startswith("reveal_type"), checked.stdout


def libraries_that_are_none():
    with refused(FileNotFoundError, "no plugin library nowhere.so"):
        plugin_runtime.load("nowhere.so")
    import tvm_ffi

    other = os.path.join(os.path.dirname(tvm_ffi.__file__), "lib", "libtvm_ffi.so")
    with refused(ValueError, "isn't a library of plugins for Python", "tvm_ffi, torch and jax"):
        plugin_runtime.load(other)
    without = "import sys; sys.modules['tvm_ffi'] = None; import plugin_runtime; plugin_runtime.load(sys.argv[1]).sample.circ_pad_plugin"
    ended = subprocess.run([sys.executable, "-c", without, SAMPLES], capture_output=True, text=True)
    assert "ImportError" in ended.stderr and "pip install apache-tvm-ffi" in ended.stderr, ended.stderr


if __name__ == "__main__":
    globals()[PART]()
    print("fine")
