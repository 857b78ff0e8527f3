#include <plugin_runtime.cuh>

typedef unsigned int index;

template <typename T>
__global__ void norm(const T* x, const T* scale, const T* bias, i64 rows, u32 n, index step, f32 epsilon, T* y) {
    y[rows * n * step] = x[0] * scale[0] + bias[0] + epsilon;
}

extern "C" __global__ void one_type(const float* x, float* y) { *y = *x; }

template <typename T>
__global__ void scale(const T* x, T factor, T* y) { *y = *x * factor; }
