// Reformats from one layout and type to others, of elements of two bytes.

#include "reformat/transpose_cast.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_cast_2_1(const u8* source, u8* target, const __grid_constant__ CastTransposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose_cast<2, 4>(source, target, work, tile);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_cast_2_2(const u8* source, u8* target, const __grid_constant__ CastTransposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose_cast<2, 2>(source, target, work, tile);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_cast_2_4(const u8* source, u8* target, const __grid_constant__ CastTransposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose_cast<2, 1>(source, target, work, tile);
}
