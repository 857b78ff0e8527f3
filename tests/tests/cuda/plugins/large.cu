typedef unsigned long long u64;
typedef long long i64;

// What element i of a ramp holds: numbers that both types hold exactly, also with 1 added; 0 at multiples of the period.
const u64 PERIOD = 2039;

__device__ float ramp(u64 i) {
    return (float)(i % PERIOD);
}

__device__ u64 first() {
    return blockIdx.x * (u64)blockDim.x + threadIdx.x;
}

__device__ u64 stride() {
    return gridDim.x * (u64)blockDim.x;
}

__device__ void store(float* place, float value) {
    *place = value;
}

__device__ void store(unsigned short* place, float value) {
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(*place) : "f"(value));
}

__device__ float load(const float* place) {
    return *place;
}

__device__ float load(const unsigned short* place) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(*place));
    return value;
}

template <typename T>
__device__ void fill(T* x, u64 n) {
    for (u64 i = first(); i < n; i += stride()) {
        store(x + i, ramp(i));
    }
}

extern "C" __global__ void ramp_f32(float* x, u64 n) {
    fill(x, n);
}

extern "C" __global__ void ramp_f16(unsigned short* x, u64 n) {
    fill(x, n);
}

struct Padded {
    u64 rows;
    u64 columns;
    u64 rows_before;
    u64 columns_before;
    u64 padded_columns;
    float delta;
    unsigned unused;
};

extern "C" __global__ void clear_i64(i64* wrong) {
    *wrong = 0;
}

// Counts elements that aren't those of a ramp of `rows` x `columns`, padded circularly, with something added.
template <typename T>
__device__ void count(const T* x, u64 n, Padded padded, u64* wrong) {
    u64 found = 0;
    for (u64 i = first(); i < n; i += stride()) {
        u64 row = (i / padded.padded_columns + padded.rows - padded.rows_before) % padded.rows;
        u64 column = (i % padded.padded_columns + padded.columns - padded.columns_before) % padded.columns;
        found += load(x + i) != ramp(row * padded.columns + column) + padded.delta;
    }
    if (found) {
        atomicAdd(wrong, found);
    }
}

extern "C" __global__ void count_wrong_f32(const float* x, u64 n, Padded padded, u64* wrong) {
    count(x, n, padded, wrong);
}

extern "C" __global__ void count_wrong_f16(const unsigned short* x, u64 n, Padded padded, u64* wrong) {
    count(x, n, padded, wrong);
}

// Counts positions that aren't those of a ramp's elements that aren't 0, in order; how many there are is on the device.
extern "C" __global__ void count_wrong_positions(const int* positions, const i64* extents, u64 columns, u64* wrong) {
    u64 found = 0, n = extents[0];
    for (u64 k = first(); k < n; k += stride()) {
        u64 i = k + k / (PERIOD - 1) + 1;
        found += positions[2 * k] != (int)(i / columns) || positions[2 * k + 1] != (int)(i % columns);
    }
    if (found) {
        atomicAdd(wrong, found);
    }
}
