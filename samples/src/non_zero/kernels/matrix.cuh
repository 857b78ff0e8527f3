// Row and column of the elements of a matrix that aren't 0, in order: what the kernels share.
//
// A warp turns 1024 elements into 32 words of 32 bits, a word a lane: bit i of word w is set where element 32 w + i isn't
// 0. A block's words are a tile. What remains is to know how many non-zeros are before a tile:
// - small.cu has no tiles. Each block counts all that is before it; for small matrices, in one launch.
// - scan.cu: each tile publishes its count, then looks back at those before it; one pass over the input.
// - mark.cu, then write.cu: the first keeps words and counts, the second sums the counts.
#pragma once

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

constexpr u32 WARP = 32;
constexpr u32 ALL_LANES = 0xffffffff;
constexpr u32 WORD = 32;
constexpr u32 WARP_TILE = WARP * WORD;
constexpr u32 TILE_THREADS = 256;
constexpr u32 TILE_WARPS = TILE_THREADS / WARP;

// Numbers of columns up to which they are divided by with a reciprocal.
constexpr u32 FEW_COLUMNS = 32768;

struct Matrix {
    u64 elements;
    // Rows and columns, where the host knows only upper bounds; else null.
    const long long* extents;
    u32 columns;
    // ceil(2^32 / columns) for 2 to FEW_COLUMNS columns, else 0.
    u32 reciprocal;

    // The same with the true extents.
    __device__ __forceinline__ Matrix settled() const {
        if (extents == nullptr) return *this;
        const u64 count = static_cast<u64>(extents[0]) * static_cast<u64>(extents[1]);
        const u32 wide = count == 0 ? 1 : static_cast<u32>(extents[1]);
        const bool few = wide >= 2 && wide <= FEW_COLUMNS;
        return {count < elements ? count : elements, nullptr, wide, few ? 0xffffffff / wide + 1 : 0};
    }
};

__device__ __forceinline__ bool is_non_zero(float x) { return (__float_as_uint(x) & 0x7fffffff) != 0; }

__device__ __forceinline__ bool is_non_zero(u16 x) { return (x & 0x7fff) != 0; }
