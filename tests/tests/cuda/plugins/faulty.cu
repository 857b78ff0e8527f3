#include <plugin_runtime.cuh>

// y[r, c] = x[r, c] + the sum of the row's first 256 elements, by way of shared memory that isn't waited for.
template <typename T>
__global__ void add_row_sum(const T* x, i64 columns, int waits, T* y) {
    __shared__ float parts[256];
    const T* row = x + blockIdx.x * columns;
    // The last threads are late.
    if (threadIdx.x >= 128) __nanosleep(20000);
    parts[threadIdx.x] = threadIdx.x < columns ? static_cast<float>(row[threadIdx.x]) : 0.0f;
    if (waits) __syncthreads();
    float sum = 0;
    for (int i = 0; i < 256; ++i) sum += static_cast<volatile float*>(parts)[i];
    for (i64 c = threadIdx.x; c < columns; c += blockDim.x) y[blockIdx.x * columns + c] = row[c] + sum;
}

// y[r, c] = x[r, c] * r, with rows of `columns`, or of as many as the device knows.
template <typename T>
__global__ void times_row(const T* x, i64 n, i64 columns, const long long* extents, T* y) {
    i64 i = thread_in_grid(), row = extents ? extents[1] : columns, count = extents ? extents[0] * extents[1] : n;
    if (i < count && row > 0) y[i] = x[i] * static_cast<float>(i / row);
}

// y = 2 x, and one more behind its end.
template <typename T>
__global__ void double_beyond(const T* x, i64 n, T* y) {
    i64 i = thread_in_grid();
    if (i < n) y[i] = x[i] * 2.0f;
    if (i == n) y[i] = 1.0f;
}
