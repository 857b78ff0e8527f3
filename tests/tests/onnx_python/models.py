"""Models made and checked by Python's `onnx`.

Usage: models.py make FOLDER     writes models, what they are to be run on, and what that gives by numpy
       models.py check FILE ..   passes each model through onnx.checker
"""

import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
OPSETS = [helper.make_opsetid(domain, version) for domain, version in [("", 21), ("sample", 1), ("local", 1)]]
random = np.random.default_rng(11)


def save(folder, name, graph, given, expected, functions=(), external=False):
    """Writes a model, its nodes from last to first."""
    model = helper.make_model(graph, opset_imports=OPSETS, functions=functions, ir_version=10)
    onnx.checker.check_model(model)
    backwards = list(reversed(model.graph.node))
    del model.graph.node[:]
    model.graph.node.extend(backwards)
    folder = folder / name
    folder.mkdir()
    options = dict(save_as_external_data=True, location="weights.bin", size_threshold=0) if external else {}
    onnx.save_model(model, folder / "model.onnx", **options)
    for kind, arrays in [("given", given), ("expected", expected)]:
        for value, array in arrays.items():
            extents = "x".join(map(str, array.shape))
            array.tofile(folder / f"{kind}.{value}.{extents}.{array.dtype}")


def chain():
    """In-place add, circular padding and non-zero, a dynamic batch; an initializer that is padded."""
    weights = random.standard_normal((3, 4)).astype(np.float32)
    nodes = [
        helper.make_node("inplace_add_plugin", ["x"], ["moved"], "add", domain="sample", delta=-1, plugin_version="1"),
        helper.make_node(
            "circ_pad_plugin", ["moved"], ["padded"], "pad", domain="sample", pads=[1, 2, 3, 4], plugin_namespace="sample"
        ),
        helper.make_node("non_zero_plugin", ["padded"], ["indices", "count"], "find", domain="sample"),
        helper.make_node("Cast", ["indices"], ["wide"], "widen", to=INT64),
        helper.make_node("circ_pad_plugin", ["weights"], ["tiled"], "pad weights", domain="sample", pads=[4, 0]),
        helper.make_node("Identity", ["tiled"], ["same"]),
    ]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", FLOAT, ["batch", 8])],
        [
            helper.make_tensor_value_info("wide", INT64, ["found", 2]),
            helper.make_tensor_value_info("count", INT64, []),
            helper.make_tensor_value_info("same", FLOAT, [3, 8]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    x = random.integers(0, 3, (5, 8)).astype(np.float32)
    padded = np.pad(x - 1, ((3, 4), (1, 2)), "wrap")
    found = np.argwhere(padded).astype(np.int64)
    tiled = np.pad(weights, ((0, 0), (4, 0)), "wrap")
    return graph, {"x": x}, {"wide": found, "count": np.array(len(found), np.int64), "same": tiled}


def call():
    """A function that adds and pads by its attributes, called twice."""
    body = [
        helper.make_node("inplace_add_plugin", ["a"], ["b"], "add", domain="sample"),
        helper.make_node("circ_pad_plugin", ["b"], ["c"], "pad", domain="sample"),
    ]
    delta = onnx.AttributeProto(name="delta", ref_attr_name="delta", type=onnx.AttributeProto.INT)
    pads = onnx.AttributeProto(name="pads", ref_attr_name="pads", type=onnx.AttributeProto.INTS)
    body[0].attribute.append(delta)
    body[1].attribute.append(pads)
    function = helper.make_function(
        "local", "AddAndPad", ["a"], ["c"], body, OPSETS, ["pads"], [helper.make_attribute("delta", 5)]
    )
    nodes = [
        helper.make_node("AddAndPad", ["x"], ["m"], "first", domain="local", pads=[1, 0], delta=2),
        helper.make_node("AddAndPad", ["m"], ["y"], "second", domain="local", pads=[0, 2]),
    ]
    graph = helper.make_graph(
        nodes,
        "call",
        [helper.make_tensor_value_info("x", FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", FLOAT, ["m"])],
    )
    x = random.standard_normal(6).astype(np.float32)
    y = np.pad(np.pad(x + 2, (1, 0), "wrap") + 5, (0, 2), "wrap")
    return graph, {"x": x}, {"y": y.astype(np.float32)}, [function]


def constants():
    """Constants of every type, raw and typed, straight to outputs."""
    types = {
        TensorProto.FLOAT: np.float32,
        TensorProto.FLOAT16: np.float16,
        TensorProto.BFLOAT16: ml_dtypes.bfloat16,
        TensorProto.FLOAT8E4M3FN: ml_dtypes.float8_e4m3fn,
        TensorProto.INT64: np.int64,
        TensorProto.INT32: np.int32,
        TensorProto.INT8: np.int8,
        TensorProto.UINT8: np.uint8,
        TensorProto.INT4: ml_dtypes.int4,
        TensorProto.BOOL: np.bool_,
    }
    nodes, initializers, outputs, expected = [], [], [], {}
    for elem_type, dtype in types.items():
        low = 0 if dtype in (np.uint8, np.bool_) else -5
        array = random.integers(low, 5, (3, 3)).astype(dtype)
        for raw in [False, True]:
            name = f"{TensorProto.DataType.Name(elem_type)}_{'raw' if raw else 'typed'}"
            if raw:
                made = numpy_helper.from_array(array, f"{name}_constant")
            else:
                values = array.astype(np.float32).flatten().tolist()
                values = values if elem_type in (FLOAT, 10, 16, 17) else [int(v) for v in values]
                made = helper.make_tensor(f"{name}_constant", elem_type, array.shape, values)
            initializers.append(made)
            nodes.append(helper.make_node("Cast", [made.name], [name], to=FLOAT))
            outputs.append(helper.make_tensor_value_info(name, FLOAT, array.shape))
            expected[name] = array.astype(np.float32)
    for name, attribute, array in [
        ("int", {"value_int": 7}, np.array(7, np.int64)),
        ("ints", {"value_ints": [7, -8]}, np.array([7, -8], np.int64)),
        ("float", {"value_float": 0.5}, np.array(0.5, np.float32)),
        ("floats", {"value_floats": [0.5, -1]}, np.array([0.5, -1], np.float32)),
    ]:
        nodes.append(helper.make_node("Constant", [], [name], **attribute))
        elem_type = FLOAT if array.dtype == np.float32 else INT64
        outputs.append(helper.make_tensor_value_info(name, elem_type, array.shape))
        expected[name] = array
    return helper.make_graph(nodes, "constants", [], outputs, initializers), {}, expected


if sys.argv[1] == "make":
    folder = Path(sys.argv[2])
    save(folder, "chain", *chain())
    save(folder, "external", *chain(), external=True)
    save(folder, "call", *call())
    save(folder, "constants", *constants())
else:
    for file in sys.argv[2:]:
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
