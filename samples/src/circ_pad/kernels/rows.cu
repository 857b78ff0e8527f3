#include "plan.cuh"

// Elements that a lane has on their way together.
constexpr u32 IN_FLIGHT = 8;

// A warp a row of the output, an element a lane at a time. Long rows are shared by the blocks of a column of the grid.
template <typename T, typename Index>
__device__ __forceinline__ void pad_rows(const T* x, T* out, const Plan<Index>& plan) {
    const u64 row = static_cast<u64>(blockIdx.x) * (blockDim.x / WARP) + threadIdx.x / WARP;
    if (row >= plan.rows) return;
    const Axis<Index> inner = plan.axes[0];
    const Part<Index> part(inner.padded, plan.segment);
    const T* from = x + source_of_row(plan, static_cast<Index>(row));
    T* to = out + row * inner.padded;
    Index column = part.begin + threadIdx.x % WARP;
    for (; column + (IN_FLIGHT - 1) * WARP < part.end; column += IN_FLIGHT * WARP) {
        T values[IN_FLIGHT];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) values[i] = from[wrapped<Index>(column + i * WARP, inner)];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) to[column + i * WARP] = values[i];
    }
    for (; column < part.end; column += WARP) to[column] = from[wrapped(column, inner)];
}

#define CIRC_PAD_ROWS(NAME, T, INDEX, BLOCKS)                                                                        \
    extern "C" __global__ void __launch_bounds__(256, BLOCKS)                                                        \
        circ_pad_rows_##NAME(const T* x, T* out, const __grid_constant__ Plan<INDEX> plan) {                         \
        pad_rows(x, out, plan);                                                                                      \
    }

CIRC_PAD_ROWS(4x32, u32, u32, 8)
CIRC_PAD_ROWS(2x32, u16, u32, 8)
CIRC_PAD_ROWS(4x64, u32, u64, 1)
CIRC_PAD_ROWS(2x64, u16, u64, 1)
