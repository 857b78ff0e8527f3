// y[i] = x[i] * factor
extern "C" __global__ void scale_f32(const float* x, long long n, float factor, float* y) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) {
        y[i] = x[i] * factor;
    }
}
