"""Compares the command `samples` with numpy, file in, file out. Usage: agrees.py SAMPLES FOLDER"""

import subprocess
import sys
from pathlib import Path

import numpy as np

samples, folder = sys.argv[1], Path(sys.argv[2])
random = np.random.default_rng(7)
TYPES = (np.float32, np.float16)
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-7, 1.0]


def array(shape, dtype):
    x = random.standard_normal(shape).astype(dtype)
    x[random.random(shape) < 0.5] = 0
    mixed = random.random(shape) < 0.1
    x[mixed] = random.choice(np.array(SPECIAL, dtype), shape)[mixed]
    return x


def through(command, x, *options):
    given, taken = folder / "x.npy", folder / "y.npy"
    np.save(given, x)
    taken.unlink(missing_ok=True)
    run = [samples, *command, "--input", given, "--output", taken, *options]
    ended = subprocess.run(run, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{run} ended with {ended.returncode}: {ended.stderr}")
    return np.load(taken, allow_pickle=False)


def same(got, expected, what):
    if got.dtype != expected.dtype or got.shape != expected.shape or got.tobytes() != expected.tobytes():
        sys.exit(f"{what}: expected {expected.dtype} {expected.shape}, got {got.dtype} {got.shape}\n{expected}\n{got}")


for dtype in TYPES:
    for shape in [(128, 128), (1, 1), (1, 1000), (1000, 1), (0, 5), (5, 0), (0, 0), (3, 5), (17, 257), (513, 511)]:
        x = array(shape, dtype)
        same(through(["non_zero"], x), np.argwhere(x).astype(np.int32), f"non_zero {dtype.__name__} {shape}")

    # The pads are (before, after) from the last dimension backwards; numpy takes them from the first one on.
    for shape, pads in [
        ((10, 3, 32, 32), [1, 1, 1, 1]),
        ((2, 3, 5, 7), [1, 2, 3, 4]),
        ((5, 7), [1, 2, 3, 4]),
        ((5,), [0, 3]),
        ((3, 2), [7, 5, 4, 9]),
        ((1, 1, 1), [2, 3, 0, 1, 1, 0]),
        ((2, 1, 2, 1, 2, 1, 2, 3), [1, 2]),
        ((0, 4), [1, 2]),
        ((33, 129), [0, 0, 0, 0]),
    ]:
        x = array(shape, dtype)
        pairs = list(zip(pads[0::2], pads[1::2]))[::-1]
        expected = np.pad(x, [(0, 0)] * (len(shape) - len(pairs)) + pairs, "wrap")
        for tactics in ([], ["--multi_tactic"]):
            got = through(["circ_pad", "--mode", "inetdef", "--pads", ",".join(map(str, pads)), *tactics], x)
            same(got, expected, f"circ_pad {dtype.__name__} {shape} {pads} {tactics}")

    x = random.standard_normal((10, 3, 32, 32)).astype(dtype)
    same(through(["add"], x), x + dtype(1), f"add {dtype.__name__}")
    same(through(["inplace_add"], x), x + dtype(2) + dtype(4), f"inplace_add {dtype.__name__}")

np.save(folder / "x.npy", np.ones((1, 2), np.float32))
whole = (folder / "x.npy").read_bytes()
for version in [(0, 0), (1, 0), (1, 1), (2, 1), (3, 1), (4, 0), (255, 255)]:
    odd = folder / "odd.npy"
    odd.write_bytes(whole[:6] + bytes(version) + whole[8:])
    try:
        taken = np.load(odd, allow_pickle=False) is not None
    except ValueError:
        taken = False
    run = [samples, "non_zero", "--input", odd]
    if (subprocess.run(run, capture_output=True).returncode == 0) != taken:
        sys.exit(f"numpy {'takes' if taken else 'refuses'} version {version}, and {run} doesn't")
