// Reformats from one layout and type to others, of elements of four bytes.

#include "reformat/transpose_cast.cuh"

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_cast_4_1(const u8* source, u8* target, const __grid_constant__ CastTransposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose_cast<1, 4>(source, target, work, tile);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_cast_4_2(const u8* source, u8* target, const __grid_constant__ CastTransposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose_cast<1, 2>(source, target, work, tile);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_cast_4_4(const u8* source, u8* target, const __grid_constant__ CastTransposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose_cast<1, 1>(source, target, work, tile);
}
