"""Runs the models in the folders of a folder: suite.py LIBRARY FOLDER [PROVIDER].

Each holds model.onnx and its inputs, `given.RUN.NAME.EXTENTS`; `found.RUN.INDEX.EXTENTS` are what it gives, and `error`
says why there are none.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

library, folder = sys.argv[1:3]
providers = sys.argv[3:] or ["CPUExecutionProvider"]
if providers != ["CPUExecutionProvider"]:
    # Brings CUDA's libraries, which the provider needs.
    import torch
version = tuple(int(part) for part in ort.__version__.split(".")[:2])
types = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


def model_of(path):
    model = onnx.load(path)
    if version < (1, 18):
        # The newest that it knows; nothing in these models is newer.
        model.ir_version = 9
        for imported in model.opset_import:
            if imported.domain == "":
                imported.version = 20
    # numpy has no BF16: such outputs are widened here, and narrowed again when they are written.
    narrow = set()
    for output in model.graph.output:
        if output.type.tensor_type.elem_type == TensorProto.BFLOAT16:
            wide = output.name + "_wide"
            model.graph.node.append(helper.make_node("Cast", [output.name], [wide], to=TensorProto.FLOAT))
            output.name, output.type.tensor_type.elem_type = wide, TensorProto.FLOAT
            narrow.add(wide)
    return model.SerializeToString(), narrow


def run(case):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.register_custom_ops_library(library)
    model, narrow = model_of(os.path.join(case, "model.onnx"))
    session = ort.InferenceSession(model, options, providers=providers)
    names = [output.name for output in session.get_outputs()]
    expected = {tensor.name: types[tensor.type] for tensor in session.get_inputs()}
    runs = {}
    for name in os.listdir(case):
        if name.startswith("given."):
            _, number, tensor, extents = name.split(".")
            data = np.fromfile(os.path.join(case, name), expected[tensor])
            shape = [int(extent) for extent in extents.split("x") if extent]
            runs.setdefault(int(number), {})[tensor] = data.reshape(shape)
    # A case without inputs has one run.
    for number, given in sorted((runs or {0: {}}).items()):
        before = {name: tensor.copy() for name, tensor in given.items()}
        for index, found in enumerate(session.run(None, given)):
            extents = "x".join(str(extent) for extent in found.shape)
            if names[index] in narrow:
                found = (found.view(np.uint32) >> 16).astype(np.uint16)
            found.tofile(os.path.join(case, f"found.{number}.{index}.{extents}"))
        for name, tensor in given.items():
            assert tensor.tobytes() == before[name].tobytes(), f"input {name} was changed"


for name in sorted(os.listdir(folder)):
    case = os.path.join(folder, name)
    try:
        run(case)
    except Exception as error:
        with open(os.path.join(case, "error"), "w") as file:
            file.write(f"{type(error).__name__}: {error}")
