// Reformats of less than 2^31 elements on either side, tile by tile.

#include "reformat.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_tiles(const u8* source, u8* target, const __grid_constant__ Work work) {
    __shared__ Tile tile;
    in_tiles<1, u32>(source, target, work, tile.bytes);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_several_tiles(const u8* source, u8* target, const __grid_constant__ Work work) {
    __shared__ Tile tile;
    in_tiles<MOST_AT_ONCE, u32>(source, target, work, tile.bytes);
}
