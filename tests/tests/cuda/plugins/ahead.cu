// Kernels that engines hold.

extern "C" __global__ void ahead_double(const float* x, float* doubled, int n) {
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n) doubled[i] = 2.0f * x[i];
}

// Out of scratch memory, backwards.
extern "C" __global__ void ahead_shift(const float* doubled, float* y, long long n, float delta) {
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n) y[i] = doubled[n - 1 - i] + delta;
}

// What is beyond the count isn't touched.
extern "C" __global__ void ahead_counted(const float* x, const long long* count, float* y) {
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < *count) y[i] = x[i] * x[i];
}

// A row of blocks for each element, far beyond what a grid can have in y.
extern "C" __global__ void ahead_tall(const float* x, float* y) {
    if (threadIdx.x == 0) y[blockIdx.y] = x[blockIdx.y];
}
