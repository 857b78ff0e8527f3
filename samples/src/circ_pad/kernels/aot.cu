#include "plan.cuh"

// Four dimensions, an element a thread, for engines that hold the compiled kernel: inputs, numbers, outputs. The numbers
// are the pads before each dimension, the input's extents, the output's last three, and the elements of both.
template <typename T>
__device__ __forceinline__ void pad_aot(const T* x, int p0, int p1, int p2, int p3, int d0, int d1, int d2, int d3, int y1,
                                        int y2, int y3, int xn, int yn, T* out) {
    const u64 thread = static_cast<u64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (yn <= 0 || thread >= static_cast<u64>(yn)) return;
    u32 index = static_cast<u32>(thread);
    const u32 i3 = index % y3;
    index /= y3;
    const u32 i2 = index % y2;
    index /= y2;
    const u32 i1 = index % y1;
    const u32 i0 = index / y1;
    // The pads may go around more than once.
    const auto source = [](u32 i, u32 pad, u32 extent) { return (i + (extent - pad % extent)) % extent; };
    u32 from = source(i0, p0, d0);
    from = from * d1 + source(i1, p1, d1);
    from = from * d2 + source(i2, p2, d2);
    from = from * d3 + source(i3, p3, d3);
    if (from < static_cast<u32>(xn)) out[thread] = x[from];
}

#define CIRC_PAD_AOT(NAME, T)                                                                                        \
    extern "C" __global__ void circ_pad_aot_##NAME(const T* x, int p0, int p1, int p2, int p3, int d0, int d1,       \
                                                   int d2, int d3, int y1, int y2, int y3, int xn, int yn, T* out) { \
        pad_aot(x, p0, p1, p2, p3, d0, d1, d2, d3, y1, y2, y3, xn, yn, out);                                         \
    }

CIRC_PAD_AOT(f32, u32)
CIRC_PAD_AOT(f16, u16)
