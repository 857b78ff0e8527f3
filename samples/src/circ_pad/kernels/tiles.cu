#include "plan.cuh"

// Whole rows of the output, put together in shared memory and written from there as vectors, so that it doesn't matter where in
// a vector a row begins. A thread has a column of its own; `segment` is the number of rows of a block.
constexpr u32 ROWS_IN_FLIGHT = 8;

template <typename T>
__device__ __forceinline__ void pad_tiles(const T* x, T* out, const Plan<u32>& plan) {
    extern __shared__ uint4 shared[];
    const Axis<u32> inner = plan.axes[0];
    const u32 first = blockIdx.x * plan.segment;
    const u32 rows = plan.rows - first < plan.segment ? plan.rows - first : plan.segment;
    T* const to = out + static_cast<u64>(first) * inner.padded;

    // Where each row comes from, then the rows, at the same place within 16 bytes as in the output.
    u32* const sources = reinterpret_cast<u32*>(shared);
    T* const tile = reinterpret_cast<T*>(shared + (plan.segment + 3) / 4) + reinterpret_cast<u64>(to) % 16 / sizeof(T);
    for (u32 row = threadIdx.x; row < rows; row += blockDim.x) sources[row] = source_of_row(plan, first + row);
    __syncthreads();

    const u32 own = divide(threadIdx.x, inner.by_padded);
    const u32 together = divide(blockDim.x, inner.by_padded);
    if (own < together) {
        const u32 column = threadIdx.x - own * inner.padded;
        const T* const from = x + wrapped(column, inner);
        T* place = tile + threadIdx.x;
        const u32 step = together * inner.padded;
        u32 row = own;
        for (; row + (ROWS_IN_FLIGHT - 1) * together < rows; row += ROWS_IN_FLIGHT * together) {
            T values[ROWS_IN_FLIGHT];
#pragma unroll
            for (u32 i = 0; i < ROWS_IN_FLIGHT; ++i) values[i] = __ldg(from + sources[row + i * together]);
#pragma unroll
            for (u32 i = 0; i < ROWS_IN_FLIGHT; ++i) place[i * step] = values[i];
            place += ROWS_IN_FLIGHT * step;
        }
        for (; row < rows; row += together, place += step) *place = __ldg(from + sources[row]);
    }
    __syncthreads();

    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const u32 count = rows * inner.padded;
    const u32 before = (0 - static_cast<u32>(reinterpret_cast<u64>(to))) % 16 / sizeof(T);
    const u32 head = before < count ? before : count;
    const u32 vectors = (count - head) / PER_VECTOR;
    const uint4* const staged = reinterpret_cast<const uint4*>(tile + head);
    uint4* const target = reinterpret_cast<uint4*>(to + head);
#pragma unroll 4
    for (u32 i = threadIdx.x; i < vectors; i += blockDim.x) target[i] = staged[i];
    const u32 tail = head + vectors * PER_VECTOR + threadIdx.x;
    if (threadIdx.x < head) to[threadIdx.x] = tile[threadIdx.x];
    if (tail < count) to[tail] = tile[tail];
}

#define CIRC_PAD_TILES(NAME, T)                                                                                      \
    extern "C" __global__ void __launch_bounds__(512)                                                                \
        circ_pad_tiles_##NAME(const T* x, T* out, const __grid_constant__ Plan<u32> plan) {                          \
        pad_tiles(x, out, plan);                                                                                     \
    }

CIRC_PAD_TILES(4x32, u32)
CIRC_PAD_TILES(2x32, u16)
