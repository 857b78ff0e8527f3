#include <plugin_runtime.cuh>
template <typename T> __global__ void tile(const T* x, i64 len, T* y, i64 n) {
    for (i64 i = thread_in_grid(); i < n; i += threads_in_grid()) y[i] = x[i % len];
}
