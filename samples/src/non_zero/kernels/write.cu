#include <plugin_runtime.cuh>

#include "matrix.cuh"
#include "tiles.cuh"

// Blocks that run on a multiprocessor together: as many as have room, since they wait for shared memory.
constexpr u32 WRITE_BLOCKS = 8;
constexpr u32 WRITE_GROUP_BLOCKS = 5;

// Non-zeros among the tiles before `tile`, of which whole ranges were counted too: the same for all threads of a block. Ends with
// the sums in use, as block_sum does.
__device__ __forceinline__ u64 count_before(const u32* tile_counts, const u32* range_counts, u32 tile, u32 tiles_per_range) {
    constexpr u32 WARPS = TILE_THREADS / WARP;
    __shared__ u64 befores[WARPS];
    const u32 range = tile / tiles_per_range;
    u64 before = 0;
    for (u32 i = threadIdx.x; i < range; i += TILE_THREADS) before += range_counts[i];
    for (u32 i = range * tiles_per_range + threadIdx.x; i < tile; i += TILE_THREADS) before += tile_counts[i];
#pragma unroll
    for (u32 step = WARP / 2; step > 0; step /= 2) before += __shfl_xor_sync(ALL_LANES, before, step);
    if (threadIdx.x % WARP == 0) befores[threadIdx.x / WARP] = before;
    __syncthreads();
    before = 0;
#pragma unroll
    for (u32 i = 0; i < WARPS; ++i) before += befores[i];
    return before;
}

// A block a tile.
extern "C" __global__ void __launch_bounds__(TILE_THREADS, WRITE_BLOCKS)
    non_zero_write(const u32* words, const u32* tile_counts, const u32* range_counts, int2* out, long long* count,
                   u32 tiles_per_range, Matrix given) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ u32 sums[TILE_THREADS / WARP];
    __shared__ Start shared_start;
    __shared__ u16 staged[TILE];
    const Matrix matrix = given.settled();
    const u32 tile = blockIdx.x;
    if (threadIdx.x == 0) shared_start = start_of(static_cast<u64>(tile) * TILE, matrix);
    grid_dependency_synchronize();
    const u32 word = words[static_cast<u64>(tile) * TILE_THREADS + threadIdx.x];
    const u64 before = count_before(tile_counts, range_counts, tile, tiles_per_range);
    u32 total;
    const u32 own = block_sum<TILE_THREADS>(word, sums, total);
    if (tile == gridDim.x - 1 && threadIdx.x == 0) *count = static_cast<long long>(before + total);
    stage(word, own, staged);
    __syncthreads();
    write_staged<TILE_THREADS>(staged, total, shared_start, matrix, out + before);
}

// Tiles of a block where there are many, since to find out where a tile starts takes as long as to write it where few of its
// elements are set.
constexpr u32 GROUP = 8;

// A group of tiles on its way to the output.
struct Group {
    // Non-zeros before each warp of each tile, before each tile, and in all.
    u32 before_warps[GROUP][TILE_THREADS / WARP];
    u32 before[GROUP + 1];
    Start starts[GROUP];
    u16 staged[TILE_THREADS * WORD];
};

// Adds up the warps' counts, which are in `before_warps`: one warp does, a tile's by its lanes.
__device__ __forceinline__ void sum_group(Group& group) {
    constexpr u32 WARPS = TILE_THREADS / WARP;
    const u32 lane = threadIdx.x % WARP;
    u32 sum = 0;
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        const u32 of_warp = lane < WARPS ? group.before_warps[i][lane] : 0;
        const u32 inclusive = warp_inclusive_sum(of_warp);
        if (lane < WARPS) group.before_warps[i][lane] = inclusive - of_warp;
        if (lane == 0) group.before[i] = sum;
        sum += __shfl_sync(ALL_LANES, inclusive, WARP - 1);
    }
    if (lane == 0) group.before[GROUP] = sum;
}

// The positions of a group that is staged at once.
__device__ __forceinline__ void write_few(const Group& group, const Matrix& matrix, int2* out) {
    for (u32 i = threadIdx.x; i < group.before[GROUP]; i += TILE_THREADS) {
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
    constexpr u32 TILE = TILE_THREADS * WORD;
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
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        const u32 inclusive = warp_inclusive_sum(__popc(word[i]));
        own[i] = inclusive - __popc(word[i]);
        if (lane == WARP - 1) group.before_warps[i][warp] = inclusive;
    }
    const u64 before = count_before(tile_counts, range_counts, first, tiles_per_range);
    if (warp == 0) sum_group(group);
    __syncthreads();
    const u32 total = group.before[GROUP];
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0) *count = static_cast<long long>(before + total);
    if (total <= TILE) {
#pragma unroll
        for (u32 i = 0; i < GROUP; ++i) stage(word[i], group.before[i] + group.before_warps[i][warp] + own[i], group.staged);
        __syncthreads();
        write_few(group, matrix, out + before);
        return;
    }
#pragma unroll
    for (u32 i = 0; i < GROUP; ++i) {
        if (first + i >= tiles) break;
        stage(word[i], group.before_warps[i][warp] + own[i], group.staged);
        __syncthreads();
        const u32 of_tile = group.before[i + 1] - group.before[i];
        write_staged<TILE_THREADS>(group.staged, of_tile, group.starts[i], matrix, out + before + group.before[i]);
        __syncthreads();
    }
}
