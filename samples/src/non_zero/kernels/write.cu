#include <plugin_runtime.cuh>

#include "matrix.cuh"
#include "tiles.cuh"

// Blocks that run on a multiprocessor together: as many as have room and registers, since they wait for shared memory.
constexpr u32 WRITE_BLOCKS = 8;
constexpr u32 WRITE_GROUP_BLOCKS = __CUDA_ARCH__ >= 1000 ? 4 : 5;

// A warp's share of what is before a tile: non-zeros of whole ranges, and of tiles behind these. The same for all its lanes.
__device__ __forceinline__ u64 share_before(const u32* tile_counts, const u32* range_counts, u32 tile, u32 tiles_per_range,
                                            u64 elements) {
    const u32 range = tile / tiles_per_range;
    u64 before = 0;
    for (u32 i = threadIdx.x; i < range; i += TILE_THREADS) before += range_counts[i];
    for (u32 i = range * tiles_per_range + threadIdx.x; i < tile; i += TILE_THREADS) before += tile_counts[i];
    if (elements >> 32 == 0) return __reduce_add_sync(ALL_LANES, static_cast<u32>(before));
#pragma unroll
    for (u32 step = WARP / 2; step > 0; step /= 2) before += __shfl_xor_sync(ALL_LANES, before, step);
    return before;
}

// The sum of as many numbers as there are warps.
__device__ __forceinline__ u64 sum_of_warps(const u64* shares) {
    u64 sum = 0;
#pragma unroll
    for (u32 i = 0; i < TILE_WARPS; ++i) sum += shares[i];
    return sum;
}

// A block a tile.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, WRITE_BLOCKS)
    non_zero_write(const u32* words, const u32* tile_counts, const u32* range_counts, int2* out, long long* count,
                   u32 tiles_per_range, Matrix given) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ u64 shares[TILE_WARPS];
    __shared__ u32 sums[TILE_WARPS];
    __shared__ Start shared_start;
    __shared__ u16 staged[TILE];
    const Matrix matrix = given.settled();
    const u32 tile = blockIdx.x;
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    if (threadIdx.x == 0) shared_start = start_of(static_cast<u64>(tile) * TILE, matrix);
    grid_dependency_synchronize();
    const u32 word = words[static_cast<u64>(tile) * TILE_THREADS + threadIdx.x];
    const u64 share = share_before(tile_counts, range_counts, tile, tiles_per_range, matrix.elements);
    const u32 inclusive = warp_inclusive_sum(__popc(word));
    if (lane == WARP - 1) shares[warp] = share, sums[warp] = inclusive;
    __syncthreads();
    const u64 before = sum_of_warps(shares);
    u32 total = 0, own = inclusive - __popc(word);
#pragma unroll
    for (u32 i = 0; i < TILE_WARPS; ++i) {
        if (i == warp) own += total;
        total += sums[i];
    }
    if (tile == gridDim.x - 1 && threadIdx.x == 0) *count = static_cast<long long>(before + total);
    stage(word, own, staged);
    __syncthreads();
    write_staged<TILE_THREADS>(staged, total, shared_start, matrix, out + before);
}

// Tiles of a block where there are enough for all multiprocessors, since to find out where a tile starts takes as long as to
// write it where few of its elements are set.
constexpr u32 GROUP = 8;

// A group of tiles on its way to the output.
struct Group {
    u64 shares[TILE_WARPS];
    // Non-zeros of each warp, tile by tile: two for each lane of a warp.
    uint2 counts[GROUP * TILE_WARPS / 2];
    // Non-zeros before each tile.
    u32 before[GROUP];
    Start starts[GROUP];
    u16 staged[TILE_THREADS * WORD];
};
static_assert(GROUP * TILE_WARPS == 2 * WARP, "two counts a lane");

// The positions of a group that is staged at once.
__device__ __forceinline__ void write_few(const Group& group, u32 total, const Matrix& matrix, int2* out) {
    for (u32 i = threadIdx.x; i < total; i += TILE_THREADS) {
        u32 tile = 0;
#pragma unroll
        for (u32 next = 1; next < GROUP; ++next) tile += i >= group.before[next];
        store(out + i, position(group.starts[tile], group.staged[i], matrix));
    }
}

// A block a group of tiles.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, WRITE_GROUP_BLOCKS)
    non_zero_write_groups(const u32* words, const u32* tile_counts, const u32* range_counts, int2* out, long long* count,
                          u32 tiles, u32 tiles_per_range, Matrix given) {
    constexpr u32 TILE = TILE_THREADS * WORD, LANES_OF_TILE = WARP / GROUP;
    __shared__ Group group;
    const Matrix matrix = given.settled();
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const u32 first = blockIdx.x * GROUP;
    if (threadIdx.x < GROUP) group.starts[threadIdx.x] = start_of(static_cast<u64>(first + threadIdx.x) * TILE, matrix);
    grid_dependency_synchronize();
    u32 word[GROUP], own[GROUP];
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        word[i] = first + i < tiles ? words[static_cast<u64>(first + i) * TILE_THREADS + threadIdx.x] : 0;
    }
    const u64 share = share_before(tile_counts, range_counts, first, tiles_per_range, matrix.elements);
    u32* const counts = reinterpret_cast<u32*>(group.counts);
    // Two tiles at a time, with 16 bits each: a warp has at most 1024 of a tile.
#pragma unroll
    for (u32 i = 0; i < GROUP; i += 2) {
        const u32 both = __popc(word[i]) | __popc(word[i + 1]) << 16;
        const u32 inclusive = warp_inclusive_sum(both), exclusive = inclusive - both;
        own[i] = exclusive & 0xffff, own[i + 1] = exclusive >> 16;
        if (lane == WARP - 1) {
            counts[i * TILE_WARPS + warp] = inclusive & 0xffff;
            counts[(i + 1) * TILE_WARPS + warp] = inclusive >> 16;
        }
    }
    if (lane == 0) group.shares[warp] = share;
    __syncthreads();
    const u64 before = sum_of_warps(group.shares);
    const uint2 pair = group.counts[lane];
    const u32 inclusive = warp_inclusive_sum(pair.x + pair.y), exclusive = inclusive - pair.x - pair.y;
    const u32 total = __shfl_sync(ALL_LANES, inclusive, WARP - 1);
    const u32 before_warp = exclusive + (warp % 2 == 0 ? 0 : pair.x);
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) own[i] += __shfl_sync(ALL_LANES, before_warp, i * LANES_OF_TILE + warp / 2);
    if (warp == 0 && lane % LANES_OF_TILE == 0) group.before[lane / LANES_OF_TILE] = exclusive;
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) *count = static_cast<long long>(before + total);
    if (total <= TILE) {
#pragma unroll
        for (u32 i = 0; i < GROUP; ++i) stage(word[i], own[i], group.staged);
        __syncthreads();
        write_few(group, total, matrix, out + before);
        return;
    }
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        if (first + i >= tiles) break;
        const u32 before_tile = __shfl_sync(ALL_LANES, exclusive, i * LANES_OF_TILE);
        const u32 end = i + 1 == GROUP ? total : __shfl_sync(ALL_LANES, exclusive, (i + 1) % GROUP * LANES_OF_TILE);
        stage(word[i], own[i] - before_tile, group.staged);
        __syncthreads();
        write_staged<TILE_THREADS>(group.staged, end - before_tile, group.starts[i], matrix, out + before + before_tile);
        __syncthreads();
    }
}
