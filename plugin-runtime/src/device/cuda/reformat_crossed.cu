// Channels in one dimension, all side by side, and then in another: [outer][rows][places][lanes] to [outer][lanes][places][rows].
//
// A thread turns eight by eight elements in registers: eight rows of eight lanes, which are a vector. A warp has neighbouring
// vectors of a row and some neighbouring rows of eight, so that both sides move whole sectors.

#include "reformat/transpose.cuh"

// As in reformat/crossing.rs.
struct Crossing {
    u32 warps;
    u32 places;
    // In eights.
    u32 row_blocks;
    u32 lane_blocks;
    // Vectors of a row of the source.
    u32 row_vectors;
    // In how many bits the neighbouring rows of eight of a warp are counted.
    u32 together_bits;
    Divider by_runs;
    Divider by_row_tiles;
    Divider by_lane_blocks;
};

// K elements a word.
template <u32 K>
__device__ inline void cross(const u8* source, u8* target, const Crossing& work) {
    constexpr u32 LANES = 8, WORDS = LANES / K, WARP_BITS = 5;
    const u32 warp = (blockIdx.x * THREADS + threadIdx.x) >> WARP_BITS, thread = threadIdx.x % (1 << WARP_BITS);
    if (warp >= work.warps) {
        return;
    }
    const u32 rest = divide(warp, work.by_runs), outer = divide(rest, work.by_row_tiles);
    const u32 runs = (u32)work.by_runs.divisor, row_tiles = (u32)work.by_row_tiles.divisor;
    const u32 run_bits = WARP_BITS - work.together_bits;
    const u32 vector = (warp - rest * runs) << run_bits | (thread & ((1u << run_bits) - 1));
    const u32 row_block = (rest - outer * row_tiles) << work.together_bits | thread >> run_bits;
    if (vector >= work.row_vectors || row_block >= work.row_blocks) {
        return;
    }
    const u32 place = divide(vector, work.by_lane_blocks), lane_block = vector - place * work.lane_blocks;
    const u32 read = (outer * work.row_blocks + row_block) * LANES * work.row_vectors + vector;
    const u32 write_step = work.places * work.row_blocks;
    const u32 written = (outer * work.lane_blocks + lane_block) * LANES * write_step + place * work.row_blocks + row_block;

    const u32* from = reinterpret_cast<const u32*>(source);
    u32* to = reinterpret_cast<u32*>(target);
    u32 words[LANES][WORDS];
#pragma unroll
    for (u32 i = 0; i < LANES; ++i) {
        read_vector<WORDS>(from + (read + i * work.row_vectors) * WORDS, words[i]);
    }
#pragma unroll
    for (u32 word = 0; word < WORDS; ++word) {
        u32 turned[WORDS][K];
#pragma unroll
        for (u32 group = 0; group < WORDS; ++group) {
            EACH_OF(K) turned[group][k] = words[group * K + k][word];
            turn(turned[group]);
        }
#pragma unroll
        for (u32 i = 0; i < K; ++i) {
            u32 lanes[WORDS];
            EACH_OF(WORDS) lanes[k] = turned[k][i];
            write_vector<WORDS>(to + (written + (word * K + i) * write_step) * WORDS, lanes);
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_crossed_1(const u8* source, u8* target, const __grid_constant__ Crossing work) {
    cross<4>(source, target, work);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_crossed_2(const u8* source, u8* target, const __grid_constant__ Crossing work) {
    cross<2>(source, target, work);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_crossed_4(const u8* source, u8* target, const __grid_constant__ Crossing work) {
    cross<1>(source, target, work);
}
