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

// Sixteen elements each thread of a block that has as many, where words are at hand.
__device__ inline bool narrow_or_widen(const u8* source, u8* target, const Conversion& conversion, u64 elements) {
    constexpr u32 ALL = 2 * COUNT;
    const bool narrows = only_narrows(conversion);
    if (!narrows && !only_widens(conversion)) {
        return false;
    }
    if ((blockIdx.x + 1ull) * THREADS * ALL > elements || !is_aligned<4>(source) || !is_aligned<4>(target)) {
        return false;
    }
    u64 first = ((u64)blockIdx.x * THREADS + threadIdx.x) * ALL;
    u32 bytes[ALL / 4], halves[ALL / 8];
    if (narrows) {
        read_words(source + first, bytes);
        EACH_OF(ALL / 8) halves[k] = narrow(bytes[2 * k], bytes[2 * k + 1]);
        write_words(target + first / 2, halves);
    } else {
        read_words(source + first / 2, halves);
        EACH_OF(ALL / 8) widen(halves[k], bytes[2 * k], bytes[2 * k + 1]);
        write_words(target + first, bytes);
    }
    return true;
}

// Of at most 2 bytes on both sides: more of them each thread, as they take more instructions than memory.
extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_flat_small(const u8* source, u8* target, const __grid_constant__ Work work) {
    const u64 elements = elements_of(work);
    if (!narrow_or_widen(source, target, work.conversion, elements)) {
        convert_in_order<2, 2 * COUNT, 2>(source, target, work.conversion, elements);
    }
}
