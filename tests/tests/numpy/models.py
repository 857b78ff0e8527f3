"""Models made with Python's onnx, run by the command `samples`, beside numpy. Usage: models.py SAMPLES FOLDER"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

samples, folder = sys.argv[1], Path(sys.argv[2])
random = np.random.default_rng(11)


def run(*command):
    ended = subprocess.run([samples, *map(str, command)], capture_output=True, text=True)
    if ended.returncode != 0 or ended.stderr:
        sys.exit(f"{command} ended with {ended.returncode}: {ended.stderr}")
    return ended.stdout


def same(name, expected, what):
    got = np.load(folder / "out" / name, allow_pickle=False)
    if got.dtype != expected.dtype or got.shape != expected.shape or got.tobytes() != expected.tobytes():
        sys.exit(f"{what}: expected {expected.dtype} {expected.shape}, got {got.dtype} {got.shape}\n{expected}\n{got}")


def matrix(rows):
    return np.round(random.standard_normal((rows, 3))).astype(np.float32)


OFFSET = np.array([[1.5, 0.0]], np.float32)
# circ_pad pads from the last dimension backwards; x grows by a row on each side and a column in front.
NODES = [
    helper.make_node("circ_pad_plugin", ["X"], ["padded"], domain="sample", pads=[1, 0, 1, 1]),
    helper.make_node("inplace_add_plugin", ["padded"], ["moved"], domain="sample", delta=-1),
    helper.make_node("non_zero_plugin", ["moved"], ["at", "count"], plugin_namespace="sample"),
    helper.make_node("circ_pad_plugin", ["offset"], ["table/0"], domain="sample", pads=[2, 0]),
]
FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
OUTPUTS = [("at", INT32, ["n", 2]), ("count", INT64, []), ("moved", FLOAT, ["m", 4]), ("table/0", FLOAT, [1, 4])]
graph = helper.make_graph(
    NODES,
    "several_plugins",
    [helper.make_tensor_value_info("X", FLOAT, ["batch", 3])],
    [helper.make_tensor_value_info(*output) for output in OUTPUTS],
    [onnx.numpy_helper.from_array(OFFSET, "offset")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("sample", 1)])
onnx.save(model, folder / "model.onnx")


def check(x, *command):
    np.save(folder / "x.npy", x)
    run("run", *command, "--input", f"X={folder / 'x.npy'}", "--output", folder / "out")
    moved = np.pad(x, [(1, 1), (1, 0)], "wrap") - np.float32(1)
    at = np.argwhere(moved)
    same("moved.npy", moved, command)
    same("at.npy", at.astype(np.int32), command)
    same("count.npy", np.array(len(at), np.int64), command)
    same("table%2F0.npy", np.pad(OFFSET, [(0, 0), (2, 0)], "wrap"), command)


engine = folder / "model.engine"
check(matrix(4), folder / "model.onnx")
check(matrix(2), folder / "model.onnx", "--profile", "X=1x3:4x3:16x3", "--save", engine)
for rows in (1, 4, 16):
    check(matrix(rows), engine)

described = json.loads(run("inspect", folder / "model.onnx", "--json"))
layers = [layer["plugin"].split("::")[1] for layer in described["layers"]]
expected = ["circ_pad_plugin v1", "inplace_add_plugin v1", "non_zero_plugin v1", "circ_pad_plugin v1"]
if sorted(layers) != sorted(expected) or described["inputs"][0]["shape"] != ["batch", 3]:
    sys.exit(f"inspect describes another model: {described}")
described = json.loads(run("inspect", engine, "--json"))
if described["plans"][0]["profile"]["X"] != {"min": [1, 3], "opt": [4, 3], "max": [16, 3]}:
    sys.exit(f"inspect describes another engine: {described}")

run("circ_pad", "--mode", "onnx", "--artifacts_dir", folder)
onnx.checker.check_model(folder / "circ_pad.onnx")
