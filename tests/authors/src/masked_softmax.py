"""A kernel in Triton, and how it becomes PTX: `python masked_softmax.py > masked_softmax.ptx`, with `pip install triton==3.4.0`
and no GPU."""

import os

os.environ["TRITON_DISABLE_LINE_INFO"] = "1"

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

# sm_80 and all newer ones, by the driver of CUDA 12.0 and all newer ones.
ARCHITECTURE, PTX_VERSION = 80, 80
BLOCK, WARPS = 512, 4


@triton.jit
def masked_softmax_rows(x, lengths, y, columns, BLOCK: tl.constexpr):
    """Softmax of the first `lengths[row]` elements of a row, and 0 behind them. A program a row."""
    row = tl.program_id(0).to(tl.int64)
    x += row * columns
    y += row * columns
    length = tl.minimum(tl.load(lengths + row), columns)
    most = float("-inf")
    total = 0.0
    for start in range(0, length, BLOCK):
        at = start + tl.arange(0, BLOCK)
        values = tl.load(x + at, mask=at < length, other=float("-inf"))
        new = tl.maximum(most, tl.max(values))
        total = total * tl.exp(most - new) + tl.sum(tl.exp(values - new))
        most = new
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        values = tl.load(x + at, mask=at < length, other=float("-inf"))
        shares = tl.where(at < length, tl.exp(values - most) / total, 0.0)
        tl.store(y + at, shares, mask=at < columns)


def main():
    # Of pointers and extents nothing is promised, such as that 16 divides them: the plugin takes any.
    signature = {"x": "*fp32", "lengths": "*i32", "y": "*fp32", "columns": "i32", "BLOCK": "constexpr"}
    source = ASTSource(masked_softmax_rows, signature, constexprs={"BLOCK": BLOCK})
    options = {"num_warps": WARPS, "ptx_version": PTX_VERSION}
    kernel = triton.compile(source, target=GPUTarget("cuda", ARCHITECTURE, 32), options=options)
    made = kernel.metadata
    assert made.global_scratch_size == 0, "the plugin gives no scratch memory"
    print(f"// masked_softmax.py, by Triton {triton.__version__}: num_warps = {made.num_warps}, shared = {made.shared}")
    print(kernel.asm["ptx"].strip("\0\n"))


if __name__ == "__main__":
    main()
