#include "plan.cuh"

// An element a thread at a time.
template <typename T, typename Index>
__device__ __forceinline__ void pad_elements(const T* x, T* out, const Plan<Index>& plan) {
    const u64 step = static_cast<u64>(gridDim.x) * blockDim.x;
    for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < plan.outputs; i += step) {
        const Index element = static_cast<Index>(i);
        const Index row = divide(element, plan.axes[0].by_padded);
        const Index column = element - row * plan.axes[0].padded;
        out[i] = x[source_of_row(plan, row) + wrapped(column, plan.axes[0])];
    }
}

#define CIRC_PAD_ELEMENTS(NAME, T, INDEX)                                                                            \
    extern "C" __global__ void __launch_bounds__(1024)                                                               \
        circ_pad_elements_##NAME(const T* x, T* out, const __grid_constant__ Plan<INDEX> plan) {                     \
        pad_elements(x, out, plan);                                                                                  \
    }

CIRC_PAD_ELEMENTS(4x32, u32, u32)
CIRC_PAD_ELEMENTS(2x32, u16, u32)
CIRC_PAD_ELEMENTS(4x64, u32, u64)
CIRC_PAD_ELEMENTS(2x64, u16, u64)
