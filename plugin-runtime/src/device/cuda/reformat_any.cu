// Reformats of less than 2^31 elements on either side, each looked up by itself.

#include "reformat.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_any(const u8* source, u8* target, const __grid_constant__ Work work) {
    any_layout<u32>(source, target, work);
}
