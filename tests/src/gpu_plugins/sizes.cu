typedef unsigned long long u64;
typedef long long i64;

const unsigned THREADS = 256;

// The true extent of a vector: on the device where only that knows it.
__device__ u64 extent(const i64* true_extents, u64 known) {
    return true_extents ? (u64)true_extents[0] : known;
}

// One block; the order stays.
template <typename Count>
__device__ void keep_positive(const float* x, const i64* true_extents, u64 known, float* out, Count* count) {
    __shared__ unsigned kept[THREADS];
    unsigned thread = threadIdx.x;
    u64 n = extent(true_extents, known), written = 0;
    for (u64 base = 0; base < n; base += THREADS) {
        u64 i = base + thread;
        bool keep = i < n && x[i] > 0;
        kept[thread] = keep;
        __syncthreads();
        for (unsigned distance = 1; distance < THREADS; distance *= 2) {
            unsigned before = thread >= distance ? kept[thread - distance] : 0;
            __syncthreads();
            kept[thread] += before;
            __syncthreads();
        }
        if (keep) {
            out[written + kept[thread] - 1] = x[i];
        }
        written += kept[THREADS - 1];
        __syncthreads();
    }
    if (thread == 0) {
        *count = (Count)written;
    }
}

extern "C" __global__ void keep_positive_i32(const float* x, const i64* extents, u64 known, float* out, int* count) {
    keep_positive(x, extents, known, out, count);
}

extern "C" __global__ void keep_positive_i64(const float* x, const i64* extents, u64 known, float* out, i64* count) {
    keep_positive(x, extents, known, out, count);
}

// One block.
extern "C" __global__ void sum_f32(const float* x, const i64* extents, u64 known, float* out) {
    __shared__ float sums[THREADS];
    u64 n = extent(extents, known);
    float own = 0;
    for (u64 i = threadIdx.x; i < n; i += THREADS) {
        own += x[i];
    }
    sums[threadIdx.x] = own;
    __syncthreads();
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        out[0] = sums[0];
    }
}

// The count, then each element and its negative: of 2 n + 1 elements, which the output's extents say.
extern "C" __global__ void signed_pairs_f32(const float* x, const i64* extents, u64 known, float* out) {
    u64 n = (extent(extents, known) - 1) / 2;
    u64 i = blockIdx.x * (u64)blockDim.x + threadIdx.x;
    if (i == 0) {
        out[0] = (float)n;
    }
    if (i < n) {
        out[1 + 2 * i] = x[i];
        out[2 + 2 * i] = -x[i];
    }
}

// A thread a column; both extents are read where only the device knows one.
extern "C" __global__ void column_sums_i32(const int* x, const i64* extents, u64 rows, u64 columns, i64* out) {
    u64 column = blockIdx.x * (u64)blockDim.x + threadIdx.x;
    if (extents) {
        rows = extents[0];
        columns = extents[1];
    }
    if (column < columns) {
        i64 sum = 0;
        for (u64 row = 0; row < rows; ++row) {
            sum += x[row * columns + column];
        }
        out[column] = sum;
    }
}
