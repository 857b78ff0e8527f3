#include <plugin_runtime.cuh>

// The sum, and the largest, of what the threads of a block have, as each of them is told.
template <unsigned int THREADS>
__device__ __forceinline__ void reduce(const i32* x, i32* sums, i32* largest) {
    const i32 own = x[threadIdx.x];
    sums[threadIdx.x] = block_sum<THREADS>(own);
    largest[threadIdx.x] = block_max<THREADS>(own);
}

extern "C" __global__ void reduce_any(const i32* x, i32* sums, i32* largest) { reduce<0>(x, sums, largest); }
extern "C" __global__ void reduce_33(const i32* x, i32* sums, i32* largest) { reduce<33>(x, sums, largest); }
extern "C" __global__ void reduce_256(const i32* x, i32* sums, i32* largest) { reduce<256>(x, sums, largest); }
extern "C" __global__ void reduce_1024(const i32* x, i32* sums, i32* largest) { reduce<1024>(x, sums, largest); }
