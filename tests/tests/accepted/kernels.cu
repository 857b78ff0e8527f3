extern "C" __global__ void scale_f32(const float* x, long long n, float factor, float* y) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i] * factor;
}

template <typename T>
__global__ void add(const T* a, const T* b, T* sum) {
    sum[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x];
}

__global__ void mangled(float* y) { *y = 0; }
