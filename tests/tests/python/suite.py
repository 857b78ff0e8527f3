"""Runs the graphs in the folders of a folder by calls of their plugins: suite.py LIBRARY FOLDER [ARRAYS].

ARRAYS is numpy, cupy, torch (in host memory) or torch_cuda. Each folder holds graph.json, its constants, and its inputs,
`given.RUN.NAME.EXTENTS`; `found.RUN.INDEX.EXTENTS` are what it gives, and `error` says why there are none.
"""

import json
import os
import sys
import traceback

import numpy as np

import plugin_runtime

# Of element types, by ONNX's codes.
BF16 = 16
NUMPY = {1: np.float32, 10: np.float16, BF16: np.uint16, 6: np.int32, 7: np.int64, 2: np.uint8, 3: np.int8, 9: np.bool_}
# What isn't an attribute of the plugin.
RESERVED = ("plugin_namespace", "plugin_version", "aot", "aot_preferred")


class Numpy:
    """Arrays of NumPy. What is BF16 is of ml_dtypes."""

    def given(self, array, code):
        return array.view(self.bf16()) if code == BF16 else array

    def bf16(self):
        import ml_dtypes

        return ml_dtypes.bfloat16

    def cast(self, array, code):
        return array.astype(self.bf16() if code == BF16 else NUMPY[code])

    def copy(self, array):
        return array.copy()

    def to_numpy(self, array):
        assert isinstance(array, np.ndarray), type(array)
        return array


class Cupy(Numpy):
    """Arrays of CuPy; they have no BF16."""

    def __init__(self):
        import cupy

        self.cupy = cupy

    def given(self, array, code):
        return self.cupy.asarray(array)

    def to_numpy(self, array):
        assert isinstance(array, self.cupy.ndarray), type(array)
        return self.cupy.asnumpy(array)


class Torch:
    """Tensors of PyTorch."""

    def __init__(self, device):
        import torch

        self.torch, self.device = torch, device
        names = ("float32", "float16", "bfloat16", "int32", "int64", "uint8", "int8", "bool")
        self.types = dict(zip(NUMPY, (getattr(torch, name) for name in names)))

    def given(self, array, code):
        tensor = self.torch.from_numpy(array.view(np.int16) if code == BF16 else array)
        tensor = tensor.to(self.device)
        return tensor.view(self.torch.bfloat16) if code == BF16 else tensor

    def cast(self, tensor, code):
        return tensor.to(self.types[code])

    def copy(self, tensor):
        return tensor.clone()

    def to_numpy(self, tensor):
        assert isinstance(tensor, self.torch.Tensor) and tensor.device.type == self.device, tensor
        tensor = tensor.cpu()
        return (tensor.view(self.torch.int16) if tensor.dtype == self.torch.bfloat16 else tensor).numpy()


ARRAYS = {
    "numpy": Numpy,
    "cupy": Cupy,
    "torch": lambda: Torch("cpu"),
    "torch_cuda": lambda: Torch("cuda"),
}


def attribute(value, kind):
    if isinstance(value, dict):
        value = bytes.fromhex(value["bytes"])
        return value.decode() if kind == "str" else value
    return value


def call(plugins, module, node, values):
    """One plugin. What it updates in place is a copy, and has to be what it returns."""
    version = int(bytes.fromhex(node["attributes"]["plugin_version"]["bytes"]).decode())
    plugin = next(
        p for p in plugins if (p.namespace, p.name, p.version) == (node["domain"], node["op"], version)
    )
    kinds = {a.name: a.kind for a in plugin.attributes}
    given = {
        name: attribute(value, kinds[name]) for name, value in node["attributes"].items() if name not in RESERVED
    }
    inputs = [values[name] for name in node["inputs"]]
    for alias in plugin.aliases:
        if alias is not None:
            inputs[alias] = module.copy(inputs[alias])
    found = plugins[plugin.id, plugin.version](*inputs, **given)
    found = (found,) if plugin.outputs == 1 else found
    assert len(found) == plugin.outputs == len(node["outputs"])
    for output, alias in zip(found, plugin.aliases):
        assert alias is None or output is inputs[alias], "another array than the one that was updated in place"
    values.update(zip(node["outputs"], found))


def run(plugins, module, graph, values):
    for node in graph["nodes"]:
        if node["op"] == "Cast":
            values[node["outputs"][0]] = module.cast(values[node["inputs"][0]], node["attributes"]["to"])
        elif node["op"] == "Identity":
            values[node["outputs"][0]] = values[node["inputs"][0]]
        else:
            call(plugins, module, node, values)
    return [values[name] for name, _ in graph["outputs"]]


def read(path, code, extents):
    return np.fromfile(path, NUMPY[code]).reshape(extents)


def run_all(plugins, module, case):
    with open(os.path.join(case, "graph.json")) as file:
        graph = json.load(file)
    codes = dict(graph["inputs"])
    runs = {}
    for name in os.listdir(case):
        if name.startswith("given."):
            _, number, tensor, extents = name.split(".")
            shape = [int(extent) for extent in extents.split("x") if extent]
            runs.setdefault(int(number), {})[tensor] = read(os.path.join(case, name), codes[tensor], shape)
    # A case without inputs has one run.
    for number, given in sorted((runs or {0: {}}).items()):
        values = {name: module.given(array, codes[name]) for name, array in given.items()}
        for index, (name, code, extents) in enumerate(graph["constants"]):
            constant = read(os.path.join(case, f"constant.{index}"), code, extents)
            values[name] = module.given(constant, code)
        lent = {name: values[name] for name in given}
        for index, found in enumerate(run(plugins, module, graph, values)):
            found = np.ascontiguousarray(module.to_numpy(found))
            extents = "x".join(str(extent) for extent in module.to_numpy(values[graph["outputs"][index][0]]).shape)
            found.tofile(os.path.join(case, f"found.{number}.{index}.{extents}"))
        for name, array in lent.items():
            assert module.to_numpy(array).tobytes() == given[name].tobytes(), f"input {name} was changed"


if __name__ == "__main__":
    library, folder = sys.argv[1:3]
    module = ARRAYS[sys.argv[3] if len(sys.argv) > 3 else "numpy"]()
    plugins = plugin_runtime.load(library)
    for name in sorted(os.listdir(folder)):
        try:
            run_all(plugins, module, os.path.join(folder, name))
        except Exception:
            with open(os.path.join(folder, name, "error"), "w") as file:
                file.write(traceback.format_exc())
