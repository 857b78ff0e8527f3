// One function of one element, on all of them: x + delta, computed in single precision and rounded once.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

__device__ __forceinline__ float widen(u16 bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}

__device__ __forceinline__ u16 narrow(float value) {
    u16 bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}

__device__ __forceinline__ float add_one(float x, float delta) { return x + delta; }

__device__ __forceinline__ u16 add_one(u16 x, float delta) { return narrow(widen(x) + delta); }

// What a 32-bit word holds: one float, or two halves.
template <typename T>
__device__ __forceinline__ u32 add_word(u32 word, float delta) {
    if constexpr (sizeof(T) == 4) {
        return __float_as_uint(__uint_as_float(word) + delta);
    } else {
        u32 low = add_one(static_cast<u16>(word), delta);
        u32 high = add_one(static_cast<u16>(word >> 16), delta);
        return low | high << 16;
    }
}

template <typename T>
__device__ __forceinline__ uint4 add_vector(uint4 v, float delta) {
    return make_uint4(add_word<T>(v.x, delta), add_word<T>(v.y, delta), add_word<T>(v.z, delta), add_word<T>(v.w, delta));
}

// How many elements there are: `n`, or, where only the device knows, the product of `rank` numbers at `extents`.
__device__ __forceinline__ u64 true_count(u64 n, const long long* extents, u32 rank) {
    if (extents == nullptr) return n;
    u64 count = 1;
    for (u32 i = 0; i < rank; ++i) count *= static_cast<u64>(extents[i]);
    return count < n ? count : n;
}

// Any grid and block; `x` may be `out`. Pointers that aren't at a multiple of 16 are right too, if slower. One access of 16
// bytes a thread, in a grid as large as it takes, is faster than several or a grid that goes around.
template <typename T>
__device__ __forceinline__ void add(const T* x, T* out, u64 n, float delta) {
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const u64 thread = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x;
    const u64 threads = static_cast<u64>(gridDim.x) * blockDim.x;
    const bool aligned = ((reinterpret_cast<u64>(x) | reinterpret_cast<u64>(out)) & 15) == 0;
    const u64 vectors = aligned ? n / PER_VECTOR : 0;
    const uint4* from = reinterpret_cast<const uint4*>(x);
    uint4* to = reinterpret_cast<uint4*>(out);
    for (u64 i = thread; i < vectors; i += threads) __stcs(to + i, add_vector<T>(__ldcs(from + i), delta));
    for (u64 i = vectors * PER_VECTOR + thread; i < n; i += threads) out[i] = add_one(x[i], delta);
}

#define ADD(NAME, T)                                                                                                 \
    extern "C" __global__ void __launch_bounds__(1024)                                                               \
        add_##NAME(const T* x, T* out, u64 n, const long long* extents, u32 rank, float delta) {                     \
        add(x, out, true_count(n, extents, rank), delta);                                                            \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(1024)                                                               \
        inplace_add_##NAME(T* x, u64 n, const long long* extents, u32 rank, float delta) {                           \
        add(x, x, true_count(n, extents, rank), delta);                                                              \
    }

ADD(f32, float)
ADD(f16, u16)

// A thread an element, for engines that hold the compiled kernel: inputs, numbers, outputs.
template <typename T>
__device__ __forceinline__ void add_aot(const T* x, int n, T* out) {
    const u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (n > 0 && i < static_cast<u64>(n)) out[i] = add_one(x[i], 1.0f);
}

extern "C" __global__ void add_aot_f32(const float* x, int n, float* out) { add_aot(x, n, out); }

extern "C" __global__ void add_aot_f16(const u16* x, int n, u16* out) { add_aot(x, n, out); }
