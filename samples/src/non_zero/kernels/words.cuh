#pragma once

#include "matrix.cuh"

// Places bit i of an 8-bit number (a 4-bit one) at bit 4 i (8 i).
__device__ __forceinline__ u32 spread8(u32 x) {
    x = (x | x << 12) & 0x000f000f;
    x = (x | x << 6) & 0x03030303;
    return (x | x << 3) & 0x11111111;
}

__device__ __forceinline__ u32 spread4(u32 x) {
    x = (x | x << 14) & 0x00030003;
    return (x | x << 7) & 0x01010101;
}

// The word of lane `lane` of the 1024 elements at `x`, read as vectors of 16 bytes, of which IN_FLIGHT are on their way
// together. -0 is 0, NaN is not. Ballots say which elements at one place of the lanes' vectors are set; each lane takes
// those of the vector that its word is in, and weaves its bits of them together.
template <u32 IN_FLIGHT>
__device__ __forceinline__ u32 mark_vectors(const float* x, u32 lane) {
    const uint4* from = reinterpret_cast<const uint4*>(x) + lane;
    u32 plane[4] = {};
#pragma unroll 1
    for (u32 first = 0; first < 8; first += IN_FLIGHT) {
        uint4 v[IN_FLIGHT];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) v[i] = __ldcs(from + (first + i) * WARP);
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT; ++i) {
            const u32 bits[4] = {v[i].x, v[i].y, v[i].z, v[i].w};
#pragma unroll
            for (u32 j = 0; j < 4; ++j) {
                const u32 ballot = __ballot_sync(ALL_LANES, (bits[j] & 0x7fffffff) != 0);
                if (lane / 4 == first + i) plane[j] = ballot;
            }
        }
    }
    u32 word = 0;
#pragma unroll
    for (u32 j = 0; j < 4; ++j) word |= spread8(plane[j] >> lane % 4 * 8 & 0xff) << j;
    return word;
}

template <u32 IN_FLIGHT>
__device__ __forceinline__ u32 mark_vectors(const u16* x, u32 lane) {
    const uint4* from = reinterpret_cast<const uint4*>(x) + lane;
    u32 plane[8] = {};
#pragma unroll 1
    for (u32 first = 0; first < 4; first += IN_FLIGHT / 2) {
        uint4 v[IN_FLIGHT / 2];
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT / 2; ++i) v[i] = __ldcs(from + (first + i) * WARP);
#pragma unroll
        for (u32 i = 0; i < IN_FLIGHT / 2; ++i) {
            const u32 bits[4] = {v[i].x, v[i].y, v[i].z, v[i].w};
#pragma unroll
            for (u32 j = 0; j < 8; ++j) {
                const u32 half = j % 2 == 0 ? 0x7fff : 0x7fff0000;
                const u32 ballot = __ballot_sync(ALL_LANES, (bits[j / 2] & half) != 0);
                if (lane / 8 == first + i) plane[j] = ballot;
            }
        }
    }
    u32 word = 0;
#pragma unroll
    for (u32 j = 0; j < 8; ++j) word |= spread4(plane[j] >> lane % 8 * 4 & 0xf) << j;
    return word;
}

// The word of this lane for the 1024 elements from `start` on, read one by one; elements at or behind `n` count as 0.
template <typename T>
__device__ __forceinline__ u32 mark_singly(const T* x, u64 start, u64 n) {
    const u32 lane = threadIdx.x % WARP;
    u32 word = 0;
    if (start >= n) return word;
    for (u32 i = 0; i < WORD; ++i) {
        const u64 at = start + i * WARP + lane;
        const u32 ballot = __ballot_sync(ALL_LANES, at < n && is_non_zero(x[at]));
        if (lane == i) word = ballot;
    }
    return word;
}

// The same, read as vectors where that can be.
template <u32 IN_FLIGHT, typename T>
__device__ __forceinline__ u32 mark(const T* x, u64 start, u64 n) {
    const bool whole = start < n && n - start >= WARP_TILE && (reinterpret_cast<u64>(x) & 15) == 0;
    return whole ? mark_vectors<IN_FLIGHT>(x + start, threadIdx.x % WARP) : mark_singly(x, start, n);
}
