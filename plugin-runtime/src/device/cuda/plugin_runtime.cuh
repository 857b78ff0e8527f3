// What kernels for several element types share: #include <plugin_runtime.cuh>. Needs no header of CUDA's.
#pragma once

// NVRTC has no header for it.
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif

typedef float f32;
typedef signed char i8;
typedef unsigned char u8;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

// IEEE 754 half precision. Arithmetic is that of float; storing rounds to the nearest, ties to even.
struct f16 {
    unsigned short bits;

    f16() = default;
    __device__ __forceinline__ f16(float value) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value)); }
    __device__ __forceinline__ operator float() const {
        float value;
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
        return value;
    }
};

// bfloat16, as f16.
struct bf16 {
    unsigned short bits;

    bf16() = default;
    __device__ __forceinline__ bf16(float value) {
        unsigned int wide = __float_as_uint(value);
        bool is_nan = (wide & 0x7fffffff) > 0x7f800000;
        bits = is_nan ? wide >> 16 | 0x40 : (wide + 0x7fff + (wide >> 16 & 1)) >> 16;
    }
    __device__ __forceinline__ operator float() const {
        return __uint_as_float(static_cast<unsigned int>(bits) << 16);
    }
};

// The number of this thread in the grid, in x.
__device__ __forceinline__ i64 thread_in_grid() { return blockIdx.x * static_cast<i64>(blockDim.x) + threadIdx.x; }

// Waits until the kernel before this one in its stream has ended, and what it wrote is seen: of a kernel that is launched as
// `dependent`. Any other has waited for that already.
__device__ __forceinline__ void grid_dependency_synchronize() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// The number of threads in the grid, in x.
__device__ __forceinline__ i64 threads_in_grid() { return gridDim.x * static_cast<i64>(blockDim.x); }

// `combine` of the values of all threads of a block, for each of them. Blocks are of one dimension, and all threads come here.
// THREADS of a block, where that is a constant, make it faster; 0 is any number.
template <unsigned int THREADS = 0, typename V, typename Combine>
__device__ __forceinline__ V block_reduce(V value, Combine combine) {
    constexpr unsigned int ALL = 0xffffffff, USUAL_WARPS = 8;
    __shared__ V parts[32];
    const unsigned int threads = THREADS == 0 ? blockDim.x : THREADS, warps = (threads + 31) / 32;
    const unsigned int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (threads % 32 == 0) {
#pragma unroll
        for (unsigned int step = 16; step > 0; step /= 2) value = combine(value, __shfl_down_sync(ALL, value, step));
    } else {
        const unsigned int lanes = min(32u, threads - warp * 32), mask = lanes == 32 ? ALL : (1u << lanes) - 1;
        for (unsigned int step = 16; step > 0; step /= 2) {
            V other = __shfl_down_sync(mask, value, step);
            if (lane + step < lanes) value = combine(value, other);
        }
    }
    __syncthreads();
    if (lane == 0) parts[warp] = value;
    __syncthreads();
    value = parts[0];
    // Unrolled, so that all parts are read before the first is needed.
    if (THREADS != 0 || warps == USUAL_WARPS) {
        constexpr unsigned int WARPS = THREADS == 0 ? USUAL_WARPS : (THREADS + 31) / 32;
#pragma unroll
        for (unsigned int i = 1; i < WARPS; ++i) value = combine(value, parts[i]);
    } else {
        for (unsigned int i = 1; i < warps; ++i) value = combine(value, parts[i]);
    }
    return value;
}

// The sum, and the largest, of the values of all threads of a block; THREADS as for block_reduce.
template <unsigned int THREADS = 0, typename V>
__device__ __forceinline__ V block_sum(V value) {
    return block_reduce<THREADS>(value, [](V a, V b) { return a + b; });
}
template <unsigned int THREADS = 0, typename V>
__device__ __forceinline__ V block_max(V value) {
    return block_reduce<THREADS>(value, [](V a, V b) { return a > b ? a : b; });
}
