// Twice each element, up to the true extent where only the GPU knows it.
extern "C" __global__ void twice_f32(const float* x, const long long* extent, long long known, float* y) {
    long long n = extent ? *extent : known;
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) {
        y[i] = 2 * x[i];
    }
}
