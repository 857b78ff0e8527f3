// Reformats of 2^31 elements and more.

#include "reformat.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_any_wide(const u8* source, u8* target, const __grid_constant__ Work work) {
    any_layout<u64>(source, target, work);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_tiles_wide(const u8* source, u8* target, const __grid_constant__ Work work) {
    __shared__ Tile tile;
    in_tiles<1, u64>(source, target, work, tile.bytes);
}
