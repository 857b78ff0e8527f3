#include "matrix.cuh"
#include "tiles.cuh"
#include "words.cuh"

// Blocks that run on a multiprocessor together: as many as registers are enough for, since they wait for each other.
constexpr u32 SCAN_BLOCKS_F32 = __CUDA_ARCH__ >= 900 ? 8 : 6;
constexpr u32 SCAN_BLOCKS_F16 = 6;

// A tile's state: nothing yet, its own count, or the count of all up to it; the two highest bits of a word whose rest is
// the count. State and count change in one access and nothing else is read on their account, so relaxed accesses do.
constexpr u64 OWN = 1ull << 62;
constexpr u64 ALL = 2ull << 62;
constexpr u64 COUNT = OWN - 1;

__device__ __forceinline__ u64 peek(const u64* state) {
    u64 value;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(value) : "l"(state) : "memory");
    return value;
}

__device__ __forceinline__ void publish(u64* state, u64 value) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(state), "l"(value) : "memory");
}

// Non-zeros before `tile`, found by one warp, which then publishes the sum.
__device__ __forceinline__ u64 look_back(u64* states, u32 tile, u32 total) {
    const u32 lane = threadIdx.x % WARP;
    if (tile == 0) return 0;
    u64 before = 0;
    // Lane 0 looks at the nearest tile.
    for (u32 end = tile;; end -= WARP) {
        u64 state = ALL;
        u32 complete, wanted;
        do {
            if (lane < end) state = peek(states + (end - 1 - lane));
            complete = __ballot_sync(ALL_LANES, state >= ALL);
            // As far as the nearest that knows all before it.
            wanted = complete == 0 ? ALL_LANES : complete ^ (complete - 1);
        } while ((__ballot_sync(ALL_LANES, state == 0) & wanted) != 0);
        const bool own = (wanted >> lane & 1) != 0 && state < ALL;
        before += __reduce_add_sync(ALL_LANES, own ? static_cast<u32>(state) : 0);
        if (complete != 0) {
            before += __shfl_sync(ALL_LANES, state, __ffs(complete) - 1) & COUNT;
            break;
        }
    }
    if (lane == 0) publish(states + tile, ALL | (before + total));
    return before;
}

// `states` holds a word for the next tile to be taken, then one for each tile; all start as 0.
template <typename T>
__device__ __forceinline__ void non_zero_scan(const T* x, int2* out, long long* count, u64* states, const Matrix& matrix) {
    constexpr u32 TILE = TILE_THREADS * WORD;
    __shared__ u32 sums[TILE_WARPS];
    __shared__ u64 shared_before;
    __shared__ Start shared_start;
    __shared__ u32 shared_tile;
    __shared__ u16 staged[TILE];
    // Tiles are taken in the order in which blocks start, so those before this one's run or have run.
    if (threadIdx.x == 0) shared_tile = static_cast<u32>(atomicAdd(states, 1ull));
    __syncthreads();
    const u32 tile = shared_tile;
    const u64 first = static_cast<u64>(tile) * TILE;
    const u32 word = mark<4>(x, first + threadIdx.x / WARP * WARP_TILE, matrix.elements);
    u32 total;
    const u32 own = block_sum<TILE_THREADS>(word, sums, total);
    if (threadIdx.x == 0) publish(states + 1 + tile, (tile == 0 ? ALL : OWN) | total);
    stage(word, own, staged);
    if (threadIdx.x < WARP) {
        const u64 before = look_back(states + 1, tile, total);
        if (threadIdx.x == 0) {
            shared_before = before;
            shared_start = start_of(first, matrix);
            if (tile == gridDim.x - 1) *count = static_cast<long long>(before + total);
        }
    }
    __syncthreads();
    write_staged<TILE_THREADS>(staged, total, shared_start, matrix, out + shared_before);
}

extern "C" __global__ void non_zero_clear(u64* states, u64 n) {
    const u64 step = static_cast<u64>(gridDim.x) * blockDim.x;
    for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) states[i] = 0;
}

#define NON_ZERO_SCAN(NAME, T, BLOCKS)                                                                               \
    extern "C" __global__ void __launch_bounds__(TILE_THREADS, BLOCKS)                                               \
        non_zero_scan_##NAME(const T* x, int2* out, long long* count, u64* states, Matrix matrix) {                  \
        non_zero_scan(x, out, count, states, matrix.settled());                                                      \
    }

NON_ZERO_SCAN(f32, float, SCAN_BLOCKS_F32)
NON_ZERO_SCAN(f16, u16, SCAN_BLOCKS_F16)
