// Reformats of elements that lie in the same order on both sides, which may have more.

#include "reformat.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_flat(const u8* source, u8* target, const __grid_constant__ Work work) {
    const Conversion& conversion = work.conversion;
    if (conversion.source_bytes == 8 || conversion.target_bytes == 8) {
        convert_in_order<8, COUNT, 4>(source, target, conversion, elements_of(work));
    } else {
        convert_in_order<4, COUNT, 1>(source, target, conversion, elements_of(work));
    }
}

// Of at most 2 bytes on both sides: more of them each thread, as they take more instructions than memory.
extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_flat_small(const u8* source, u8* target, const __grid_constant__ Work work) {
    convert_in_order<2, 2 * COUNT, 2>(source, target, work.conversion, elements_of(work));
}
