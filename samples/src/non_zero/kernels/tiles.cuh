#pragma once

#include "matrix.cuh"

__device__ __forceinline__ u32 warp_inclusive_sum(u32 value) {
    const u32 lane = threadIdx.x % WARP;
#pragma unroll
    for (u32 step = 1; step < WARP; step *= 2) {
        const u32 before = __shfl_up_sync(ALL_LANES, value, step);
        if (lane >= step) value += before;
    }
    return value;
}

// Non-zeros before this thread's word within the tile, and in the whole tile. Ends with the sums in use: a barrier has to
// lie between two calls with the same `sums`, which holds a number a warp.
template <u32 THREADS>
__device__ __forceinline__ u32 block_sum(u32 word, u32* sums, u32& total) {
    constexpr u32 WARPS = THREADS / WARP;
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const u32 count = __popc(word);
    const u32 inclusive = warp_inclusive_sum(count);
    if (lane == WARP - 1) sums[warp] = inclusive;
    __syncthreads();
    const u32 warp_total = lane < WARPS ? sums[lane] : 0;
    const u32 warps = warp_inclusive_sum(warp_total);
    total = __shfl_sync(ALL_LANES, warps, WARPS - 1);
    const u32 before = __shfl_sync(ALL_LANES, warps - warp_total, warp);
    return before + inclusive - count;
}

// Where a tile starts.
struct Start {
    u32 row;
    u32 column;
};

__device__ __forceinline__ Start start_of(u64 element, const Matrix& matrix) {
    if (element >> 32 == 0) {
        const u32 row = static_cast<u32>(element) / matrix.columns;
        return {row, static_cast<u32>(element) - row * matrix.columns};
    }
    const u64 row = element / matrix.columns;
    return {static_cast<u32>(row), static_cast<u32>(element - row * matrix.columns)};
}

// Row and column of the element `index` behind `start`, within its tile. A tile is no larger than FEW_COLUMNS, so that a
// wider matrix has at most one row begin in it, and that the reciprocal is exact: r = ceil(2^32 / columns) times columns
// exceeds 2^32 by less than columns, so that quotients are right for numbers up to 2^32 / columns, which is 2^17 or more;
// those here are below columns + tile, 2^16 or less.
__device__ __forceinline__ int2 position(Start start, u32 index, const Matrix& matrix) {
    u32 column = start.column + index;
    u32 row;
    if (matrix.reciprocal != 0) {
        row = __umulhi(column, matrix.reciprocal);
        column -= row * matrix.columns;
    } else if (matrix.columns == 1) {
        row = column;
        column = 0;
    } else {
        row = column >= matrix.columns;
        column -= row ? matrix.columns : 0;
    }
    return make_int2(static_cast<int>(start.row + row), static_cast<int>(column));
}

__device__ __forceinline__ void store(int2* p, int2 v) { __stcs(p, v); }

__device__ __forceinline__ void store(int2* p, int2 v, int2 next) {
    __stcs(reinterpret_cast<int4*>(p), make_int4(v.x, v.y, next.x, next.y));
}

// Lists the indices of a word's bits.
__device__ __forceinline__ void stage(u32 word, u32 first, u16* to) {
    const u32 base = threadIdx.x * WORD;
    while (word != 0) {
        to[first++] = static_cast<u16>(base + __ffs(word) - 1);
        word &= word - 1;
    }
}

// Writes the staged indices' rows and columns to `out` on. Pairs go to multiples of 16 bytes, those of a warp to a multiple
// of LINE; what is before them, and a last one, alone.
template <u32 THREADS>
__device__ __forceinline__ void write_staged(const u16* staged, u32 total, Start start, const Matrix& matrix, int2* out) {
    constexpr u32 LINE = 128 / sizeof(int2);
    const u32 to_next = (0 - static_cast<u32>(reinterpret_cast<u64>(out) / sizeof(int2))) % LINE;
    const u32 before = total < to_next ? total : to_next;
    const u32 pairs = (total - before) / 2;
    for (u32 i = threadIdx.x; i < pairs; i += THREADS) {
        const u32 at = before + 2 * i;
        store(out + at, position(start, staged[at], matrix), position(start, staged[at + 1], matrix));
    }
    u32 lone = total;
    if (threadIdx.x < before) lone = threadIdx.x;
    if (threadIdx.x == WARP && (total - before) % 2 != 0) lone = total - 1;
    if (lone < total) store(out + lone, position(start, staged[lone], matrix));
}
