// Rows and columns of a matrix's elements that aren't zero, by CUB's selection: what somebody who knows it would write.
#include <cub/cub.cuh>
#include <cuda_fp16.h>

// CUB asks for the index of an element, and whether it is to be kept.
template <typename T>
struct IsSet {
    const T* x;
    __device__ bool operator()(long long i) const { return static_cast<float>(x[i]) != 0.0f; }
};

// Where an index goes to: its row and column.
struct Positions {
    using value_type = long long;
    using difference_type = long long;
    using pointer = void;
    using reference = void;
    using iterator_category = std::random_access_iterator_tag;
    struct Place {
        int2* to;
        unsigned columns;
        __device__ void operator=(long long i) const {
            const unsigned element = static_cast<unsigned>(i);
            *to = make_int2(element / columns, element % columns);
        }
    };
    int2* out;
    unsigned columns;
    __host__ __device__ Place operator*() const { return {out, columns}; }
    __host__ __device__ Place operator[](long long i) const { return {out + i, columns}; }
    __host__ __device__ Positions operator+(long long i) const { return {out + i, columns}; }
    __host__ __device__ Positions& operator+=(long long i) {
        out += i;
        return *this;
    }
};

template <typename T>
static int select(const T* x, long long n, unsigned columns, int2* out, long long* count, void* scratch, size_t* bytes,
                  cudaStream_t stream) {
    thrust::counting_iterator<long long> indices(0);
    return cub::DeviceSelect::If(scratch, *bytes, indices, Positions{out, columns}, count, n, IsSet<T>{x}, stream);
}

// With null scratch memory, sets how many bytes of it are needed. Returns CUDA's error.
extern "C" int non_zero_f32(const float* x, long long n, unsigned columns, int2* out, long long* count, void* scratch,
                            size_t* bytes, cudaStream_t stream) {
    return select(x, n, columns, out, count, scratch, bytes, stream);
}

extern "C" int non_zero_f16(const __half* x, long long n, unsigned columns, int2* out, long long* count, void* scratch,
                            size_t* bytes, cudaStream_t stream) {
    return select(x, n, columns, out, count, scratch, bytes, stream);
}
