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

// Of FP16 the sign bit is turned over.
extern "C" __global__ void ahead_negated(const unsigned short* x, unsigned short* y, long long n) {
    const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i] ^ 0x8000;
}

// By one thread, in order.
extern "C" __global__ void ahead_kept(const float* x, long long n, float* kept, long long* count) {
    long long found = 0;
    for (long long i = 0; i < n; ++i) {
        if (x[i] > 0.0f) kept[found++] = x[i];
    }
    *count = found;
}
