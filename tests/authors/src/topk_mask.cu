#include <plugin_runtime.cuh>
template <typename T> __global__ void mark(const T* x, i64 n, i64 columns, i64 k, u8* mask) {
    i64 i = thread_in_grid(), row = i / columns * columns, rank = 0;
    if (i >= n) return;
    for (i64 j = row; j < row + columns && rank < k; ++j) rank += x[j] > x[i] || (x[j] == x[i] && j < i);
    mask[i] = rank < k;
}
