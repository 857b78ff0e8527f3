"""What sessions with plugins do: sessions.py SCENARIO LIBRARY [SECOND LIBRARY]."""

import gc
import multiprocessing
import os
import statistics
import sys
import threading

import numpy as np
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

LIBRARY = sys.argv[2]
VERSION = tuple(int(part) for part in ort.__version__.split(".")[:2])
NUMPY = {np.dtype(np.float32): T.FLOAT, np.dtype(np.float16): T.FLOAT16}


def value(name, dtype, shape):
    return h.make_tensor_value_info(name, dtype, shape)


def node(op, inputs, outputs, domain="sample", name="", **attributes):
    return h.make_node(op, inputs, outputs, name=name, domain=domain, **attributes)


def model(nodes, inputs, outputs, constants=(), domains=("sample", "test", "gpu", "case", "second")):
    constants = [numpy_helper.from_array(array, name) for name, array in constants]
    graph = h.make_graph(nodes, "graph", inputs, outputs, constants)
    imports = [h.make_opsetid("", 17)] + [h.make_opsetid(domain, 1) for domain in domains]
    return h.make_model(graph, opset_imports=imports, ir_version=8)


def options(libraries=(LIBRARY,), level=4):
    made = ort.SessionOptions()
    made.log_severity_level = level
    for library in libraries:
        made.register_custom_ops_library(library)
    return made


def session(made, given=None):
    return ort.InferenceSession(made.SerializeToString(), given or options(), providers=["CPUExecutionProvider"])


def refused(make):
    try:
        make()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("nothing was refused")


def same(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape, (found.dtype, found.shape, expected.shape)
    assert np.array_equal(found, expected), (found, expected)


def floats(*shape, dtype=np.float32, seed=0):
    quarters = np.random.default_rng(seed).integers(-32, 33, shape)
    return (quarters / 4).astype(dtype)


def wrapped(x, pads):
    return np.pad(x, [tuple(pads[2 * (x.ndim - 1 - axis):][:2]) for axis in range(x.ndim)], "wrap")


PADS = [1, 2, 2, 1, 0, 0, 0, 0]


def padded(name="y", shape=("N", "C", "H", "W"), dtype=T.FLOAT, **attributes):
    attributes = attributes or {"pads": PADS}
    nodes = [node("circ_pad_plugin", ["x"], [name], name="padder", **attributes)]
    return model(nodes, [value("x", dtype, shape)], [value(name, dtype, None)])


def standard_operators_around_plugins():
    """Conv, padding, Reshape, MatMul and non-zeros of what comes of it, at extents that the model leaves open."""
    for dtype in (np.float32, np.float16):
        onnx_type = NUMPY[np.dtype(dtype)]
        weights = floats(4, 3, 3, 3, dtype=dtype, seed=1) / dtype(16)
        nodes = [
            node("Conv", ["x", "weights"], ["c"], domain=""),
            node("circ_pad_plugin", ["c"], ["p"], pads=PADS),
            node("Reshape", ["p", "rows"], ["r"], domain=""),
            node("Transpose", ["r"], ["t"], domain="", perm=[1, 0]),
            node("MatMul", ["r", "t"], ["m"], domain=""),
            node("Relu", ["r"], ["positive"], domain=""),
            node("non_zero_plugin", ["positive"], ["z", "count"]),
            node("elemwise_add_plugin", ["m"], ["y"], block_size=256),
        ]
        outputs = [value("p", onnx_type, None), value("y", onnx_type, None), value("z", T.INT32, None)]
        outputs.append(value("count", T.INT64, []))
        constants = [("weights", weights), ("rows", np.array([4, -1], np.int64))]
        made = session(model(nodes, [value("x", onnx_type, [1, 3, "H", "W"])], outputs, constants))
        shapes = [output.shape for output in made.get_outputs()]
        if VERSION >= (1, 20):
            assert shapes[0][:2] == [1, 4], shapes
        for extents in ((8, 9), (5, 5), (33, 17), (8, 9)):
            x = floats(1, 3, *extents, dtype=dtype, seed=2) / dtype(8)
            p, y, z, count = made.run(None, {"x": x})
            windows = np.lib.stride_tricks.sliding_window_view(x[0].astype(np.float64), (3, 3), (1, 2))
            convolved = np.einsum("chwij,ocij->ohw", windows, weights.astype(np.float64))[None]
            close = {"rtol": 1e-5, "atol": 1e-5} if dtype == np.float32 else {"rtol": 2e-3, "atol": 2e-3}
            np.testing.assert_allclose(p, wrapped(convolved, PADS), **close)
            rows = p.reshape(4, -1)
            product = rows.astype(np.float64) @ rows.T.astype(np.float64) + 1
            wide = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-2, "atol": 0.1}
            np.testing.assert_allclose(y, product, **wide)
            same(z, np.argwhere(rows > 0).astype(np.int32))
            same(count, np.array(len(z), np.int64))


def attributes():
    """Each kind that the runtime can hand over."""
    x = floats(9)

    def affine(**given):
        nodes = [node("affine", ["x"], ["y"], domain="gpu", **given)]
        return session(model(nodes, [value("x", T.FLOAT, ["N"])], [value("y", T.FLOAT, None)])).run(None, {"x": x})[0]

    expected = (x * np.resize(np.array([2, -1], np.float32), 9) + 3).astype(np.float32)
    tensor = h.make_tensor("factors", T.FLOAT, [2], [2.0, -1.0])
    doubles = h.make_tensor("factors", T.DOUBLE, [2], [2.0, -1.0])
    integers = h.make_tensor("factors", T.INT8, [2], [2, -1])
    for factors in ([2.0, -1.0], [2, -1], tensor, doubles, integers):
        same(affine(factors=factors), expected)
    same(affine(factors=[1.0], shift=-2, negate=1), -(x - 2))
    for factors in (h.make_tensor("factors", T.FLOAT, [1, 1], [1.0]), h.make_tensor("factors", T.STRING, [1], [b"a"])):
        refused(lambda: affine(factors=factors))


def hostile_attributes():
    for given, expected in (
        ({"pads": [1.0]}, "attribute `pads`: it is a list of 1 float; `&[i32]` takes INTS"),
        ({"pads": "1"}, "attribute `pads`: it is a string; `&[i32]` takes INTS"),
        ({"pads": 3}, "attribute `pads`: it is the integer 3; `&[i32]` takes INTS"),
        ({"pads": 0.5}, "attribute `pads`: it is the float 0.5; `&[i32]` takes INTS"),
        ({"other": 1}, "plugin `sample::circ_pad_plugin v1` needs the attribute `pads` (&[i32])"),
        ({"pads": [1, 1, 1]}, "`pads` holds 3 numbers"),
        ({"pads": [0] * 10}, "pads"),
        ({"pads": [2**40, 0]}, "attribute `pads`: element 0 is 1099511627776, which isn't in the range of i32"),
        ({"pads": [-(2**63), 0]}, "which isn't in the range of i32"),
        ({"pads": PADS, "plugin_version": "2"}, "plugin `sample::circ_pad_plugin` is linked at version 1, not 2"),
        ({"pads": PADS, "plugin_version": "x"}, "attribute `plugin_version`: a version number"),
        ({"pads": PADS, "plugin_version": -1}, "attribute `plugin_version`: a version number"),
        ({"pads": PADS, "plugin_namespace": "simple"}, "no plugin of the namespace `simple` is linked"),
        ({"pads": PADS, "plugin_namespace": 1}, "attribute `plugin_namespace`: STRING is expected"),
        ({"pads": PADS, "aot": 2}, "attribute `aot`: 0 or 1 is expected"),
        ({"pads": PADS, "aot": 1}, "it insists on ahead-of-time kernels"),
        ({"pads": PADS, "aot_preferred": 1}, "says nothing without the attribute `aot`"),
    ):
        message = refused(lambda: session(padded(**given)))
        assert expected in message and "layer `padder`" in message, f"{expected!r} isn't in {message!r}"
        assert "circ_pad_plugin" in message, message
    if VERSION >= (1, 25):
        message = refused(lambda: session(padded(pads=["1", "2"])))
        assert "attribute `pads`: it is a list of 2 strings, which a plugin can't take" in message, message
    # What a name holds is taken as it is.
    same(session(padded(pads=PADS, aot=0)).run(None, {"x": floats(1, 1, 3, 3)})[0], wrapped(floats(1, 1, 3, 3), PADS))
    message = refused(lambda: session(padded(dtype=T.INT32)))
    assert "INT32 -> INT32 here, which it doesn't take: it takes FP32 -> FP32; FP16 -> FP16" in message, message


def failures_while_running():
    nodes = [node("refuse_nan", ["x"], ["y"], domain="test", name="guard", by_panic=by_panic) for by_panic in (0, 1)]
    for by_panic, made in enumerate(nodes):
        made = session(model([made], [value("x", T.FLOAT, ["N"])], [value("y", T.FLOAT, None)]))
        for _ in range(3):
            same(made.run(None, {"x": floats(5)})[0], floats(5))
            bad = floats(7)
            bad[3] = np.nan
            message = refused(lambda: made.run(None, {"x": bad}))
            said = "the plugin panicked: element 3 is NaN" if by_panic else "element 3 is NaN"
            for expected in ("layer `guard` (test::refuse_nan v1", "x FP32 [7] -> FP32 [7]", said):
                assert expected in message, message
    for tactic, expected in ((2, "didn't write its size tensor"), (3, "it must be 0 to 4"), (4, "panicked"), (5, "no such luck")):
        made = model(
            [node("misbehave", ["x"], ["y", "n"], domain="test", tactics=[tactic])],
            [value("x", T.FLOAT, ["N"])],
            [value("y", T.FLOAT, None), value("n", T.INT32, None)],
        )
        made = session(made)
        for _ in range(2):
            message = refused(lambda: made.run(None, {"x": floats(4)}))
            assert expected in message, message
    # Extents that a plugin can't have, and more than can be addressed.
    message = refused(lambda: session(padded()).run(None, {"x": np.zeros((1, 1, 0, 3), np.float32)}))
    assert "circ_pad_plugin" in message, message
    colossal = [node("colossal", ["x"], ["a", "b", "c"], domain="test")]
    outputs = [value(name, T.UINT8, None) for name in "abc"]
    message = refused(lambda: session(model(colossal, [value("x", T.FLOAT, ["N"])], outputs)).run(None, {"x": floats(1)}))
    assert message, message
    message = refused(lambda: session(padded(shape=None)).run(None, {"x": floats(*[1] * 9)}))
    assert "at most 8" in message, message


def eight_threads():
    """One session, used by all at once at other extents each time."""
    nodes = [
        node("circ_pad_plugin", ["x"], ["p"], pads=PADS[:4]),
        node("inplace_add_plugin", ["p"], ["a"], delta=1),
        node("non_zero_plugin", ["a"], ["z", "n"]),
    ]
    outputs = [value("a", T.FLOAT, None), value("z", T.INT32, None)]
    made = session(model(nodes, [value("x", T.FLOAT, ["H", "W"])], outputs))
    wrong = []

    def work(seed):
        try:
            for repeat in range(200):
                x = floats(3 + (seed * repeat) % 7, 4 + (seed + repeat) % 5, seed=seed)
                a, z = made.run(None, {"x": x})
                same(a, wrapped(x, PADS) + 1)
                same(z, np.argwhere(a).astype(np.int32))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong, wrong[0]


def sessions_made_at_once():
    """By many threads, each of which runs its own and one that all have."""
    shared = session(padded())
    wrong = []

    def work(seed):
        try:
            for repeat in range(10):
                x = floats(1, 2, 3 + seed, 4 + repeat, seed=seed)
                for made in (session(padded()), shared):
                    same(made.run(None, {"x": x})[0], wrapped(x, PADS))
                refused(lambda: session(padded(pads=[1, 2, 3])))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong, wrong[0]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(work, times):
    """Bytes that `work` keeps each time: the median, as allocators take more memory now and then, and give some back."""
    grown = []
    for _ in range(times):
        before = resident()
        work()
        gc.collect()
        grown.append(resident() - before)
    return statistics.median(grown)


def many_runs():
    """Memory stays flat, whatever a run is: changing extents, found extents, failures."""
    nodes = [node("circ_pad_plugin", ["x"], ["p"], pads=PADS[:4]), node("non_zero_plugin", ["p"], ["z", "n"])]
    made = session(model(nodes, [value("x", T.FLOAT, ["H", "W"])], [value("z", T.INT32, None)]))
    failing = model([node("refuse_nan", ["x"], ["y"], domain="test")], [value("x", T.FLOAT, ["N"])], [value("y", T.FLOAT, None)])
    failing = session(failing)
    given = [{"x": floats(height, 16)} for height in (4, 4, 9, 16)]
    nan = {"x": np.array([np.nan], np.float32)}

    def runs(count):
        for repeat in range(count):
            made.run(None, given[repeat % 4])
            if repeat % 100 == 0:
                refused(lambda: failing.run(None, nan))

    runs(10_000)
    # What an exception costs once.
    for _ in range(2000):
        refused(lambda: failing.run(None, nan))
    grown = growth(lambda: runs(20_000), 5)
    assert grown < 256 << 10, f"20,000 runs took {grown} bytes, in most of five rounds"


def many_sessions():
    """Each registers the library; the library stays where it is."""
    x = floats(1, 1, 4, 4)

    def once():
        same(session(padded()).run(None, {"x": x})[0], wrapped(x, PADS))

    for _ in range(100):
        once()
    gc.collect()
    grown = growth(lambda: [once() for _ in range(100)], 3)
    assert grown < 1 << 20, f"100 sessions took {grown} bytes, in most of three rounds"
    # Two at once, from the same options and from others.
    shared = options()
    first, second, third = session(padded(), shared), session(padded(), shared), session(padded())
    del first
    gc.collect()
    for made in (second, third):
        same(made.run(None, {"x": x})[0], wrapped(x, PADS))


def library_is_pinned():
    def mapped():
        with open("/proc/self/maps") as file:
            return LIBRARY in file.read()

    assert not mapped()
    made = options()
    assert mapped()
    del made
    gc.collect()
    assert mapped()
    same(session(padded()).run(None, {"x": floats(1, 1, 4, 4)})[0], wrapped(floats(1, 1, 4, 4), PADS))


def in_child(made, x, queue):
    queue.put(made.run(None, {"x": x})[0])


def forked():
    """A child goes on with the session that its parent used, and makes one of its own."""
    x = floats(1, 8, 256, 256)
    given = options()
    given.intra_op_num_threads = 1
    made = session(padded(), given)
    expected = wrapped(x, PADS)
    same(made.run(None, {"x": x})[0], expected)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=in_child, args=(made, x, queue))
    child.start()
    same(queue.get(timeout=60), expected)
    child.join(60)
    assert child.exitcode == 0, child.exitcode


def two_libraries():
    nodes = [node("circ_pad_plugin", ["x"], ["p"], pads=PADS), node("negate", ["p"], ["y"], domain="second")]
    made = model(nodes, [value("x", T.FLOAT, list("NCHW"))], [value("y", T.FLOAT, None)])
    x = floats(1, 1, 5, 4)
    for libraries in (sys.argv[2:4], sys.argv[3:1:-1]):
        same(session(made, options(libraries)).run(None, {"x": x})[0], -wrapped(x, PADS))
    # Files without domains are those of the first.
    bare = model([node("negate", ["x"], ["y"], domain="", plugin_namespace="second")], [value("x", T.FLOAT, ["N"])], [value("y", T.FLOAT, None)])
    same(session(bare, options(sys.argv[3:1:-1])).run(None, {"x": floats(3)})[0], -floats(3))
    refused(lambda: session(bare, options(sys.argv[2:4])))
    message = refused(lambda: options([LIBRARY, LIBRARY]))
    assert "was registered with these session options before" in message, message
    # What was refused has no after-effects.
    same(session(made, options(sys.argv[2:4])).run(None, {"x": x})[0], -wrapped(x, PADS))


def files_without_domains():
    """As TensorRT's exporters write them."""
    x = floats(1, 2, 5, 4)
    for attributes in ({}, {"plugin_namespace": "sample"}, {"plugin_namespace": "sample", "plugin_version": "1"}, {"plugin_namespace": ""}):
        nodes = [node("circ_pad_plugin", ["x"], ["y"], domain="", pads=PADS, **attributes)]
        made = model(nodes, [value("x", T.FLOAT, list("NCHW"))], [value("y", T.FLOAT, None)], domains=())
        same(session(made).run(None, {"x": x})[0], wrapped(x, PADS))
    # ONNX's own operators stay what they are.
    nodes = [node("NonZero", ["x"], ["z"], domain=""), node("Add", ["x", "x"], ["y"], domain="")]
    made = model(nodes, [value("x", T.INT32, ["N"])], [value("z", T.INT64, None), value("y", T.INT32, None)], domains=())
    z, y = session(made).run(None, {"x": np.array([0, 5, 0, 7], np.int32)})
    same(z, np.array([[1, 3]], np.int64))
    same(y, np.array([0, 10, 0, 14], np.int32))


def extents_are_inferred():
    made = session(padded())
    shape = made.get_outputs()[0].shape
    assert shape == ["N", "C", "H + 3", "W + 3"], shape
    nodes = [
        node("circ_pad_plugin", ["x"], ["p"], pads=PADS[:4]),
        node("circ_pad_plugin", ["p"], ["q"], pads=[1, 0]),
        node("non_zero_plugin", ["q"], ["z", "n"]),
        node("non_zero_plugin", ["x"], ["z2", "n2"]),
    ]
    outputs = [value("q", T.FLOAT, None), value("z", T.INT32, None), value("n", T.INT64, None), value("z2", T.INT32, None)]
    q, z, n, z2 = session(model(nodes, [value("x", T.FLOAT, ["H", 5])], outputs)).get_outputs()
    assert q.shape == ["H + 3", 9], q.shape
    assert z.shape[1] == 2 and n.shape == [] and z.shape[0] != z2.shape[0], (z.shape, z2.shape)


def ranks_that_are_not_known():
    """A rank that isn't known isn't that of a scalar."""
    made = session(padded(shape=None))
    for shape in ((1, 1, 4, 5), (2, 4, 5), (4, 5), (1, 2, 3, 4, 5)):
        pads = PADS[:4]
        made = session(padded(shape=None, pads=pads))
        same(made.run(None, {"x": floats(*shape)})[0], wrapped(floats(*shape), pads + [0] * 6))
    nodes = [node("non_zero_plugin", ["x"], ["z", "n"]), node("Cast", ["z"], ["y"], domain="", to=T.FLOAT)]
    made = session(model(nodes, [value("x", T.FLOAT, None)], [value("y", T.FLOAT, None), value("n", T.INT64, None)]))
    y, n = made.run(None, {"x": floats(4, 5)})
    same(y, np.argwhere(floats(4, 5)).astype(np.float32))
    message = refused(lambda: made.run(None, {"x": floats(4)}))
    assert "`inp0` is of rank 1" in message, message
    scalar = model([node("scale", ["x"], ["y"], domain="test", factor=2.0)], [value("x", T.FLOAT, [])], [value("y", T.FLOAT, [])])
    same(session(scalar).run(None, {"x": np.array(1.5, np.float32)})[0], np.array(3, np.float32))


def memory_of_others():
    """Arrays that begin anywhere, arrays that are lent as outputs, and inputs that stay as they are."""
    made = session(padded())
    for offset in range(1, 5):
        raw = np.zeros(4 * 60 + 16, np.uint8)
        x = raw[offset:offset + 240].view(np.float32).reshape(1, 3, 4, 5)
        x[...] = floats(1, 3, 4, 5)
        same(made.run(None, {"x": x})[0], wrapped(x, PADS))
    binding = made.io_binding()
    x, y = floats(1, 3, 4, 5), np.full((1, 3, 7, 8), 9, np.float32)
    binding.bind_cpu_input("x", x)
    binding.bind_output("y", "cpu", 0, np.float32, y.shape, y.ctypes.data)
    made.run_with_iobinding(binding)
    same(y, wrapped(x, PADS))
    found = session(model([node("non_zero_plugin", ["x"], ["z", "n"])], [value("x", T.FLOAT, list("HW"))], [value("z", T.INT32, None)]))
    binding = found.io_binding()
    binding.bind_cpu_input("x", x[0, 0])
    binding.bind_output("z")
    found.run_with_iobinding(binding)
    same(binding.copy_outputs_to_cpu()[0], np.argwhere(x[0, 0]).astype(np.int32))


def updates_in_place():
    """Only what nobody else sees is changed."""
    x = floats(3, 4)

    def run(nodes, outputs, constants=(), **given):
        values = [value(name, T.FLOAT, None) for name in outputs]
        inputs = [value("x", T.FLOAT, ["H", "W"])] if given else []
        made = session(model(nodes, inputs, values, constants))
        for _ in range(3):
            kept = {name: array.copy() for name, array in given.items()}
            found = made.run(None, given)
            [same(given[name], kept[name]) for name in given]
        return found

    def add(source, target, delta=3):
        return node("inplace_add_plugin", [source], [target], delta=delta)

    same(run([add("x", "y")], ["y"], x=x)[0], x + 3)
    same(run([add("x", "a"), add("a", "b"), add("b", "y")], ["y"], x=x)[0], x + 9)
    a, y = run([add("x", "a"), add("a", "y")], ["a", "y"], x=x)
    same(a, x + 3)
    same(y, x + 6)
    relu = node("Relu", ["x"], ["r"], domain="")
    y, z = run([relu, add("r", "y"), node("Neg", ["r"], ["z"], domain="")], ["y", "z"], x=x)
    same(y, np.maximum(x, 0) + 3)
    same(z, -np.maximum(x, 0))
    weights = floats(2, 2)
    same(run([add("w", "a"), node("MatMul", ["x2", "a"], ["y"], domain="")], ["y"], [("w", weights), ("x2", weights)])[0], weights @ (weights + 3))


def outputs_that_are_left_out():
    x = floats(4, 5)
    for outputs, index in ((["z"], 0), (["z", ""], 0), (["", "n"], 0), (["z", "n"], 1)):
        kept = [name for name in outputs if name]
        types = {"z": T.INT32, "n": T.INT64}
        nodes = [node("non_zero_plugin", ["x"], outputs)]
        made = model(nodes, [value("x", T.FLOAT, list("HW"))], [value(name, types[name], None) for name in kept])
        if kept != ["z", "n"] and VERSION < (1, 29):
            # Older ones would break off where outputs could be left out.
            refused(lambda: session(made))
            continue
        made = session(made)
        found = dict(zip(kept, made.run(None, {"x": x})))
        if "z" in found:
            same(found["z"], np.argwhere(x).astype(np.int32))
        if "n" in found:
            same(found["n"], np.array(np.count_nonzero(x), np.int64))


def inside_subgraphs():
    pad = [node("circ_pad_plugin", ["x"], ["p"], pads=PADS)]
    same_as = [node("Identity", ["x"], ["q"], domain="")]
    branches = [h.make_graph(nodes, name, [], [value(name, T.FLOAT, None)]) for nodes, name in ((pad, "p"), (same_as, "q"))]
    choose = h.make_node("If", ["flag"], ["y"], then_branch=branches[0], else_branch=branches[1])
    inputs = [value("flag", T.BOOL, []), value("x", T.FLOAT, list("NCHW"))]
    made = session(model([choose], inputs, [value("y", T.FLOAT, None)]))
    x = floats(1, 1, 4, 4)
    same(made.run(None, {"flag": np.array(True), "x": x})[0], wrapped(x, PADS))
    same(made.run(None, {"flag": np.array(False), "x": x})[0], x)


def all_cores_or_one():
    """Large work, on as many threads as the session's options say."""
    x = floats(2, 8, 300, 301)
    for threads in (0, 1, 2):
        for mode in (ort.ExecutionMode.ORT_SEQUENTIAL, ort.ExecutionMode.ORT_PARALLEL):
            given = options()
            given.intra_op_num_threads = threads
            given.execution_mode = mode
            same(session(padded(), given).run(None, {"x": x})[0], wrapped(x, PADS))
            wide = x.reshape(16, -1)
            nodes = [node("non_zero_plugin", ["x"], ["z", "n"])]
            made = model(nodes, [value("x", T.FLOAT, list("HW"))], [value("z", T.INT32, None)])
            same(session(made, given).run(None, {"x": wide})[0], np.argwhere(wide).astype(np.int32))
    with open("/proc/self/task/%d/comm" % os.getpid()) as file:
        assert file.read()
    names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
    assert not any(name.startswith("plugin-runtime") for name in names), names


def log():
    """What a node runs as is told."""
    session(padded(), options(level=0))


globals()[sys.argv[1]]()
print("ended", sys.argv[1])
