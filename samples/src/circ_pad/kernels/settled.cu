#include "plan.cuh"

// Pads around a tensor whose extents only the device knows.
struct Pads {
    u32 rank;
    u32 before[MAX_RANK];
    u32 after[MAX_RANK];
};

// Any extents, an element a thread. `elements` is the most that there can be in the output.
template <typename T>
__device__ __forceinline__ void pad_settled(const T* x, T* out, u64 elements, const long long* extents, const Pads& pads) {
    u64 outputs = 1;
    for (u32 i = 0; i < pads.rank; ++i) outputs *= static_cast<u64>(extents[i]) + pads.before[i] + pads.after[i];
    // There is nothing to put around an empty tensor.
    for (u32 i = 0; i < pads.rank; ++i) outputs = extents[i] > 0 ? outputs : 0;
    outputs = outputs < elements ? outputs : elements;
    const u64 step = static_cast<u64>(gridDim.x) * blockDim.x;
    for (u64 i = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x; i < outputs; i += step) {
        u64 rest = i, source = 0, stride = 1;
        for (u32 axis = pads.rank; axis-- > 0;) {
            const u64 extent = static_cast<u64>(extents[axis]);
            const u64 padded = extent + pads.before[axis] + pads.after[axis];
            source += (rest % padded + extent - pads.before[axis] % extent) % extent * stride;
            rest /= padded;
            stride *= extent;
        }
        out[i] = x[source];
    }
}

#define CIRC_PAD_SETTLED(NAME, T)                                                                                    \
    extern "C" __global__ void __launch_bounds__(1024)                                                               \
        circ_pad_settled_##NAME(const T* x, T* out, u64 elements, const long long* extents,                          \
                                const __grid_constant__ Pads pads) {                                                 \
        pad_settled(x, out, elements, extents, pads);                                                                \
    }

CIRC_PAD_SETTLED(4, u32)
CIRC_PAD_SETTLED(2, u16)
