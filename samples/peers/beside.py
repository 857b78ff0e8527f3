#!/usr/bin/env python3
"""Tables of what `.ci/gpu --only bench,before` measured, as Markdown: beside.py FOLDER

Work on the GPU with its floor, a copy of as many bytes, the code before and the peers; conversions; the CPU; and whole processes.
"""

import json
import pathlib
import sys

PEERS = {"pytorch_us": "PyTorch", "torch_compile_us": "torch.compile", "jax_us": "JAX", "triton_us": "Triton", "cub_us": "CUB"}


def rows(folder, pattern):
    """The rows of all files that fit, by what they are of. A file that isn't there has none."""
    found = (row for path in sorted(folder.glob(pattern)) for row in json.loads(path.read_text()))
    return {(row["work"], row["dtype"], tuple(row["shape"])): row for row in found}


def shown(us):
    """Three digits, or whole microseconds."""
    return "" if us is None else f"{us:,.0f}" if us >= 100 else f"{us:.3g}"


def times(us, floor):
    return "" if us is None or floor < 1 else f"{us / floor:.2f}"


def table(head, lines):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def main(folder):
    peers = rows(folder, "peers.json")
    now, before = rows(folder, "bench.json"), rows(folder, "before-*.json")
    lines = []
    for key, row in now.items():
        work, dtype, shape = key
        old, floor, peer = before.get(key, {}), row["floor_us"], peers.get(key, {})
        lines.append([
            f"{work} {'x'.join(map(str, shape))} {dtype}",
            shown(floor) if floor >= 1 else "",
            shown(old.get("median_us")),
            shown(row["median_us"]),
            times(row["median_us"], floor),
            times(row.get("copy_us"), floor),
            *(shown(peer.get(name)) for name in PEERS),
        ])
    table(["work", "floor", "before", "now", "times the floor", "a copy's", *PEERS.values()], lines)

    now, before = rows(folder, "conversions.json"), rows(folder, "before-conversions.json")
    lines = []
    for key, row in now.items():
        old, floor = before.get(key, {}), row["floor_us"]
        both = [times(old.get(name), floor) for name in ("median_us", "cold_us")]
        both_now = [times(row[name], floor) for name in ("median_us", "cold_us")]
        lines.append([key[0], ", ".join(filter(None, both)), ", ".join(both_now), times(row.get("copy_us"), floor)])
    table(["conversion, times the floor, also with empty caches", "before", "now", "a copy's"], lines)

    now, before = rows(folder, "cpu-now-*.json"), rows(folder, "cpu-before-*.json")
    lines = []
    for key, row in now.items():
        both = [times(side.get("median_us"), side["floor_us"]) for side in (before.get(key, {"floor_us": 0}), row)]
        lines.append([f"{key[0]} {'x'.join(map(str, key[2]))} {key[1]}", *both])
    table(["on the CPU, times the floor", "before", "now"], lines)
    path = folder / "processes.json"
    taken = json.loads(path.read_text()) if path.exists() else []
    lines = [[row["what"], *[""] * (2 - len(row["seconds"])), *(f"{seconds:.3f}" for seconds in row["seconds"])] for row in taken]
    table(["whole processes, s", "before", "now"], lines)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
