#include <plugin_runtime.cuh>
// Of a block. A constant, so that loops are unrolled and their reads are on the way together.
constexpr i64 THREADS = 256;
template <typename T> __global__ void normalize(const T* x, const T* weight, i64 columns, float epsilon, T* y) {
    x += blockIdx.x * columns, y += blockIdx.x * columns;
    float squares = 0;
    for (i64 i = threadIdx.x; i < columns; i += THREADS) squares += x[i] * x[i];
    float scale = rsqrtf(block_sum<THREADS>(squares) / columns + epsilon);
    for (i64 i = threadIdx.x; i < columns; i += THREADS) y[i] = x[i] * scale * weight[i];
}
