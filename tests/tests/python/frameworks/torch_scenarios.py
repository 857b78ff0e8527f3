"""What PyTorch does with plugins: torch_scenarios.py DEVICE TESTS SECOND [SCENARIO..], all of them where none is named."""

import gc
import os
import resource
import subprocess
import sys
import tempfile
import threading

device, path, second_path = sys.argv[1:4]
on_gpu = device != "cpu"

import torch  # noqa: E402

import plugin_runtime  # noqa: E402

plugins = plugin_runtime.load(path)
sample, gpu = plugins.torch().sample, torch.ops.gpu


def tensor(*shape, dtype=torch.float32, seed=0):
    """Multiples of 1/4, a third of them 0."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(-32, 33, shape, generator=generator) / 4 * (torch.rand(shape, generator=generator) > 0.3)
    return values.to(dtype).to(device)


def wrapped(x, pads):
    """Circular padding of the last two dimensions by PyTorch."""
    left, right, top, bottom = pads
    height, width = x.shape[-2:]
    rows = (torch.arange(-top, height + bottom) % height).to(x.device)
    columns = (torch.arange(-left, width + right) % width).to(x.device)
    return x[..., rows, :][..., columns]


def refused(expected, call, kind=RuntimeError):
    try:
        call()
    except kind as error:
        assert expected in str(error), f"{expected!r} isn't in {error}"
    else:
        raise AssertionError(f"{expected!r}: nothing was refused")


def results_equal_those_of_torch():
    for dtype in (torch.float32, torch.float16):
        for shape in ((1, 1, 1, 1), (2, 3, 17, 31), (1, 2, 64, 129)):
            x = tensor(*shape, dtype=dtype)
            for pads in ([1, 1, 1, 1], [0, 3, 2, 0], [5, 0, 0, 5]):
                assert torch.equal(sample.circ_pad_plugin(x, pads), wrapped(x, pads)), (shape, pads)
            if min(shape[2:]) >= 3:
                expected = torch.nn.functional.pad(x, (2, 1, 0, 2), mode="circular")
                assert torch.equal(sample.circ_pad_plugin(x, pads=[2, 1, 0, 2]), expected)
        x = tensor(1, 1, 8, 8, dtype=dtype)
        rolled = torch.roll(x, (3, 2), (2, 3))
        assert torch.equal(sample.circ_pad_plugin(x, [2, 0, 3, 0])[..., :8, :8], rolled)
        for shape in ((0, 5), (5, 0), (1, 1), (3, 257), (517, 63)):
            x = tensor(*shape, dtype=dtype)
            found, count = sample.non_zero_plugin(x)
            expected = torch.nonzero(x).to(torch.int32)
            assert torch.equal(found, expected) and count.item() == len(expected), shape
            assert found.untyped_storage().nbytes() == expected.untyped_storage().nbytes(), "its length is the true one"
            assert count.device == found.device == x.device and count.dtype == torch.int64 and count.dim() == 0
            before = x.clone()
            assert sample.inplace_add_plugin(x, 3) is None and torch.equal(x, before + 3), shape


def schemas():
    text = lambda name: str(getattr(gpu, name).default._schema)
    assert text("scale") == "gpu::scale(Tensor x, float factor) -> Tensor"
    assert text("keep_positive") == "gpu::keep_positive(Tensor x, bool wide) -> (Tensor, Tensor)"
    assert text("add_in_place") == "gpu::add_in_place(Tensor(a0!) x, float delta) -> ()"
    assert text("offsets") == 'gpu::offsets(Tensor x, int[] table, *, str signs="+") -> Tensor'
    assert text("sum") == "gpu::sum(Tensor x, *, int[] tactics=[1]) -> Tensor"
    assert "Updated in place" in sample.inplace_add_plugin.__doc__
    x = tensor(7)
    assert torch.equal(gpu.offsets(x, [1]), gpu.offsets(x, [1], signs="+")) and torch.equal(gpu.offsets(x, [1]), x + 1)
    assert torch.equal(gpu.offsets(x, [0, 255], signs="−"), torch.tensor([0.0, 255.0] * 4, device=device)[:7] - x)
    assert torch.equal(gpu.affine(x, [2.0, -1.0]), gpu.affine(x, factors=[2.0, -1.0], shift=3, negate=False))
    for _ in range(1000):
        gpu.offsets(x, [1], signs="+")


def strides_and_starts():
    for start in range(1, 5):
        x = tensor(40)[start:]
        assert torch.equal(gpu.scale(x, 2.0), x * 2), start
        before = x.clone()
        gpu.add_in_place(x, 1.0)
        assert torch.equal(x, before + 1), start
    x = tensor(1, 2, 9, 12).transpose(2, 3)[:, :, 1:, ::2]
    assert torch.equal(sample.circ_pad_plugin(x, [1, 2, 0, 1]), wrapped(x, [1, 2, 0, 1]))
    x = tensor(1, 3, 4, 5).to(memory_format=torch.channels_last)
    assert torch.equal(sample.circ_pad_plugin(x, [1, 0, 0, 1]), wrapped(x, [1, 0, 0, 1]))
    base = tensor(6, 4)
    before = base.clone()
    sample.inplace_add_plugin(base.t()[1:], 2)
    assert torch.equal(base[:, 0], before[:, 0]) and torch.equal(base[:, 1:], before[:, 1:] + 2)
    x = tensor(1, 4).expand(3, 4)
    assert torch.equal(sample.elemwise_add_plugin(x, 256), x + 1)
    refused("can't run aten::copy_", lambda: sample.inplace_add_plugin(x, 1))


def errors():
    x = tensor(4, 4)
    refused("non_zero needs a matrix, but `inp0` is of rank 1", lambda: sample.non_zero_plugin(tensor(3)))
    refused("input `inp0`: it is of torch.float64", lambda: sample.non_zero_plugin(x.double()))
    refused("element 0 is 4294967296, which isn't in the range of i32", lambda: sample.circ_pad_plugin(x, [1 << 32] * 4))
    refused("sample::circ_pad_plugin v1, inp0: FP32 [4, 4]", lambda: sample.circ_pad_plugin(x, [1]))
    refused("missing value for argument 'pads'", lambda: sample.circ_pad_plugin(x))
    refused("missing value for argument 'delta'", lambda: gpu.add_in_place(x, delt=1.0))
    refused("has no attribute", lambda: sample.circ_pad_plugi, AttributeError)
    nan = torch.tensor([1.0, float("nan")])
    add_columns = torch.ops.test.add_columns
    described = [torch.empty(2, 4, device="meta"), torch.empty(3, device="meta")]
    refused("test::add_columns v1: `x.d1` must equal `bias.d0`, but is 4, not 3", lambda: add_columns(*described), ValueError)
    if not on_gpu:
        compiled = torch.compile(add_columns, fullgraph=True, dynamic=True, backend="eager")
        assert torch.equal(compiled(tensor(5, 6), tensor(6)), tensor(5, 6) + tensor(6))
        refused("must equal", lambda: compiled(tensor(5, 6), tensor(7)), Exception)
    refuse_nan = torch.ops.test.refuse_nan
    for _ in range(20):
        refused("element 1 is NaN", lambda: refuse_nan(nan))
        refused("panicked: element 1 is NaN", lambda: refuse_nan(nan, by_panic=True))
    refused("its size tensor", lambda: torch.ops.test.misbehave(tensor(3).cpu(), tactics=[2]))
    assert torch.equal(refuse_nan(torch.ones(2)), torch.ones(2))
    if on_gpu:
        refused("cuda", lambda: refuse_nan(tensor(3)))
    # Gradients are for torch.library.register_autograd.
    assert "NotImplemented" in gpu.scale(tensor(3).requires_grad_(), 2.0).grad_fn.name()


def _functions():
    def plain(x):
        return sample.circ_pad_plugin(x * 2, [1, 2, 0, 1]) + 1

    def in_place(x):
        y = x + 0
        sample.inplace_add_plugin(y, 3)
        return y * 2

    def data_dependent(x):
        found, count = sample.non_zero_plugin(x)
        return found * 2, count + 1

    return plain, in_place, data_dependent


def _arguments(function):
    shapes = ((1, 2, 4, 5), (1, 2, 7, 3), (1, 2, 1, 9)) if function.__name__ == "plain" else ((4, 5), (7, 3), (2, 9))
    return [tensor(*shape) for shape in shapes]


def opcheck():
    for operator, arguments in (
        (sample.circ_pad_plugin, (tensor(1, 1, 3, 4), [1, 1, 1, 1])),
        (sample.circ_pad_plugin, (tensor(3, 4).t(), [1, 1, 1, 1])),
        (sample.inplace_add_plugin, (tensor(3, 4), 2)),
        (sample.non_zero_plugin, (tensor(4, 4),)),
        (gpu.affine, (tensor(5), [1.0, 2.0])),
        (gpu.keep_positive, (tensor(9), True)),
        (gpu.mirror, (tensor(9),)),
    ):
        told = torch.library.opcheck(operator.default, arguments)
        assert len(told) == 4 and set(told.values()) == {"SUCCESS"}, (operator, told)


def compiled():
    torch._dynamo.config.capture_dynamic_output_shape_ops = True
    backends = ["aot_eager"]
    if on_gpu or subprocess.call(["sh", "-c", "command -v c++ g++ clang++ >/dev/null"]) == 0:
        backends.append("inductor")
    else:
        print("SKIPPED compiled with inductor: there is no C++ compiler")
    for backend in backends:
        for function in _functions():
            for dynamic in (None, True):
                torch._dynamo.reset()
                fast = torch.compile(function, fullgraph=True, dynamic=dynamic, backend=backend)
                for x in _arguments(function):
                    expected, found = function(x), fast(x)
                    both = zip(expected, found) if isinstance(expected, tuple) else [(expected, found)]
                    assert all(torch.equal(a, b) for a, b in both), (backend, function.__name__, x.shape)


def exported():
    class Module(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, x):
            return self.function(x)

    for function in _functions():
        first, *others = _arguments(function)
        rank = first.dim()
        dims = {rank - 2: torch.export.Dim("height", min=1, max=64), rank - 1: torch.export.Dim("width", min=1, max=64)}
        program = torch.export.export(Module(function), (first,), dynamic_shapes=({**dims},))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.pt2")
            torch.export.save(program, path)
            module = torch.export.load(path).module()
        for x in others:
            expected, found = function(x), module(x)
            both = zip(expected, found) if isinstance(expected, tuple) else [(expected, found)]
            assert all(torch.equal(a, b) for a, b in both), (function.__name__, x.shape)


def meta_tensors():
    x = torch.empty(1, 2, 3, 4, device="meta")
    found = sample.circ_pad_plugin(x, [1, 1, 0, 2])
    assert found.shape == (1, 2, 5, 6) and found.device.type == "meta"
    refused("pairs", lambda: sample.circ_pad_plugin(x, [1]), ValueError)


def mapped():
    x = tensor(3, 1, 1, 4, 5)
    found = torch.vmap(lambda x: sample.circ_pad_plugin(x, [1, 1, 1, 1]))(x)
    assert torch.equal(found, torch.stack([sample.circ_pad_plugin(x, [1, 1, 1, 1]) for x in x]))


def threads():
    wrong = []

    def work(seed):
        stream = torch.cuda.Stream() if on_gpu else None
        with torch.cuda.stream(stream) if on_gpu else open(os.devnull):
            for turn in range(50):
                x = tensor(17 + seed, 3 + turn % 5, seed=seed)
                found, _ = sample.non_zero_plugin(x)
                if not torch.equal(found, torch.nonzero(x).to(torch.int32)):
                    wrong.append((seed, turn))

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert not wrong, wrong


def many_runs():
    def peak():
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    x, matrix = tensor(1, 1, 64, 64), tensor(64, 64)
    text = tensor(16)

    def runs(count):
        for _ in range(count):
            sample.circ_pad_plugin(x, [1, 2, 3, 4])
            sample.non_zero_plugin(matrix.t())
            gpu.offsets(text, [1, 2, 3], signs="+−")
            try:
                sample.non_zero_plugin(x)
            except RuntimeError:
                pass

    runs(2000)
    before = peak()
    runs(20000)
    assert peak() - before < 8 << 10, f"memory grew by {peak() - before} KiB"
    # So many attributes that the oldest calls are dropped.
    for factor in range(1000):
        assert torch.equal(gpu.scale(text, float(factor)), text * factor)


def loaded_again():
    torch.ops.load_library(path)
    plugin_runtime.load(path).torch()
    assert torch.equal(sample.elemwise_add_plugin(tensor(3), 256), tensor(3) + 1)


def two_libraries():
    second = plugin_runtime.load(second_path).torch().second
    x = tensor(5).cpu()
    assert torch.equal(second.negate(x), -x) and torch.equal(sample.elemwise_add_plugin(x, 256), x + 1)


def a_library_that_has_the_same_plugins():
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "libcopy.so")
        with open(second_path, "rb") as file, open(copy, "wb") as to:
            to.write(file.read())
        plugin_runtime.load(second_path).torch()
        refused("`second::negate`: is another library's", lambda: plugin_runtime.load(copy).torch())
    x = tensor(5).cpu()
    assert torch.equal(torch.ops.second.negate(x), -x)


def loaded_before_torch():
    script = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
import plugin_runtime
plugins = plugin_runtime.load(sys.argv[1])
import torch
assert not hasattr(torch.ops.sample, "circ_pad_plugin")
plugins.torch()
x = torch.ones(3)
assert torch.equal(torch.ops.sample.elemwise_add_plugin(x, 256), x + 1)
"""
    subprocess.run([sys.executable, "-c", script, path], check=True)
    without = "import ctypes, sys; r = ctypes.CDLL(sys.argv[1]).plugin_runtime_register_torch; r.restype = ctypes.c_char_p; print(r().decode())"
    told = subprocess.run([sys.executable, "-c", without, path], check=True, capture_output=True, text=True)
    assert "import torch first" in told.stdout, told


def tactics():
    with tempfile.TemporaryDirectory() as folder:
        lockfile = os.path.join(folder, "tuning.lock")
        x = tensor(2, 3, 16, 16)
        expected = wrapped(x, [1, 1, 1, 1])
        plugin_runtime.load(path, lockfile=lockfile, tune=True).torch()
        assert torch.equal(sample.circ_pad_plugin(x, [1, 1, 1, 1]), expected)
        with open(lockfile) as file:
            tuned = file.read()
        assert "sample::circ_pad_plugin" in tuned, tuned
        sample.circ_pad_plugin(tensor(2, 3, 8, 8), [1, 1, 1, 1])
        with open(lockfile) as file:
            assert len(file.read()) > len(tuned)
        plugin_runtime.load(path, lockfile=lockfile, tune=False).torch()
        assert torch.equal(sample.circ_pad_plugin(x, [1, 1, 1, 1]), expected)
        with open(lockfile, "w") as file:
            file.write("nonsense\n")
        refused("nonsense", lambda: sample.circ_pad_plugin(tensor(2, 3, 9, 9), [1, 1, 1, 1]))
        plugin_runtime.load(path, lockfile="", tune=False).torch()
        assert torch.equal(sample.circ_pad_plugin(x, [1, 1, 1, 1]), expected)


def captured():
    if not on_gpu:
        return print("SKIPPED captured: it is for a GPU")
    x, y = tensor(2, 3, 64, 64), tensor(64, 64)

    def work():
        sample.inplace_add_plugin(y, 1)
        return sample.circ_pad_plugin(x * 2, [1, 1, 1, 1]) + 1

    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = work()
    for seed in range(3):
        x.copy_(tensor(2, 3, 64, 64, seed=seed))
        before = y.clone()
        graph.replay()
        assert torch.equal(found, wrapped(x * 2, [1, 1, 1, 1]) + 1) and torch.equal(y, before + 1)
    graph = torch.cuda.CUDAGraph()

    def waiting():
        with torch.cuda.graph(graph):
            sample.non_zero_plugin(y)

    sample.non_zero_plugin(y)
    refused("captured", waiting)
    reduced = torch.compile(lambda x: sample.circ_pad_plugin(x * 2, [1, 1, 1, 1]) + 1, mode="reduce-overhead")
    for seed in range(5):
        x = tensor(2, 3, 64, 64, seed=seed)
        assert torch.equal(reduced(x), wrapped(x * 2, [1, 1, 1, 1]) + 1)


def other_devices():
    if not on_gpu:
        return print("SKIPPED other_devices: it is for a GPU")
    if torch.cuda.device_count() < 2:
        return print("SKIPPED other_devices: there is one GPU")
    x = tensor(8, 8).to("cuda:1")
    found, _ = sample.non_zero_plugin(x)
    assert found.device == x.device and torch.equal(found, torch.nonzero(x).to(torch.int32))
    assert torch.cuda.current_device() == 0


scenarios = {name: value for name, value in list(globals().items()) if callable(value) and value.__module__ == "__main__"}
for helper in ("tensor", "wrapped", "refused", "_functions", "_arguments"):
    del scenarios[helper]
for name in sys.argv[4:] or scenarios:
    scenarios[name]()
    print(f"ended {name}", flush=True)
