typedef unsigned long long u64;

__device__ u64 nanoseconds() {
    u64 now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
    return now;
}

// Waits before it reads. One block.
extern "C" __global__ void late_copy_f32(const float* x, float* out, u64 n, u64 wait) {
    u64 start = nanoseconds();
    while (nanoseconds() - start < wait) {
    }
    __syncthreads();
    for (u64 i = threadIdx.x; i < n; i += blockDim.x) {
        out[i] = x[i];
    }
}
