#include <plugin_runtime.cuh>
template <typename T> __global__ void roll_elements(const T* x, i64 n, i64 extent, i64 inner, i64 shift, T* y) {
    i64 i = thread_in_grid(), index = i / inner % extent, from = index - shift + (index < shift ? extent : 0);
    if (i < n) y[i] = x[i + (from - index) * inner];
}
