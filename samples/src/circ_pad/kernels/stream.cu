#include "funnel.cuh"
#include "plan.cuh"

// A vector of the output, element by element, from column `column` of `row` on.
template <typename T>
__device__ __forceinline__ uint4 gathered(const T* x, const Plan<u32>& plan, u32 row, u32 column) {
    const Axis<u32>& inner = plan.axes[0];
    u32 w[4] = {};
    const T* from = x + source_of_row(plan, row);
    u32 source = wrapped(column, inner);
#pragma unroll 1
    for (u32 i = 0; i < 16 / sizeof(T); ++i) {
        const u32 value = __ldg(from + source);
        constexpr u32 BITS = sizeof(T) == 2 ? 16 : 32;
        w[0] = __funnelshift_rc(w[0], w[1], BITS);
        w[1] = __funnelshift_rc(w[1], w[2], BITS);
        w[2] = __funnelshift_rc(w[2], w[3], BITS);
        w[3] = __funnelshift_rc(w[3], value, BITS);
        source = source + 1 == inner.extent ? 0 : source + 1;
        if (++column == inner.padded && row + 1 < plan.rows) {
            from = x + source_of_row(plan, ++row);
            column = 0;
            source = inner.offset;
        }
    }
    return make_uint4(w[0], w[1], w[2], w[3]);
}

// The output as one stream of vectors, whatever rows they are in: for rows so long that few vectors hold an edge. Each is cut
// out of the one or two of the input that it lies in.
template <u32 VECTORS, typename T>
__device__ __forceinline__ void pad_stream(const T* x, T* out, const Plan<u32>& plan) {
    constexpr u32 PER_VECTOR = 16 / sizeof(T);
    const Axis<u32>& inner = plan.axes[0];
    const u32 before = (0 - static_cast<u32>(reinterpret_cast<u64>(out))) % 16 / sizeof(T);
    const u32 head = before < plan.outputs ? before : plan.outputs;
    const u32 vectors = (plan.outputs - head) / PER_VECTOR;
    const u32 first = blockIdx.x * (blockDim.x * VECTORS) + threadIdx.x;
    uint4 low[VECTORS], high[VECTORS];
    u32 shifts[VECTORS];
#pragma unroll
    for (u32 i = 0; i < VECTORS; ++i) {
        const u32 vector = first + i * blockDim.x;
        if (vector >= vectors) continue;
        const u32 element = head + vector * PER_VECTOR;
        const u32 row = divide(element, inner.by_padded);
        const u32 column = element - row * inner.padded;
        const u32 source = wrapped(column, inner);
        const T* const from = x + source_of_row(plan, row) + source;
        shifts[i] = static_cast<u32>(reinterpret_cast<u64>(from) % 16);
        const uint4* const granules = reinterpret_cast<const uint4*>(reinterpret_cast<u64>(from) - shifts[i]);
        const bool whole = column + PER_VECTOR <= inner.padded && source + PER_VECTOR <= inner.extent &&
                           reinterpret_cast<const T*>(granules) >= x &&
                           reinterpret_cast<const T*>(granules + 1 + (shifts[i] != 0)) <= x + plan.inputs;
        if (whole) {
            low[i] = __ldg(granules);
            if (shifts[i] != 0) high[i] = __ldg(granules + 1);
        } else {
            low[i] = gathered(x, plan, row, column);
            shifts[i] = 0;
        }
    }
    uint4* const target = reinterpret_cast<uint4*>(out + head);
#pragma unroll
    for (u32 i = 0; i < VECTORS; ++i) {
        const u32 vector = first + i * blockDim.x;
        if (vector < vectors) target[vector] = funnel<T>(low[i], high[i], shifts[i]);
    }
    // What is before the first vector and behind the last.
    const u32 lone = threadIdx.x < head ? threadIdx.x : threadIdx.x + vectors * PER_VECTOR;
    if (blockIdx.x == 0 && lone < plan.outputs) {
        const u32 row = divide(lone, inner.by_padded);
        out[lone] = x[source_of_row(plan, row) + wrapped(lone - row * inner.padded, inner)];
    }
}

#define CIRC_PAD_STREAM(NAME, T)                                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                                                \
        circ_pad_stream_##NAME(const T* x, T* out, const __grid_constant__ Plan<u32> plan) {                         \
        pad_stream<2>(x, out, plan);                                                                                 \
    }

CIRC_PAD_STREAM(4x32, u32)
CIRC_PAD_STREAM(2x32, u16)
