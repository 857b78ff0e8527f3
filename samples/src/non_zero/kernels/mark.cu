#include "matrix.cuh"
#include "words.cuh"

// Blocks that run on a multiprocessor together: few, whose threads load all they mark at once.
constexpr u32 MARK_BLOCKS = 4;

template <typename T>
__device__ __forceinline__ void non_zero_mark(const T* x, u32* words, u32* tile_counts, u32* range_counts, u32 tiles,
                                              u32 tiles_per_range, const Matrix& matrix) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ u32 sums[2][TILE_WARPS];
    const u32 begin = blockIdx.x * tiles_per_range;
    const u32 end = tiles - begin < tiles_per_range ? tiles : begin + tiles_per_range;
    u32 range_count = 0;
    for (u32 tile = begin; tile < end; ++tile) {
        const u32 word = mark<8>(x, static_cast<u64>(tile) * TILE + threadIdx.x / WARP * WARP_TILE, matrix.elements);
        words[static_cast<u64>(tile) * TILE_THREADS + threadIdx.x] = word;
        const u32 warp_count = __reduce_add_sync(ALL_LANES, __popc(word));
        u32* of_tile = sums[tile % 2];
        if (threadIdx.x % WARP == 0) of_tile[threadIdx.x / WARP] = warp_count;
        __syncthreads();
        if (threadIdx.x < WARP) {
            const u32 count = __reduce_add_sync(ALL_LANES, threadIdx.x < TILE_WARPS ? of_tile[threadIdx.x] : 0);
            if (threadIdx.x == 0) tile_counts[tile] = count;
            range_count += count;
        }
    }
    if (threadIdx.x == 0) range_counts[blockIdx.x] = range_count;
}

#define NON_ZERO_MARK(NAME, T)                                                                                       \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS, MARK_BLOCKS)                                          \
        non_zero_mark_##NAME(const T* x, u32* words, u32* tile_counts, u32* range_counts, u32 tiles,                 \
                             u32 tiles_per_range, Matrix matrix) {                                                   \
        non_zero_mark(x, words, tile_counts, range_counts, tiles, tiles_per_range, matrix.settled());                \
    }

NON_ZERO_MARK(f32, float)
NON_ZERO_MARK(f16, u16)
