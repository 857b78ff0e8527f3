#include <plugin_runtime.cuh>
template <typename T> __global__ void compact(const T* x, i64 n, T* y, int* count) {
    __shared__ int counts[1024];
    i64 each = (n + 1023) / 1024, first = threadIdx.x * each, end = min(first + each, n), place = 0;
    int found = 0;
    for (i64 i = first; i < end; ++i) found += i == 0 || x[i] != x[i - 1];
    counts[threadIdx.x] = found;
    __syncthreads();
    for (int i = 0; i < threadIdx.x; ++i) place += counts[i];
    for (i64 i = first; i < end; ++i) if (i == 0 || x[i] != x[i - 1]) y[place++] = x[i];
    if (threadIdx.x == 1023) *count = place;
}
