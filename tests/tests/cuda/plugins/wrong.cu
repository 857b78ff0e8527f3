typedef unsigned long long u64;

// out = x + delta, and the count if it is to be written
extern "C" __global__ void misbehave_f32(const float* x, float* out, u64 n, float delta, int* count, int counted, unsigned write) {
    u64 i = blockIdx.x * (u64)blockDim.x + threadIdx.x;
    if (i < n) {
        out[i] = x[i] + delta;
    }
    if (i == 0 && write) {
        *count = counted;
    }
}

extern "C" __global__ void fill_f32(float* out, u64 n, float value) {
    u64 i = blockIdx.x * (u64)blockDim.x + threadIdx.x;
    if (i < n) {
        out[i] = value;
    }
}

// Writes where it was told to, whatever is there.
extern "C" __global__ void write_anywhere(u64 address, float value) {
    *(volatile float*)address = value;
}
