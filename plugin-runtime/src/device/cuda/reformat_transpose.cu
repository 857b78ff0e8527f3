// Reformats from one layout to another of elements that keep their bits.

#include "reformat/transpose.cuh"

// Of a multiprocessor at least; with one more, others than Hopper would have too few registers.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ / 100 != 9
constexpr u32 BLOCKS = 5;
#else
constexpr u32 BLOCKS = 6;
#endif

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    reformat_transpose_1(const u8* source, u8* target, const __grid_constant__ Transposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose<4>(source, target, work, tile);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    reformat_transpose_2(const u8* source, u8* target, const __grid_constant__ Transposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose<2>(source, target, work, tile);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    reformat_transpose_4(const u8* source, u8* target, const __grid_constant__ Transposition work) {
    __shared__ u32 tile[STORED_TILE_WORDS];
    transpose<1>(source, target, work, tile);
}
