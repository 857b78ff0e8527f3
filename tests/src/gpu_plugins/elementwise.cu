typedef unsigned long long u64;
typedef long long i64;

__device__ u64 position() {
    return blockIdx.x * (u64)blockDim.x + threadIdx.x;
}

// The number of elements: on the device where only that knows an extent. What is beyond it was never written.
__device__ u64 elements(u64 known, const i64* extents, unsigned rank) {
    if (!extents) {
        return known;
    }
    u64 product = 1;
    for (unsigned axis = 0; axis < rank; ++axis) {
        product *= (u64)extents[axis];
    }
    return product;
}

__device__ float widen(unsigned short half) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}

__device__ unsigned short narrow(float value) {
    unsigned short half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}

extern "C" __global__ void scale_f32(const float* x, float* out, u64 known, const i64* extents, unsigned rank, float factor) {
    u64 i = position(), n = elements(known, extents, rank);
    if (i < n) {
        out[i] = x[i] * factor;
    }
}

extern "C" __global__ void scale_f16(const unsigned short* x, unsigned short* out, u64 known, const i64* extents, unsigned rank, float factor) {
    u64 i = position(), n = elements(known, extents, rank);
    if (i < n) {
        out[i] = narrow(widen(x[i]) * factor);
    }
}

extern "C" __global__ void split_signs_f32(const float* x, float* positive, float* negative, u64 n) {
    u64 i = position();
    if (i < n) {
        positive[i] = x[i] > 0 ? x[i] : 0.0f;
        negative[i] = x[i] < 0 ? x[i] : 0.0f;
    }
}

extern "C" __global__ void add_in_place_f32(float* x, u64 known, const i64* extents, unsigned rank, float delta) {
    u64 i = position(), n = elements(known, extents, rank);
    if (i < n) {
        x[i] += delta;
    }
}

extern "C" __global__ void reverse_f32(const float* x, float* out, u64 n) {
    u64 i = position();
    if (i < n) {
        out[n - 1 - i] = x[i];
    }
}

// out = reversed, then x
extern "C" __global__ void join_f32(const float* reversed, const float* x, float* out, u64 n) {
    u64 i = position();
    if (i < n) {
        out[i] = reversed[i];
        out[n + i] = x[i];
    }
}

struct Affine {
    i64 shift;
    float factors[4];
    unsigned count;
    unsigned negate;
};

extern "C" __global__ void affine_f32(const float* x, float* out, u64 known, const i64* extents, unsigned rank, Affine affine) {
    u64 i = position(), n = elements(known, extents, rank);
    if (i < n) {
        float value = __fadd_rn(__fmul_rn(x[i], affine.factors[i % affine.count]), (float)affine.shift);
        out[i] = affine.negate ? -value : value;
    }
}
