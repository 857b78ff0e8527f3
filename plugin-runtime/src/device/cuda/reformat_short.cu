// Reformats between FP16, INT8 and INT4 of elements that lie in the same order on both sides.

#include "reformat.cuh"
#include "reformat/short.cuh"

// As in reformat/work.rs.
constexpr u32 TIMES = 2;

#define REFORMAT_SHORT(FROM, TO)                                                                                     \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
        reformat_short_##FROM##_##TO(const u8* source, u8* target, const __grid_constant__ Work work) {              \
        convert_short<FROM, TO, TIMES>(source, target, elements_of(work));                                        \
    }

REFORMAT_SHORT(16, 8)
REFORMAT_SHORT(16, 4)
REFORMAT_SHORT(8, 16)
REFORMAT_SHORT(8, 4)
REFORMAT_SHORT(4, 16)
REFORMAT_SHORT(4, 8)
