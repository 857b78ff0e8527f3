#pragma once

#include "plan.cuh"

// 16 bytes of the 32 of `low` and `high`, from byte `shift` on, which is a multiple of the element's size.
template <typename T>
__device__ __forceinline__ uint4 funnel(uint4 low, uint4 high, u32 shift) {
    u32 w[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
    if (shift & 8) {
#pragma unroll
        for (int i = 0; i < 6; ++i) w[i] = w[i + 2];
    }
    if (shift & 4) {
#pragma unroll
        for (int i = 0; i < 5; ++i) w[i] = w[i + 1];
    }
    if constexpr (sizeof(T) == 2) {
        const u32 bits = (shift & 2) * 8;
#pragma unroll
        for (int i = 0; i < 4; ++i) w[i] = __funnelshift_r(w[i], w[i + 1], bits);
    }
    return make_uint4(w[0], w[1], w[2], w[3]);
}
