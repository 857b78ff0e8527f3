// Reformats between FP16, INT8 and INT4 from one layout to others.

#include "reformat/transpose_short.cuh"

#define REFORMAT_SHORT_TILES(FROM, TO)                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS)                                                            \
        reformat_short_tiles_##FROM##_##TO(const u8* source, u8* target, const __grid_constant__ Transposition work) { \
        __shared__ u32 tile[STORED_TILE_WORDS];                                                                      \
        transpose_short<FROM, TO>(source, target, work, tile);                                                       \
    }

REFORMAT_SHORT_TILES(16, 8)
REFORMAT_SHORT_TILES(16, 4)
REFORMAT_SHORT_TILES(8, 16)
REFORMAT_SHORT_TILES(8, 4)
REFORMAT_SHORT_TILES(4, 16)
REFORMAT_SHORT_TILES(4, 8)
