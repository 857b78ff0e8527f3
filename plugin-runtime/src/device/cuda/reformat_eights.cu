// Between INT8 of a multiple of eight lanes and rows of INT4, where nothing is scaled: [outer][blocks][places][lanes] beside
// [outer][channels][places].
//
// A warp has 2 KiB of INT8, some neighbouring lanes of some places, and moves them as wide as can be. By way of shared memory each
// thread gets eight places of eight lanes, which are eight bytes each, and of as many channels a word of eight INT4 each.

#include "reformat/short.cuh"
#include "reformat/transpose.cuh"

// As in reformat/eights.rs.
struct Eights {
    u32 tiles;
    u32 channels;
    u32 blocks;
    u32 places;
    // Eights of lanes of a place, and in how many bits those of them are counted that a tile has.
    u32 lane_eights;
    u32 lane_bits;
    Divider by_place_tiles;
    Divider by_lane_tiles;
    Divider by_blocks;
};

// Eight lanes of a place.
using Eight = Words<2>;

constexpr u32 WARP = 32, EIGHT = 8;
// Eights of a tile, and as they are stored: behind eight places one is left out, so that threads reach different banks.
constexpr u32 TILE_EIGHTS = WARP * EIGHT, STORED_EIGHTS = WARP * (EIGHT + 1);
// Eights that a thread moves at once, and how often.
constexpr u32 AT_ONCE = 2, MOVES = EIGHT / AT_ONCE;

// A warp's tile, and what a thread has of it.
struct EightsTile {
    bool exists;
    u32 lane_eights;
    u32 lane_bits;
    // In INT8, in eights: where the tile begins, and how many it has.
    u32 first;
    u32 eights;
    // Whether there are places for the thread's own eight by eight, where these begin in the stored tile, and their channels that
    // the tensor has.
    bool is_own;
    u32 own;
    u32 channels;
    // In INT4, in words: where they begin, and how far it is to the next channel.
    u32 row_at;
    u32 row_step;

    __device__ inline EightsTile(const Eights& work) : lane_eights(work.lane_eights), lane_bits(work.lane_bits) {
        const u32 warp = (blockIdx.x * THREADS + threadIdx.x) / WARP, thread = threadIdx.x % WARP;
        const u32 rest = divide(warp, work.by_place_tiles), block = divide(rest, work.by_lane_tiles);
        const u32 place_tile = warp - rest * (u32)work.by_place_tiles.divisor;
        const u32 first_lane = (rest - block * (u32)work.by_lane_tiles.divisor) << lane_bits;
        const u32 outer = divide(block, work.by_blocks);
        const u32 first_place = place_tile * (TILE_EIGHTS >> lane_bits), left = (work.places - first_place) << lane_bits;
        const u32 group = thread >> lane_bits, lane = thread & ((1u << lane_bits) - 1);
        const u32 channel = ((block - outer * work.blocks) * lane_eights + first_lane + lane) * EIGHT;
        exists = warp < work.tiles;
        first = (block * work.places + first_place) * lane_eights + first_lane;
        eights = left < TILE_EIGHTS ? left : TILE_EIGHTS;
        is_own = first_place + group * EIGHT < work.places;
        own = (group * (EIGHT + 1) << lane_bits) + lane;
        channels = channel < work.channels ? work.channels - channel : 0;
        row_step = work.places / EIGHT;
        row_at = (outer * work.channels + channel) * row_step + first_place / EIGHT + group;
    }

    // The first one of a move; those of it lie behind each other, in memory and as they are stored.
    __device__ inline u32 of_move(u32 move) const { return (threadIdx.x % WARP + move * WARP) * AT_ONCE; }

    __device__ inline u32 in_memory(u32 eight) const {
        return first + (eight >> lane_bits) * lane_eights + (eight & ((1u << lane_bits) - 1));
    }

    __device__ inline u32 stored(u32 eight) const { return eight + (eight >> (lane_bits + 3) << lane_bits); }
};

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_eights_8_4(const u8* source, u8* target, const __grid_constant__ Eights work) {
    __shared__ Eight tiles[THREADS / WARP][STORED_EIGHTS];
    Eight* tile = tiles[threadIdx.x / WARP];
    const EightsTile part(work);
    if (!part.exists) {
        return;
    }
    const u32* from = reinterpret_cast<const u32*>(source);
    u32 moved[MOVES][2 * AT_ONCE];
#pragma unroll
    for (u32 i = 0; i < MOVES; ++i) {
        const u32 eight = part.of_move(i);
        if (eight < part.eights) {
            read_vector<2 * AT_ONCE>(from + 2 * part.in_memory(eight), moved[i]);
        }
    }
#pragma unroll
    for (u32 i = 0; i < MOVES; ++i) {
        const u32 eight = part.of_move(i);
        if (eight < part.eights) {
            EACH_OF(AT_ONCE) tile[part.stored(eight) + k] = {moved[i][2 * k], moved[i][2 * k + 1]};
        }
    }
    __syncwarp();
    if (!part.is_own) {
        return;
    }
    Eight own[EIGHT];
    EACH_OF(EIGHT) own[k] = tile[part.own + (k << part.lane_bits)];
    u32* rows = reinterpret_cast<u32*>(target) + part.row_at;
#pragma unroll
    for (u32 half = 0; half < 2; ++half) {
        // Two places of four channels each, and then eight places of a channel.
        u32 int4[4];
        EACH_OF(4) int4[k] = bounded_for_int4(own[2 * k].at[half]) | bounded_for_int4(own[2 * k + 1].at[half]) << 4;
        turn(int4);
#pragma unroll
        for (u32 k = 0; k < 4; ++k) {
            if (half * 4 + k < part.channels) {
                rows[(half * 4 + k) * part.row_step] = int4[k];
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_eights_4_8(const u8* source, u8* target, const __grid_constant__ Eights work) {
    __shared__ Eight tiles[THREADS / WARP][STORED_EIGHTS];
    Eight* tile = tiles[threadIdx.x / WARP];
    const EightsTile part(work);
    if (!part.exists) {
        return;
    }
    const u32* rows = reinterpret_cast<const u32*>(source) + part.row_at;
    u32 int4[2][4];
#pragma unroll
    for (u32 i = 0; i < EIGHT; ++i) {
        int4[i / 4][i % 4] = part.is_own && i < part.channels ? rows[i * part.row_step] : 0;
    }
    EACH_OF(2) turn(int4[k]);
#pragma unroll
    for (u32 i = 0; i < EIGHT; ++i) {
        // Of eight places of a channel there are now two places of four channels.
        Eight own;
        EACH_OF(2) own.at[k] = widened_to_int8(int4[k][i / 2] >> i % 2 * 4 & 0x0F0F0F0F);
        tile[part.own + (i << part.lane_bits)] = own;
    }
    __syncwarp();
    u32* to = reinterpret_cast<u32*>(target);
#pragma unroll
    for (u32 i = 0; i < MOVES; ++i) {
        const u32 eight = part.of_move(i);
        if (eight < part.eights) {
            u32 moved[2 * AT_ONCE];
            EACH_OF(2 * AT_ONCE) moved[k] = tile[part.stored(eight) + k / 2].at[k % 2];
            write_vector<2 * AT_ONCE>(to + 2 * part.in_memory(eight), moved);
        }
    }
}
