// Reformats of elements that lie in the same order on both sides, which may have more.

#include "reformat.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_flat(const u8* source, u8* target, const __grid_constant__ Work work) {
    in_order(source, target, work);
}
