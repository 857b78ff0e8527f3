#!/usr/bin/env python3
"""What the hardware counts while kernels of the samples run: which of its parts a time waits for.

Usage: counters.py path/to/samples [TEXT]      only work whose name contains the text

Needs a GPU whose counters may be read, Nsight Compute (ncu) and numpy. Tactics are found before, without ncu, which empties
the caches before each kernel. Percentages are of what the part can do at most, over the kernel's whole time; stalls are
warps that wait for a reason, on average, for each instruction that is issued.
"""

import csv
import io
import os
import subprocess
import sys
import tempfile

import numpy as np

METRICS = {
    "us": "gpu__time_duration.sum",
    "MB read": "dram__bytes_read.sum",
    "MB written": "dram__bytes_write.sum",
    "memory %": "dram__throughput.avg.pct_of_peak_sustained_elapsed",
    "L2 %": "lts__throughput.avg.pct_of_peak_sustained_elapsed",
    "L1 %": "l1tex__throughput.avg.pct_of_peak_sustained_elapsed",
    "issue %": "smsp__issue_active.avg.pct_of_peak_sustained_elapsed",
    "warps %": "sm__warps_active.avg.pct_of_peak_sustained_elapsed",
    "M instr.": "smsp__inst_executed.sum",
    "sectors a read": "l1tex__average_t_sectors_per_request_pipe_lsu_mem_global_op_ld.ratio",
    "a write": "l1tex__average_t_sectors_per_request_pipe_lsu_mem_global_op_st.ratio",
    "waves": "launch__waves_per_multiprocessor",
    "stall memory": "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio",
    "shared": "smsp__average_warps_issue_stalled_short_scoreboard_per_issue_active.ratio",
    "barrier": "smsp__average_warps_issue_stalled_barrier_per_issue_active.ratio",
}
UNITS = {"inst": 1e-6, "ns": 1e-3, "us": 1, "usecond": 1, "nsecond": 1e-3, "ms": 1e3, "byte": 1e-6, "Kbyte": 1e-3, "Mbyte": 1, "Gbyte": 1e3}

PADS = [
    ("f32", "8x512x33x33", "1,1,1,1"),
    ("f16", "8x512x33x33", "1,1,1,1"),
    ("f32", "64x64x64x64", "1,1,1,1"),
    ("f16", "64x64x64x64", "1,1,1,1"),
    ("f16", "1024x1024x14x14", "1,1,1,1"),
    ("f16", "1x1x4097x4099", "1,1,1,1"),
]
CONVERSIONS = [
    "FP16 HWC8 to FP16 DHWC8",
    "FP16 DHWC8 to FP16 HWC8",
    "INT8 HWC8 to INT4 LINEAR",
    "INT4 LINEAR to INT8 HWC8",
    "INT8 CHW32 to INT4 LINEAR",
    "INT4 LINEAR to INT8 CHW32",
    "FP16 LINEAR to INT4 LINEAR",
    "INT4 LINEAR to FP16 LINEAR",
    "FP16 HWC8 to INT4 LINEAR",
    "INT4 LINEAR to FP16 HWC8",
    "INT8 LINEAR to INT4 LINEAR",
    "INT4 LINEAR to INT8 LINEAR",
    "FP16 HWC8 to INT8 CHW32",
    "INT8 CHW32 to FP16 HWC8",
]
MATRICES = [
    ("f32", 128, 0.5),
    ("f32", 1024, 0.5),
    ("f16", 1024, 0.5),
    ("f32", 4096, 0.5),
    ("f16", 4096, 0.5),
    ("f32", 4096, 0.01),
    ("f16", 4096, 0.01),
    ("f16", 16384, 0.01),
]


def counted(program, ncu=()):
    """The counters of each kernel that a program launches, as far as options of ncu don't leave it out."""
    counting = ["ncu", "--csv", "--page", "raw", "--clock-control", "none", "--metrics", ",".join(METRICS.values()), *ncu]
    ran = subprocess.run([*counting, *program], check=True, capture_output=True, text=True)
    rows = list(csv.reader(io.StringIO("\n".join(line for line in ran.stdout.splitlines() if line.startswith('"')))))
    names, units, launches = rows[0], rows[1], rows[2:]
    for launch in launches:
        of = dict(zip(names, zip(launch, units)))
        figures = [float(of[metric][0].replace(",", "")) * UNITS.get(of[metric][1], 1) for metric in METRICS.values()]
        yield of["Kernel Name"][0], figures


def of_sample(samples, name, options, folder):
    """The counters of each kernel of one run, whose tactic was found before."""
    tuned = [samples, name, "--device", "cuda", *options, "--lockfile", os.path.join(folder, "tuned.lock")]
    subprocess.run(tuned, check=True, stdout=subprocess.DEVNULL)
    return counted([*tuned, "--locked"])


def of_conversion(samples, name):
    """The counters of the second run of a conversion, of 16.8 million elements."""
    return counted([samples, "bench", "--device", "cuda", "--conversions", "--only", name], ["--launch-skip", "1", "--launch-count", "1"])


def work(samples, folder):
    """Names of what is run, and how it is counted."""
    for dtype, shape, pads in PADS:
        options = ["--dtype", dtype, "--shape", shape, "--pads", pads, "--multi_tactic", "--mode", "inetdef"]
        yield f"circ_pad {shape} {dtype}", lambda options=options: of_sample(samples, "circ_pad", options, folder)
    for dtype, extent, kept in MATRICES:
        path = os.path.join(folder, "x.npy")
        random = np.random.default_rng(0)
        x = random.random((extent, extent), dtype=np.float32) + np.float32(0.5)
        x[random.random((extent, extent), dtype=np.float32) >= kept] = 0
        np.save(path, x.astype(np.float16 if dtype == "f16" else np.float32))
        yield f"non_zero {extent}x{extent} {dtype} {kept:.0%}", lambda: of_sample(samples, "non_zero", ["--input", path], folder)
    for name in CONVERSIONS:
        yield name, lambda name=name: of_conversion(samples, name)


def main(samples, wanted=""):
    print(f"{'work':<32}{'kernel':<28}" + "".join(f"{name:>13}" for name in METRICS))
    with tempfile.TemporaryDirectory() as folder:
        for text, count in work(samples, folder):
            if wanted not in text:
                continue
            try:
                for kernel, figures in count():
                    print(f"{text:<32}{kernel[:27]:<28}" + "".join(f"{figure:>13.2f}" for figure in figures), flush=True)
            except (subprocess.CalledProcessError, OSError, LookupError, ValueError) as error:
                print(f"{text:<32}FAILED {error} {(getattr(error, 'stderr', None) or '')[-500:]}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
