// The plugins' kernels as one writes them without templates that are instantiated by the declaration, and without the runtime's
// header: a function for each element type, conversions and reductions of one's own.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;

struct F32 {
    typedef float Bits;
    static __device__ __forceinline__ float wide(float x) { return x; }
    static __device__ __forceinline__ float narrow(float x) { return x; }
};

struct F16 {
    typedef u16 Bits;
    static __device__ __forceinline__ float wide(u16 bits) {
        float x;
        asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
        return x;
    }
    static __device__ __forceinline__ u16 narrow(float x) {
        u16 bits;
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
        return bits;
    }
};

struct BF16 {
    typedef u16 Bits;
    static __device__ __forceinline__ float wide(u16 bits) { return __uint_as_float(static_cast<u32>(bits) << 16); }
    static __device__ __forceinline__ u16 narrow(float x) {
        u32 bits = __float_as_uint(x);
        bool is_nan = (bits & 0x7fffffff) > 0x7f800000;
        return is_nan ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    }
};

__device__ __forceinline__ i64 thread() { return blockIdx.x * static_cast<i64>(blockDim.x) + threadIdx.x; }

// Of blocks of 256 threads, which all come here: the sum, or the largest, of a value of each.
template <bool SUM>
__device__ __forceinline__ float reduce(float value) {
    __shared__ float parts[8];
    for (int step = 16; step > 0; step /= 2) {
        float other = __shfl_xor_sync(0xffffffff, value, step);
        value = SUM ? value + other : fmaxf(value, other);
    }
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
    __syncthreads();
    value = parts[0];
    for (int i = 1; i < 8; ++i) value = SUM ? value + parts[i] : fmaxf(value, parts[i]);
    return value;
}

template <typename T>
__device__ __forceinline__ void roll(const T* x, i64 n, i64 extent, i64 inner, i64 shift, T* y) {
    i64 i = thread();
    if (i >= n) return;
    i64 index = i / inner % extent, from = index >= shift ? index - shift : index - shift + extent;
    y[i] = x[i + (from - index) * inner];
}
extern "C" __global__ void roll_f32(const float* x, i64 n, i64 extent, i64 inner, i64 shift, float* y) {
    roll(x, n, extent, inner, shift, y);
}
extern "C" __global__ void roll_f16(const u16* x, i64 n, i64 extent, i64 inner, i64 shift, u16* y) {
    roll(x, n, extent, inner, shift, y);
}
extern "C" __global__ void roll_bf16(const u16* x, i64 n, i64 extent, i64 inner, i64 shift, u16* y) {
    roll(x, n, extent, inner, shift, y);
}
extern "C" __global__ void roll_i32(const int* x, i64 n, i64 extent, i64 inner, i64 shift, int* y) {
    roll(x, n, extent, inner, shift, y);
}

template <typename E, typename T = typename E::Bits>
__device__ __forceinline__ void normalize(const T* x, const T* weight, i64 columns, float epsilon, T* y) {
    x += blockIdx.x * columns, y += blockIdx.x * columns;
    float squares = 0;
    for (i64 i = threadIdx.x; i < columns; i += 256) squares += E::wide(x[i]) * E::wide(x[i]);
    float scale = rsqrtf(reduce<true>(squares) / columns + epsilon);
    for (i64 i = threadIdx.x; i < columns; i += 256) y[i] = E::narrow(E::wide(x[i]) * scale * E::wide(weight[i]));
}
extern "C" __global__ void normalize_f32(const float* x, const float* weight, i64 columns, float epsilon, float* y) {
    normalize<F32>(x, weight, columns, epsilon, y);
}
extern "C" __global__ void normalize_f16(const u16* x, const u16* weight, i64 columns, float epsilon, u16* y) {
    normalize<F16>(x, weight, columns, epsilon, y);
}
extern "C" __global__ void normalize_bf16(const u16* x, const u16* weight, i64 columns, float epsilon, u16* y) {
    normalize<BF16>(x, weight, columns, epsilon, y);
}

template <typename E, typename T = typename E::Bits>
__device__ __forceinline__ void mark(const T* x, i64 n, i64 columns, i64 k, u8* mask) {
    i64 i = thread();
    if (i >= n) return;
    i64 row = i / columns * columns, rank = 0;
    float own = E::wide(x[i]);
    for (i64 j = row; j < row + columns && rank < k; ++j) {
        float other = E::wide(x[j]);
        rank += other > own || (other == own && j < i);
    }
    mask[i] = rank < k;
}
extern "C" __global__ void mark_f32(const float* x, i64 n, i64 columns, i64 k, u8* mask) {
    mark<F32>(x, n, columns, k, mask);
}
extern "C" __global__ void mark_f16(const u16* x, i64 n, i64 columns, i64 k, u8* mask) {
    mark<F16>(x, n, columns, k, mask);
}

template <typename T>
__device__ __forceinline__ void compact(const T* x, i64 n, T* y, int* count) {
    __shared__ int counts[1024];
    i64 each = (n + 1023) / 1024, first = threadIdx.x * each, end = min(first + each, n), place = 0;
    int found = 0;
    for (i64 i = first; i < end; ++i) found += i == 0 || x[i] != x[i - 1];
    counts[threadIdx.x] = found;
    __syncthreads();
    for (int i = 0; i < threadIdx.x; ++i) place += counts[i];
    for (i64 i = first; i < end; ++i) {
        if (i == 0 || x[i] != x[i - 1]) y[place++] = x[i];
    }
    if (threadIdx.x == 1023) *count = place;
}
extern "C" __global__ void compact_f32(const float* x, i64 n, float* y, int* count) { compact(x, n, y, count); }
extern "C" __global__ void compact_i32(const int* x, i64 n, int* y, int* count) { compact(x, n, y, count); }

template <typename E, typename T = typename E::Bits>
__device__ __forceinline__ void multiply(const T* x, i64 n, i64 columns, const T* s, T* y) {
    i64 i = thread();
    if (i < n) y[i] = E::narrow(E::wide(x[i]) * E::wide(s[i / columns]));
}
extern "C" __global__ void multiply_f32(const float* x, i64 n, i64 columns, const float* s, float* y) {
    multiply<F32>(x, n, columns, s, y);
}
extern "C" __global__ void multiply_f16(const u16* x, i64 n, i64 columns, const u16* s, u16* y) {
    multiply<F16>(x, n, columns, s, y);
}
extern "C" __global__ void multiply_bf16(const u16* x, i64 n, i64 columns, const u16* s, u16* y) {
    multiply<BF16>(x, n, columns, s, y);
}

template <typename E, typename T = typename E::Bits>
__device__ __forceinline__ void add(const T* bias, i64 columns, T* x, i64 n) {
    i64 i = thread();
    if (i < n) x[i] = E::narrow(E::wide(x[i]) + E::wide(bias[i % columns]));
}
extern "C" __global__ void add_f32(const float* bias, i64 columns, float* x, i64 n) { add<F32>(bias, columns, x, n); }
extern "C" __global__ void add_f16(const u16* bias, i64 columns, u16* x, i64 n) { add<F16>(bias, columns, x, n); }
extern "C" __global__ void add_bf16(const u16* bias, i64 columns, u16* x, i64 n) { add<BF16>(bias, columns, x, n); }

template <typename T>
__device__ __forceinline__ void tile(const T* x, i64 len, T* y, i64 n) {
    for (i64 i = thread(); i < n; i += gridDim.x * static_cast<i64>(blockDim.x)) y[i] = x[i % len];
}
extern "C" __global__ void tile_f32(const float* x, i64 len, float* y, i64 n) { tile(x, len, y, n); }
extern "C" __global__ void tile_f16(const u16* x, i64 len, u16* y, i64 n) { tile(x, len, y, n); }
extern "C" __global__ void tile_bf16(const u16* x, i64 len, u16* y, i64 n) { tile(x, len, y, n); }

template <typename E, typename T = typename E::Bits>
__device__ __forceinline__ void measure(const T* x, i64 columns, float* rows) {
    x += blockIdx.x * columns;
    float most = __int_as_float(0xff800000), sum = 0;
    for (i64 i = threadIdx.x; i < columns; i += 256) most = fmaxf(most, E::wide(x[i]));
    most = reduce<false>(most);
    for (i64 i = threadIdx.x; i < columns; i += 256) sum += expf(E::wide(x[i]) - most);
    rows[2 * blockIdx.x] = most, rows[2 * blockIdx.x + 1] = reduce<true>(sum);
}
extern "C" __global__ void measure_f32(const float* x, i64 columns, float* rows) { measure<F32>(x, columns, rows); }
extern "C" __global__ void measure_f16(const u16* x, i64 columns, float* rows) { measure<F16>(x, columns, rows); }
extern "C" __global__ void measure_bf16(const u16* x, i64 columns, float* rows) { measure<BF16>(x, columns, rows); }

template <typename E, typename T = typename E::Bits>
__device__ __forceinline__ void divide(const T* x, i64 n, i64 columns, const float* rows, T* y) {
    i64 i = thread();
    if (i >= n) return;
    i64 row = i / columns * 2;
    y[i] = E::narrow(expf(E::wide(x[i]) - rows[row]) / rows[row + 1]);
}
extern "C" __global__ void divide_f32(const float* x, i64 n, i64 columns, const float* rows, float* y) {
    divide<F32>(x, n, columns, rows, y);
}
extern "C" __global__ void divide_f16(const u16* x, i64 n, i64 columns, const float* rows, u16* y) {
    divide<F16>(x, n, columns, rows, y);
}
extern "C" __global__ void divide_bf16(const u16* x, i64 n, i64 columns, const float* rows, u16* y) {
    divide<BF16>(x, n, columns, rows, y);
}
