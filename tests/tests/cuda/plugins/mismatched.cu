// Declared with a 64-bit count, which only the compiler of CUDA finds out.
#define KERNEL(NAME) extern "C" __global__ void NAME(const float* x, float* out, unsigned n)

KERNEL(copy_mismatched) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        out[i] = x[i];
    }
}
