// Between INT8 of a multiple of eight lanes and rows of INT4, where nothing is scaled: [outer][blocks][places][lanes] beside
// [outer][channels][places].
//
// A thread turns eight by eight elements in registers: eight places of eight lanes, which are eight bytes each, and of as many
// channels a word of eight INT4 each. Neighbouring threads have at most four eights of lanes of the same places, and then the next
// places, so that both sides move whole sectors.

#include "reformat/short.cuh"
#include "reformat/transpose.cuh"

// As in reformat/eights.rs.
struct Eights {
    u32 units;
    u32 channels;
    u32 blocks;
    u32 lanes;
    u32 places;
    // In how many bits the neighbouring eights of lanes are counted.
    u32 together_bits;
    Divider by_place_groups;
    Divider by_lane_groups;
    Divider by_blocks;
};

constexpr u32 EIGHT = 8;

// What a thread has of both sides.
struct EightByEight {
    bool exists;
    // Channels that the tensor has of them.
    u32 channels;
    // Where they begin among INT8, in bytes, and how far it is to the next place.
    u32 lanes_at;
    u32 place_step;
    // Among INT4, in words, and how far it is to the next channel.
    u32 row_at;
    u32 row_step;

    __device__ inline EightByEight(const Eights& work) {
        const u32 unit = blockIdx.x * THREADS + threadIdx.x;
        const u32 above = unit >> work.together_bits, places_before = divide(above, work.by_place_groups);
        const u32 place_group = above - places_before * (u32)work.by_place_groups.divisor;
        const u32 block = divide(places_before, work.by_lane_groups);
        const u32 lane_group = places_before - block * (u32)work.by_lane_groups.divisor;
        const u32 together = unit & ((1u << work.together_bits) - 1);
        const u32 lane = (lane_group << work.together_bits | together) * EIGHT;
        const u32 outer = divide(block, work.by_blocks), channel = (block - outer * work.blocks) * work.lanes + lane;
        exists = unit < work.units;
        channels = channel < work.channels ? work.channels - channel : 0;
        place_step = work.lanes;
        lanes_at = (block * work.places + place_group * EIGHT) * work.lanes + lane;
        row_step = work.places / EIGHT;
        row_at = (outer * work.channels + channel) * row_step + place_group;
    }
};

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_eights_8_4(const u8* source, u8* target, const __grid_constant__ Eights work) {
    const EightByEight eights(work);
    if (!eights.exists) {
        return;
    }
    u32 int8[EIGHT][2];
#pragma unroll
    for (u32 place = 0; place < EIGHT; ++place) {
        read_vector<2>(reinterpret_cast<const u32*>(source + eights.lanes_at + place * eights.place_step), int8[place]);
    }
    u32* rows = reinterpret_cast<u32*>(target) + eights.row_at;
#pragma unroll
    for (u32 half = 0; half < 2; ++half) {
        // Two places of four channels each, and then eight places of a channel.
        u32 int4[4];
        EACH_OF(4) int4[k] = bounded_for_int4(int8[2 * k][half]) | bounded_for_int4(int8[2 * k + 1][half]) << 4;
        turn(int4);
#pragma unroll
        for (u32 k = 0; k < 4; ++k) {
            if (half * 4 + k < eights.channels) {
                rows[(half * 4 + k) * eights.row_step] = int4[k];
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
    reformat_eights_4_8(const u8* source, u8* target, const __grid_constant__ Eights work) {
    const EightByEight eights(work);
    if (!eights.exists) {
        return;
    }
    const u32* rows = reinterpret_cast<const u32*>(source) + eights.row_at;
    u32 int4[EIGHT];
#pragma unroll
    for (u32 channel = 0; channel < EIGHT; ++channel) {
        int4[channel] = channel < eights.channels ? rows[channel * eights.row_step] : 0;
    }
    u32 int8[EIGHT][2];
#pragma unroll
    for (u32 half = 0; half < 2; ++half) {
        u32 places[4];
        EACH_OF(4) places[k] = int4[half * 4 + k];
        turn(places);
#pragma unroll
        for (u32 k = 0; k < 4; ++k) {
            int8[2 * k][half] = widened_to_int8(places[k] & 0x0F0F0F0F);
            int8[2 * k + 1][half] = widened_to_int8(places[k] >> 4 & 0x0F0F0F0F);
        }
    }
#pragma unroll
    for (u32 place = 0; place < EIGHT; ++place) {
        write_vector<2>(reinterpret_cast<u32*>(target + eights.lanes_at + place * eights.place_step), int8[place]);
    }
}
