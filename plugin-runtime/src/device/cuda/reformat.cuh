// Tensors from one type and layout to another. What it computes is what the CPU's reformat computes, bit for bit.
//
// A thread handles eight elements: it reads their raw bits, converts them by way of f32 or i64, and writes raw bits. So
// the types are told apart once for eight elements, and no kernel is needed for each pair of them.

#pragma once

#include "reformat/convert.cuh"
#include "reformat/elements.cuh"

// As in reformat/work.rs, like the rest of Work.
enum Nesting : u32 { SAME_CHANNELS, SOURCE_DEEPER, TARGET_DEEPER };

// Elements lie [outer][blocks][spatial][lanes]; the last block's last lanes may be padding.
struct Layout {
    u64 outer;
    u64 channels;
    u64 spatial;
    u64 blocks;
    u64 lanes;
};

// Of numbers below 2^31 by multiplication.
struct Divider {
    u64 divisor;
    u32 multiplier;
    u32 shift;
};

// A tile is some channels at some places. Each side walks through it in the order of its own memory: within groups of
// lanes place by place.
struct Tiling {
    u32 channels;
    u32 places;
    u32 source_lanes;
    u32 target_lanes;
    Divider by_places;
    Divider by_source_lanes;
    Divider by_target_lanes;
    Divider by_place_tiles;
    Divider by_channel_tiles;
};

struct Work {
    Conversion conversion;
    // Of the target, padding counted.
    u64 elements;
    u64 nesting;
    Layout source;
    Layout target;
    Divider by_source_lanes;
    Divider by_target_lanes;
    Divider by_target_spatial;
    Divider by_target_blocks;
    Divider by_nested;
    Tiling tiling;
    // Where the true extents are, if `elements` counts those up to upper bounds; only in_order asks.
    const long long* extents;
    u64 rank;
};

// Threads of a block.
constexpr u32 THREADS = 256;
// Elements of a tile, and its channels, at most.
constexpr u32 TILE_ELEMENTS = COUNT * THREADS;
constexpr u32 TILE_CHANNELS = 32;

__device__ inline u32 divide(u32 n, const Divider& by) {
    return (u32)((u64)(n << 1) * by.multiplier >> 32) >> by.shift;
}

__device__ inline u64 divide(u64 n, const Divider& by) { return n / by.divisor; }

template <typename Index>
__device__ inline Index offset_of(const Layout& layout, const Divider& by_lanes, Index outer, Index channel, Index place) {
    Index block = channel;
    if (layout.lanes != 1) {
        block = divide(channel, by_lanes);
        channel -= block * (Index)layout.lanes;
    } else {
        channel = 0;
    }
    return ((outer * (Index)layout.blocks + block) * (Index)layout.spatial + place) * (Index)layout.lanes + channel;
}

// Where the source has the element that the target has at this batch, channel and place.
template <typename Index>
__device__ inline Index source_offset(const Work& work, Index outer, Index channel, Index place) {
    if (work.nesting == SOURCE_DEEPER) {
        // The source's channels are the last dimension of the target's batch, and its places begin with the target's
        // channels.
        Index source_outer = divide(outer, work.by_nested);
        place += channel * (Index)work.target.spatial;
        channel = outer - source_outer * (Index)work.source.channels;
        outer = source_outer;
    } else if (work.nesting == TARGET_DEEPER) {
        Index source_channel = divide(place, work.by_nested);
        outer = outer * (Index)work.target.channels + channel;
        place -= source_channel * (Index)work.source.spatial;
        channel = source_channel;
    }
    return offset_of(work.source, work.by_source_lanes, outer, channel, place);
}

// Eight elements each thread, in the same order on both sides.
__device__ inline void in_order(const u8* source, u8* target, const Work& work) {
    u64 first = ((u64)blockIdx.x * THREADS + threadIdx.x) * COUNT;
    u64 elements = work.elements;
    if (work.extents) {
        elements = 1;
        for (u64 axis = 0; axis < work.rank; ++axis) {
            elements *= (u64)work.extents[axis];
        }
    }
    if (first >= elements) {
        return;
    }
    u32 count = elements - first < COUNT ? (u32)(elements - first) : COUNT;
    u64 raw[COUNT];
    read_elements(source, work.conversion.source_bytes, first, count, raw);
    convert(work.conversion, raw);
    write_elements(target, work.conversion.target_bytes, first, count, raw);
}

// Eight elements of the target each thread.
template <typename Index>
__device__ inline void any_layout(const u8* source, u8* target, const Work& work) {
    u64 group = (u64)blockIdx.x * THREADS + threadIdx.x;
    if (group * COUNT >= work.elements) {
        return;
    }
    Index first = (Index)(group * COUNT);
    u32 count = work.elements - first < COUNT ? (u32)(work.elements - first) : COUNT;
    Index rest = divide(first, work.by_target_lanes);
    Index lane = first - rest * (Index)work.target.lanes;
    Index block_index = divide(rest, work.by_target_spatial);
    Index place = rest - block_index * (Index)work.target.spatial;
    Index outer = divide(block_index, work.by_target_blocks);
    Index block = block_index - outer * (Index)work.target.blocks;

    Index at[COUNT];
    u32 wanted = 0;
    EACH {
        Index channel = block * (Index)work.target.lanes + lane;
        bool real = k < count && channel < (Index)work.target.channels;
        wanted |= (u32)real << k;
        at[k] = real ? source_offset(work, outer, channel, place) : 0;
        if (++lane == (Index)work.target.lanes) {
            lane = 0;
            if (++place == (Index)work.target.spatial) {
                place = 0;
                if (++block == (Index)work.target.blocks) {
                    block = 0;
                    outer++;
                }
            }
        }
    }
    u64 raw[COUNT];
    gather(source, work.conversion.source_bytes, at, wanted, raw);
    // What isn't wanted is 0 in every type.
    convert(work.conversion, raw);
    write_elements(target, work.conversion.target_bytes, first, count, raw);
}

struct alignas(16) Tile {
    u8 bytes[(TILE_ELEMENTS + TILE_CHANNELS) * sizeof(u64)];
};

struct Spot {
    u32 channel;
    u32 place;
};

__device__ inline Spot spot_of(u32 slot, u32 lanes, const Divider& by_lanes, const Tiling& tiling) {
    u32 row = divide(slot, by_lanes);
    u32 group = divide(row, tiling.by_places);
    return {group * lanes + (slot - row * lanes), row - group * tiling.places};
}

// Rows of a tile in shared memory, apart so that neither rows nor columns meet in one bank.
template <typename T>
__device__ inline u32 tile_offset(Spot spot, const Tiling& tiling) {
    constexpr u32 PADDING = sizeof(T) < 4 ? 4 / sizeof(T) : 1;
    return spot.channel * (tiling.places + PADDING) + spot.place;
}

template <typename T>
__device__ inline void write_tile(u8* tile, const Tiling& tiling, const Spot (&spots)[COUNT], u32 wanted,
                                  const u64 (&raw)[COUNT]) {
    EACH if (wanted >> k & 1) reinterpret_cast<T*>(tile)[tile_offset<T>(spots[k], tiling)] = (T)raw[k];
}

template <typename T>
__device__ inline void read_tile(const u8* tile, const Tiling& tiling, const Spot (&spots)[COUNT], u32 wanted,
                                 u64 (&raw)[COUNT]) {
    EACH raw[k] = wanted >> k & 1 ? reinterpret_cast<const T*>(tile)[tile_offset<T>(spots[k], tiling)] : 0;
}

// A tile each block: read in the order of the source, written in the order of the target. Neither side is INT4.
template <typename Index>
__device__ inline void in_tiles(const u8* source, u8* target, const Work& work, u8* tile) {
    const Tiling& tiling = work.tiling;
    u32 tiles = divide(blockIdx.x, tiling.by_place_tiles);
    Index first_place = (Index)(blockIdx.x - tiles * (u32)tiling.by_place_tiles.divisor) * tiling.places;
    u32 batch = divide(tiles, tiling.by_channel_tiles);
    Index first_channel = (Index)(tiles - batch * (u32)tiling.by_channel_tiles.divisor) * tiling.channels;
    Index outer = batch;
    u32 slots = tiling.channels * tiling.places;

    u64 raw[COUNT];
    Spot spots[COUNT];
    Index at[COUNT];
    u32 wanted = 0;
    EACH {
        u32 slot = threadIdx.x + k * THREADS;
        spots[k] = spot_of(slot, tiling.source_lanes, tiling.by_source_lanes, tiling);
        Index channel = first_channel + spots[k].channel, place = first_place + spots[k].place;
        bool real = slot < slots && channel < (Index)work.source.channels && place < (Index)work.source.spatial;
        wanted |= (u32)real << k;
        at[k] = real ? offset_of(work.source, work.by_source_lanes, outer, channel, place) : 0;
    }
    gather(source, work.conversion.source_bytes, at, wanted, raw);
    switch (work.conversion.source_bytes) {
    case 1: write_tile<u8>(tile, tiling, spots, wanted, raw); break;
    case 2: write_tile<u16>(tile, tiling, spots, wanted, raw); break;
    case 4: write_tile<u32>(tile, tiling, spots, wanted, raw); break;
    default: write_tile<u64>(tile, tiling, spots, wanted, raw); break;
    }
    __syncthreads();
    u32 stored = 0;
    wanted = 0;
    EACH {
        u32 slot = threadIdx.x + k * THREADS;
        spots[k] = spot_of(slot, tiling.target_lanes, tiling.by_target_lanes, tiling);
        Index channel = first_channel + spots[k].channel, place = first_place + spots[k].place;
        bool inside = slot < slots && channel < (Index)(work.target.blocks * work.target.lanes) &&
                      place < (Index)work.target.spatial;
        stored |= (u32)inside << k;
        wanted |= (u32)(inside && channel < (Index)work.target.channels) << k;
        at[k] = inside ? offset_of(work.target, work.by_target_lanes, outer, channel, place) : 0;
    }
    switch (work.conversion.source_bytes) {
    case 1: read_tile<u8>(tile, tiling, spots, wanted, raw); break;
    case 2: read_tile<u16>(tile, tiling, spots, wanted, raw); break;
    case 4: read_tile<u32>(tile, tiling, spots, wanted, raw); break;
    default: read_tile<u64>(tile, tiling, spots, wanted, raw); break;
    }
    convert(work.conversion, raw);
    scatter(target, work.conversion.target_bytes, at, stored, raw);
}
