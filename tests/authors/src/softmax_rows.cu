#include <plugin_runtime.cuh>
// Of a block. A constant, so that loops are unrolled and their reads are on the way together.
constexpr i64 THREADS = 256;
template <typename T> __global__ void measure(const T* x, i64 columns, float* rows) {
    x += blockIdx.x * columns;
    float most = -INFINITY, sum = 0;
    for (i64 i = threadIdx.x; i < columns; i += THREADS) most = fmaxf(most, x[i]);
    most = block_max<THREADS>(most);
    for (i64 i = threadIdx.x; i < columns; i += THREADS) sum += expf(x[i] - most);
    rows[2 * blockIdx.x] = most, rows[2 * blockIdx.x + 1] = block_sum<THREADS>(sum);
}
template <typename T> __global__ void divide(const T* x, i64 n, i64 columns, const float* rows, T* y) {
    i64 i = thread_in_grid();
    if (i >= n) return;
    i64 row = i / columns * 2;
    y[i] = expf(x[i] - rows[row]) / rows[row + 1];
}
