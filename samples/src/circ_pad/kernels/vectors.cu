#include "funnel.cuh"
#include "plan.cuh"

// What is before and behind the vectors of a row, element by element. The first one of a lane is read when this is made, to
// be written when all else is on its way.
template <u32 LANES, typename T, typename Index>
struct Edges {
    const T* from;
    T* to;
    const Axis<Index>& axis;
    // Where the vectors begin, and elements that they hold.
    Index lead;
    Index run;
    T first;

    __device__ __forceinline__ Edges(const T* from, T* to, const Axis<Index>& axis, Index lead, Index run)
        : from(from), to(to), axis(axis), lead(lead), run(run) {
        const Index i = index();
        if (i < axis.padded - run) first = value(i);
    }

    __device__ __forceinline__ Index index() const { return blockIdx.y * LANES + threadIdx.x % LANES; }

    __device__ __forceinline__ Index column(Index i) const { return i < lead ? i : i + run; }

    __device__ __forceinline__ T value(Index i) const { return from[wrapped(column(i), axis)]; }

    __device__ __forceinline__ void write() const {
        Index i = index();
        if (i < axis.padded - run) to[column(i)] = first;
        for (i += gridDim.y * LANES; i < axis.padded - run; i += gridDim.y * LANES) to[column(i)] = value(i);
    }
};

// LANES neighbouring threads a row of the output, a vector of 16 bytes a lane at a time, VECTORS of them on their way
// together. A row is some wrapped elements, one run of the input's row as it is, and wrapped elements again. The run is
// written as vectors at multiples of 16 bytes, each cut out of the one or two of the input that it lies in.
template <u32 LANES, u32 VECTORS, typename T, typename Index>
__device__ __forceinline__ void pad_vectors(const T* x, T* out, const Plan<Index>& plan) {
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const u64 row = static_cast<u64>(blockIdx.x) * (blockDim.x / LANES) + threadIdx.x / LANES;
    if (row >= plan.rows) return;
    const Axis<Index>& axis = plan.axes[0];
    const T* from = x + source_of_row(plan, static_cast<Index>(row));
    T* to = out + row * axis.padded;

    // Columns before the run, then before its first element at a multiple of 16 bytes.
    Index lead = axis.offset != 0 ? axis.extent - axis.offset : 0;
    const u32 head = (0 - static_cast<u32>(reinterpret_cast<u64>(to + lead))) % 16 / sizeof(T);
    Index vectors = axis.extent >= head ? (axis.extent - head) / PER_VECTOR : 0;
    const u64 source = reinterpret_cast<u64>(from + head);
    const u32 shift = static_cast<u32>(source % 16);
    const uint4* granules = reinterpret_cast<const uint4*>(source - shift);
    // Nothing beyond the input is read, not even within 16 bytes.
    const bool inside = reinterpret_cast<const T*>(granules) >= x &&
                        reinterpret_cast<const T*>(granules + vectors + (shift != 0)) <= x + plan.inputs;
    if (!inside) vectors = 0;
    lead += head;

    const Edges<LANES, T, Index> edges(from, to, axis, lead, vectors * PER_VECTOR);
    const Part<Index> part(vectors, plan.segment / PER_VECTOR);
    const u32 lane = threadIdx.x % LANES;
    granules += part.begin + lane;
    uint4* target = reinterpret_cast<uint4*>(to + lead) + part.begin + lane;
    for (Index done = part.begin; done < part.end; done += VECTORS * LANES) {
        const Index left = part.end - done;
        uint4 low[VECTORS], high[VECTORS];
#pragma unroll
        for (u32 i = 0; i < VECTORS; ++i) {
            if (i * LANES + lane < left) {
                low[i] = __ldg(granules + i * LANES);
                if (shift != 0) high[i] = __ldg(granules + i * LANES + 1);
            }
        }
#pragma unroll
        for (u32 i = 0; i < VECTORS; ++i) {
            if (i * LANES + lane < left) target[i * LANES] = funnel<T>(low[i], high[i], shift);
        }
        granules += VECTORS * LANES;
        target += VECTORS * LANES;
    }
    edges.write();
}

#define CIRC_PAD_VECTORS(NAME, T, INDEX, LANES, VECTORS)                                                             \
    extern "C" __global__ void __launch_bounds__(256)                                                                \
        circ_pad_vectors_##NAME(const T* x, T* out, const __grid_constant__ Plan<INDEX> plan) {                      \
        pad_vectors<LANES, VECTORS>(x, out, plan);                                                                   \
    }

#if ELEMENT_BYTES == 4
CIRC_PAD_VECTORS(4x32_16, u32, u32, 16, 2)
CIRC_PAD_VECTORS(4x32_32, u32, u32, 32, 2)
CIRC_PAD_VECTORS(4x32_long, u32, u32, 32, 4)
#elif ELEMENT_BYTES == 2
CIRC_PAD_VECTORS(2x32_16, u16, u32, 16, 2)
CIRC_PAD_VECTORS(2x32_32, u16, u32, 32, 2)
CIRC_PAD_VECTORS(2x32_long, u16, u32, 32, 4)
#else
CIRC_PAD_VECTORS(4x64_long, u32, u64, 32, 4)
CIRC_PAD_VECTORS(2x64_long, u16, u64, 32, 4)
#endif
