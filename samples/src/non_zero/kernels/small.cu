#include "matrix.cuh"

constexpr u32 SMALL_THREADS = 1024;

// Non-zeros among a 16-byte vector's elements.
__device__ __forceinline__ u32 count_vector(uint4 v, const float*) {
    return (is_non_zero(__uint_as_float(v.x)) + is_non_zero(__uint_as_float(v.y))) +
           (is_non_zero(__uint_as_float(v.z)) + is_non_zero(__uint_as_float(v.w)));
}

__device__ __forceinline__ u32 count_word(u32 word) { return ((word & 0x7fff) != 0) + ((word & 0x7fff0000) != 0); }

__device__ __forceinline__ u32 count_vector(uint4 v, const u16*) {
    return count_word(v.x) + count_word(v.y) + count_word(v.z) + count_word(v.w);
}

// Each block has as many elements as threads, and counts by itself what is before them.
template <typename T>
__device__ __forceinline__ void non_zero_small(const T* x, int2* out, long long* count, const Matrix& matrix) {
    constexpr u32 WARPS = SMALL_THREADS / WARP;
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    __shared__ u32 warps_before[WARPS], warps_own[WARPS];
    const u32 lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const u32 first = blockIdx.x * SMALL_THREADS;
    const u32 element = first + threadIdx.x;
    const bool set = element < matrix.elements && is_non_zero(x[element]);
    const u32 earlier = first < matrix.elements ? first : static_cast<u32>(matrix.elements);
    const u32 vectors = (reinterpret_cast<u64>(x) & 15) == 0 ? earlier / PER_VECTOR : 0;
    u32 before = 0;
#pragma unroll 8
    for (u32 i = threadIdx.x; i < vectors; i += SMALL_THREADS) {
        before += count_vector(__ldg(reinterpret_cast<const uint4*>(x) + i), x);
    }
    for (u32 i = vectors * PER_VECTOR + threadIdx.x; i < earlier; i += SMALL_THREADS) before += is_non_zero(x[i]);
    before = __reduce_add_sync(ALL_LANES, before);
    const u32 ballot = __ballot_sync(ALL_LANES, set);
    if (lane == 0) {
        warps_before[warp] = before;
        warps_own[warp] = __popc(ballot);
    }
    __syncthreads();
    const u32 all_before = __reduce_add_sync(ALL_LANES, lane < WARPS ? warps_before[lane] : 0);
    const u32 own_before = __reduce_add_sync(ALL_LANES, lane < warp ? warps_own[lane] : 0);
    const u32 at = all_before + own_before + __popc(ballot & ((1u << lane) - 1));
    if (set) {
        const u32 row = element / matrix.columns;
        out[at] = make_int2(static_cast<int>(row), static_cast<int>(element - row * matrix.columns));
    }
    if (blockIdx.x == gridDim.x - 1 && threadIdx.x == SMALL_THREADS - 1) *count = at + set;
}

#define NON_ZERO_SMALL(NAME, T)                                                                                      \
    extern "C" __global__ void __launch_bounds__(SMALL_THREADS)                                                      \
        non_zero_small_##NAME(const T* x, int2* out, long long* count, Matrix matrix) {                              \
        non_zero_small(x, out, count, matrix.settled());                                                             \
    }

NON_ZERO_SMALL(f32, float)
NON_ZERO_SMALL(f16, u16)
