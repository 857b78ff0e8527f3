"""Plugins on ONNX Runtime's CUDA provider: on_gpu.py LIBRARY [PART..].

LIBRARY is `cargo build --release -p samples`'s. Needs onnxruntime-gpu, onnx, numpy, and a torch for the same CUDA, whose
libraries the provider uses. Also under compute-sanitizer, part by part. The suite runs on this provider by

    ONNXRUNTIME_PROVIDER=CUDAExecutionProvider cargo test -p tests --test onnxruntime suite

and, where there is no cargo, by that test's program, with PLUGIN_LIBRARIES the folder that holds libtests.so, and
ONNXRUNTIME_SCRIPTS that of tests/tests/onnxruntime.
"""

import sys
import threading

import numpy as np
import torch
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

LIBRARY = sys.argv[1]
PADS = [1, 2, 2, 1, 0, 0, 0, 0]
TYPES = {np.float32: T.FLOAT, np.float16: T.FLOAT16}


def value(name, dtype, shape):
    return h.make_tensor_value_info(name, dtype, shape)


def node(op, inputs, outputs, domain="sample", **attributes):
    return h.make_node(op, inputs, outputs, domain=domain, **attributes)


def model(nodes, inputs, outputs, constants=()):
    constants = [numpy_helper.from_array(array, name) for name, array in constants]
    graph = h.make_graph(nodes, "graph", inputs, outputs, constants)
    imports = [h.make_opsetid("", 17), h.make_opsetid("sample", 1)]
    return h.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()


def session(made, cuda=True, **provider_options):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.register_custom_ops_library(LIBRARY)
    if not cuda:
        return ort.InferenceSession(made, options, providers=["CPUExecutionProvider"])
    # Nothing may fall back to the CPU.
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return ort.InferenceSession(made, options, providers=[("CUDAExecutionProvider", provider_options)])


def floats(*shape, dtype=np.float32, seed=0):
    return (np.random.default_rng(seed).integers(-32, 33, shape) / 4).astype(dtype)


def wrapped(x, pads=PADS):
    return np.pad(x, [tuple(pads[2 * (x.ndim - 1 - axis):][:2]) for axis in range(x.ndim)], "wrap")


def same(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape, (found.dtype, found.shape, expected.shape)
    assert np.array_equal(found, expected), (found, expected)


def refused(make):
    try:
        make()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("nothing was refused")


def padding(dtype=np.float32, shape=("N", "C", "H", "W")):
    nodes = [node("circ_pad_plugin", ["x"], ["y"], pads=PADS)]
    return model(nodes, [value("x", TYPES[dtype], shape)], [value("y", TYPES[dtype], None)])


def chain(dtype=np.float32):
    """Standard operators around plugins, one of which finds an extent."""
    nodes = [
        node("Conv", ["x", "weights"], ["c"], domain=""),
        node("circ_pad_plugin", ["c"], ["p"], pads=PADS),
        node("inplace_add_plugin", ["p"], ["a"], delta=1),
        node("Reshape", ["a", "rows"], ["r"], domain=""),
        node("Relu", ["r"], ["positive"], domain=""),
        node("non_zero_plugin", ["positive"], ["z", "count"]),
        node("elemwise_add_plugin", ["r"], ["y"], block_size=256),
    ]
    weights = (floats(4, 3, 3, 3, seed=1) / 16).astype(dtype)
    constants = [("weights", weights), ("rows", np.array([4, -1], np.int64))]
    outputs = [value("r", TYPES[dtype], None), value("y", TYPES[dtype], None), value("z", T.INT32, None), value("count", T.INT64, [])]
    return model(nodes, [value("x", TYPES[dtype], [1, 3, "H", "W"])], outputs, constants)


def plugins():
    for dtype in (np.float32, np.float16):
        made = session(padding(dtype))
        for shape in ((1, 1, 3, 3), (2, 3, 17, 31), (1, 2, 64, 129), (2, 3, 17, 31)):
            x = floats(*shape, dtype=dtype)
            same(made.run(None, {"x": x})[0], wrapped(x))
        found = session(model([node("non_zero_plugin", ["x"], ["z", "n"])], [value("x", TYPES[dtype], ["H", "W"])], [value("z", T.INT32, None), value("n", T.INT64, [])]))
        for shape in ((61, 67), (1, 1), (0, 5), (512, 1024), (61, 67)):
            x = floats(*shape, dtype=dtype, seed=3)
            z, n = found.run(None, {"x": x})
            same(z, np.argwhere(x).astype(np.int32).reshape(-1, 2))
            same(n, np.array(np.count_nonzero(x), np.int64))


def standard_operators_around():
    for dtype in (np.float32, np.float16):
        made = session(chain(dtype))
        for extents in ((8, 9), (33, 17), (8, 9), (256, 255)):
            x = (floats(1, 3, *extents, seed=2) / 8).astype(dtype)
            r, y, z, count = made.run(None, {"x": x})
            same(y, (r.astype(np.float32) + 1).astype(dtype))
            same(z, np.argwhere(r > 0).astype(np.int32))
            same(count, np.array(len(z), np.int64))
            expected = session(chain(np.float32), cuda=False).run(["r"], {"x": x.astype(np.float32)})[0]
            np.testing.assert_allclose(r, expected, rtol=2e-2, atol=2e-2)


def io_binding():
    made = session(padding())
    x = torch.randn(2, 3, 32, 33, device="cuda")
    y = torch.full((2, 3, 35, 36), -7.0, device="cuda")
    binding = made.io_binding()
    binding.bind_input("x", "cuda", 0, np.float32, tuple(x.shape), x.data_ptr())
    binding.bind_output("y", "cuda", 0, np.float32, tuple(y.shape), y.data_ptr())
    for _ in range(3):
        x.normal_()
        torch.cuda.synchronize()
        made.run_with_iobinding(binding)
        binding.synchronize_outputs()
        same(y.cpu().numpy(), wrapped(x.cpu().numpy()))
    # The runtime's own output, where its extent isn't known before.
    found = session(model([node("non_zero_plugin", ["x"], ["z", "n"])], [value("x", T.FLOAT, ["H", "W"])], [value("z", T.INT32, None)]))
    binding = found.io_binding()
    matrix = torch.relu(torch.randn(61, 67, device="cuda"))
    torch.cuda.synchronize()
    binding.bind_input("x", "cuda", 0, np.float32, tuple(matrix.shape), matrix.data_ptr())
    binding.bind_output("z", "cuda")
    found.run_with_iobinding(binding)
    same(binding.copy_outputs_to_cpu()[0], np.argwhere(matrix.cpu().numpy()).astype(np.int32))
    # What isn't aligned is refused, and says so.
    binding = made.io_binding()
    odd = torch.randn(2 * 3 * 32 * 33 + 1, device="cuda")
    binding.bind_input("x", "cuda", 0, np.float32, tuple(x.shape), odd.data_ptr() + 4)
    binding.bind_output("y", "cuda")
    message = refused(lambda: made.run_with_iobinding(binding))
    assert "isn't a multiple of 16" in message, message


def captured():
    shape = (2, 3, 32, 33)
    made = session(padding(shape=shape), enable_cuda_graph="1")
    x = ort.OrtValue.ortvalue_from_numpy(floats(*shape), "cuda", 0)
    y = ort.OrtValue.ortvalue_from_shape_and_type((2, 3, 35, 36), np.float32, "cuda", 0)
    binding = made.io_binding()
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output("y", y)
    for seed in range(5):
        given = floats(*shape, seed=seed)
        x.update_inplace(given)
        made.run_with_iobinding(binding)
        same(y.numpy(), wrapped(given))
    found = model([node("non_zero_plugin", ["x"], ["z", "n"])], [value("x", T.FLOAT, [8, 8])], [value("z", T.INT32, None)])
    found = session(found, enable_cuda_graph="1")
    binding = found.io_binding()
    matrix = ort.OrtValue.ortvalue_from_numpy(floats(8, 8), "cuda", 0)
    binding.bind_ortvalue_input("x", matrix)
    binding.bind_output("z", "cuda")

    def run():
        for _ in range(3):
            found.run_with_iobinding(binding)

    print("non_zero in a session that captures:", refused(run)[:300])


def streams():
    """The session's stream is one of PyTorch's."""
    stream = torch.cuda.Stream()
    made = session(padding(), user_compute_stream=str(stream.cuda_stream))
    x = floats(1, 2, 64, 65)
    for _ in range(3):
        same(made.run(None, {"x": x})[0], wrapped(x))


def threads():
    # Without a Conv, which fails now and then where threads share a session, also in models without plugins.
    nodes = [
        node("circ_pad_plugin", ["x"], ["p"], pads=PADS),
        node("Reshape", ["p", "rows"], ["r"], domain=""),
        node("Relu", ["r"], ["positive"], domain=""),
        node("non_zero_plugin", ["positive"], ["z", "count"]),
        node("elemwise_add_plugin", ["r"], ["y"], block_size=256),
    ]
    outputs = [value("r", T.FLOAT, None), value("y", T.FLOAT, None), value("z", T.INT32, None), value("count", T.INT64, [])]
    rows = np.array([3, -1], np.int64)
    made = session(model(nodes, [value("x", T.FLOAT, [1, 3, "H", "W"])], outputs, [("rows", rows)]))
    wrong = []

    def work(seed):
        try:
            for repeat in range(30):
                x = floats(1, 3, 8 + (seed * repeat) % 9, 9 + repeat % 5, seed=seed) / np.float32(8)
                r, y, z, count = made.run(None, {"x": x})
                same(y, r + 1)
                same(z, np.argwhere(r > 0).astype(np.int32))
        except BaseException as error:
            wrong.append(error)

    all_threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
    [thread.start() for thread in all_threads]
    [thread.join() for thread in all_threads]
    assert not wrong, wrong[0]


def memory_stays_flat():
    made = session(chain())
    given = [{"x": floats(1, 3, extent, 16) / np.float32(8)} for extent in (8, 8, 32, 64)]

    def runs(count):
        for repeat in range(count):
            made.run(None, given[repeat % 4])

    runs(200)
    free, _ = torch.cuda.mem_get_info()
    runs(2000)
    taken = free - torch.cuda.mem_get_info()[0]
    assert taken < 8 << 20, f"2000 runs took {taken} bytes of the GPU"


PARTS = [plugins, standard_operators_around, io_binding, captured, streams, threads, memory_stays_flat]
wanted = sys.argv[2:] or [part.__name__ for part in PARTS]
print(f"ONNX Runtime {ort.__version__} on {torch.cuda.get_device_name()}")
failed = False
for part in PARTS:
    if part.__name__ not in wanted:
        continue
    try:
        part()
        print("PASS ", part.__name__)
    except Exception as error:
        failed = True
        print("FAIL ", part.__name__, type(error).__name__, error)
sys.exit(failed)
