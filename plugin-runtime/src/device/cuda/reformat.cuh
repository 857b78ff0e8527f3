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
    // Tiles of a block, side by side.
    u32 at_once;
    u32 unused;
    Divider by_places;
    Divider by_source_lanes;
    Divider by_target_lanes;
    Divider by_place_groups;
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
    // Where channels are in different dimensions: a quarter of what `crossed` calls a row. 0 where that can't be.
    Divider by_quarter_row;
    Tiling tiling;
    // Where the true extents are, if `elements` counts those up to upper bounds; only elements_of asks.
    const long long* extents;
    u64 rank;
};

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

// Elements of at most MOST_BYTES, ALL each thread in so many parts, in the same order on both sides.
template <u32 MOST_BYTES, u32 ALL, u32 PARTS>
__device__ inline void convert_in_order(const u8* source, u8* target, const Conversion& conversion, u64 elements) {
    using Threads = Parts<ALL, PARTS>;
    if ((u64)blockIdx.x * THREADS * ALL >= elements) {
        return;
    }
    typename Bits<(MOST_BYTES > 4 ? 64 : 32)>::Type raw[ALL];
    Threads::template read<MOST_BYTES>(source, conversion.source_bytes, elements, raw);
    convert(conversion, raw);
    Threads::template write<MOST_BYTES>(target, conversion.target_bytes, elements, raw);
}

// Those that there are.
__device__ inline u64 elements_of(const Work& work) {
    u64 elements = work.elements;
    if (work.extents) {
        elements = 1;
        for (u64 axis = 0; axis < work.rank; ++axis) {
            elements *= (u64)work.extents[axis];
        }
    }
    return elements;
}

// What is one behind the other on the source's side lies a row apart on the target's: a row is as many groups of eight elements
// as the target has from one of the source's channels to the next. So that both sides move whole sectors, a warp has four
// neighbouring groups of eight neighbouring rows. Not done with indices of 64 bits, for which there aren't registers enough.
__device__ inline u32 crossed(u32 group, const Divider& by_quarter_row) {
    u32 warp = group / 32, thread = group % 32;
    u32 rows = divide(warp, by_quarter_row), quarter = (u32)by_quarter_row.divisor;
    return (rows * 8 + thread / 4) * (quarter * 4) + (warp - rows * quarter) * 4 + thread % 4;
}

// Eight elements of the target each thread.
template <typename Index>
__device__ inline void any_layout(const u8* source, u8* target, const Work& work) {
    u64 group = (u64)blockIdx.x * THREADS + threadIdx.x;
    if (group * COUNT >= work.elements) {
        return;
    }
    if (sizeof(Index) == sizeof(u32) && work.by_quarter_row.divisor != 0) {
        group = crossed((u32)group, work.by_quarter_row);
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
    u8 bytes[(TILE_ELEMENTS + 2 * TILE_CHANNELS) * sizeof(u64)];
};

// Tiles of a block at most, where elements have 1 or 2 bytes: as many as keep enough of them on their way. As in
// reformat/work.rs.
constexpr u32 MOST_AT_ONCE = 4;

// How one side walks through a tile: groups of `lanes` channels, place by place.
struct Side {
    const Layout& layout;
    const Divider& by_layout_lanes;
    u32 lanes;
    const Divider& by_lanes;
};

// Eight elements of a tile, neighbours in the order of a side; the same of each tile of a block.
template <typename Index>
struct Piece {
    // Of the first one, within the tile.
    u32 group;
    u32 place;
    u32 lane;
    // Of the first tile's first element.
    Index first_channel;
    Index first_place;
    // Whether the tile has it at all.
    bool exists;
    // Whether all are stored, one behind the other, where the tile has that many places from the first one's on; none are,
    // where that is 0.
    u32 places_of_whole;
    // Whether they are of one channel, or of one place.
    bool one_channel;
    bool one_place;

    __device__ inline Piece(const Side& side, const Tiling& tiling, Index first_channel, Index first_place)
        : first_channel(first_channel), first_place(first_place) {
        u32 slot = threadIdx.x * COUNT;
        u32 row = divide(slot, side.by_lanes);
        group = divide(row, tiling.by_places);
        lane = slot - row * side.lanes;
        place = row - group * tiling.places;
        exists = slot < tiling.channels * tiling.places;
        one_channel = side.lanes == 1 && place + COUNT <= tiling.places;
        one_place = lane + COUNT <= side.lanes;
        Index channel = first_channel + group * side.lanes + lane;
        Index stored = (Index)(side.layout.blocks * side.layout.lanes);
        // A group's places lie behind each other where it has all lanes; else one place's lanes do.
        if ((Index)side.layout.lanes == side.lanes) {
            bool whole = side.lanes * (tiling.places - place) - lane >= COUNT && channel < stored;
            places_of_whole = whole ? divide(lane + COUNT + side.lanes - 1, side.by_lanes) : 0;
        } else {
            Index of_block = channel - divide(channel, side.by_layout_lanes) * (Index)side.layout.lanes;
            places_of_whole = side.lanes - lane >= COUNT && channel + COUNT <= stored &&
                              of_block + COUNT <= (Index)side.layout.lanes;
        }
    }

    // Whether all are stored, one behind the other, of a tile.
    __device__ inline bool whole(const Side& side, const Tiling& tiling, u32 tile) const {
        Index at = first_place + tile * tiling.places + place;
        return places_of_whole != 0 && at < (Index)side.layout.spatial &&
               (Index)side.layout.spatial - at >= (Index)places_of_whole;
    }

    // Calls `each` with the number, channel and place of each one.
    template <typename Each>
    __device__ inline void visit(const Side& side, const Tiling& tiling, Each each) const {
        u32 visited_group = group, visited_place = place, visited_lane = lane;
        EACH {
            each(k, visited_group * side.lanes + visited_lane, visited_place);
            if (++visited_lane == side.lanes) {
                visited_lane = 0;
                if (++visited_place == tiling.places) {
                    visited_place = 0;
                    ++visited_group;
                }
            }
        }
    }

    // Of the first tile's; the next one's lies `tiling.places * layout.lanes` behind it.
    __device__ inline Index offset(const Side& side, Index outer) const {
        return offset_of(side.layout, side.by_layout_lanes, outer, first_channel + group * side.lanes + lane,
                         first_place + place);
    }
};

// Elements from one row of a tile in shared memory to the next: apart so that neither rows nor columns meet in one bank.
template <typename T>
__device__ inline u32 row_step(const Tiling& tiling) {
    constexpr u32 PADDING = sizeof(T) < 4 ? 4 / sizeof(T) : 1;
    return tiling.places + PADDING;
}

// Calls `each` with the number of each element of a piece, and its place in the tile.
template <typename T, typename Index, typename Each>
__device__ inline void visit_tile(const Piece<Index>& piece, const Side& side, const Tiling& tiling, Each each) {
    u32 step = row_step<T>(tiling);
    u32 first = (piece.group * side.lanes + piece.lane) * step + piece.place;
    if (piece.one_channel) {
        EACH each(k, first + k);
    } else if (piece.one_place) {
        EACH each(k, first + k * step);
    } else {
        piece.visit(side, tiling, [&](u32 k, u32 channel, u32 place) { each(k, channel * step + place); });
    }
}

// Elements from one tile in shared memory to the next.
template <typename T>
__device__ inline u32 tile_step(const Tiling& tiling) {
    return tiling.channels * row_step<T>(tiling);
}

template <typename T>
__device__ inline const T* tile_of(const u8* tiles, const Tiling& tiling, u32 tile) {
    return reinterpret_cast<const T*>(tiles) + tile * tile_step<T>(tiling);
}

// Tiles of a block: a constant where there can be one alone.
template <u32 MOST>
__device__ inline u32 at_once(const Tiling& tiling) {
    return MOST == 1 ? 1 : tiling.at_once;
}

// Reads the pieces of the source into the tiles: all that are whole are on their way together.
template <u32 MOST, typename T, typename Index>
__device__ inline void fill_tiles(const u8* source, const Work& work, const Side& side, Index outer,
                                  const Piece<Index>& piece, T* tiles) {
    using Elements = Packed<8 * sizeof(T), COUNT>;
    const Tiling& tiling = work.tiling;
    const T* elements = reinterpret_cast<const T*>(source);
    const T* first = elements + piece.offset(side, outer);
    const Index step = (Index)tiling.places * (Index)side.layout.lanes;
    Elements words[MOST];
    u32 read = 0;
#pragma unroll
    for (u32 i = 0; i < MOST; ++i) {
        const u8* memory = reinterpret_cast<const u8*>(first + i * step);
        if (i < at_once<MOST>(tiling) && piece.whole(side, tiling, i) && Elements::is_aligned_at(memory)) {
            words[i].read(memory);
            read |= 1 << i;
        }
    }
#pragma unroll
    for (u32 i = 0; i < MOST; ++i) {
        if (i >= at_once<MOST>(tiling)) {
            break;
        }
        u64 raw[COUNT];
        if (read >> i & 1) {
            words[i].unpack(raw);
        } else {
            piece.visit(side, tiling, [&](u32 k, u32 channel, u32 place) {
                Index of = piece.first_channel + channel, at = piece.first_place + i * tiling.places + place;
                bool real = of < (Index)side.layout.channels && at < (Index)side.layout.spatial;
                raw[k] = real ? elements[offset_of(side.layout, side.by_layout_lanes, outer, of, at)] : 0;
            });
        }
        T* tile = tiles + i * tile_step<T>(tiling);
        visit_tile<T>(piece, side, tiling, [&](u32 k, u32 at) { tile[at] = (T)raw[k]; });
    }
}

// Takes a piece of the target out of a tile. Padding is 0.
template <typename T, typename Index>
__device__ inline void take_from_tile(const T* tile, const Work& work, const Side& side, const Piece<Index>& piece,
                                      u64 (&raw)[COUNT]) {
    if (piece.first_channel + work.tiling.channels <= (Index)side.layout.channels) {
        return visit_tile<T>(piece, side, work.tiling, [&](u32 k, u32 at) { raw[k] = tile[at]; });
    }
    piece.visit(side, work.tiling, [&](u32 k, u32 channel, u32 place) {
        bool real = piece.first_channel + channel < (Index)side.layout.channels;
        raw[k] = real ? tile[channel * row_step<T>(work.tiling) + place] : 0;
    });
}

// Writes a piece of the target, which lies in the tile of this number.
template <typename T, typename Index>
__device__ inline void write_piece(u8* target, const Work& work, const Side& side, Index outer, const Piece<Index>& piece,
                                   u32 tile, const u64 (&raw)[COUNT]) {
    const Tiling& tiling = work.tiling;
    T* elements = reinterpret_cast<T*>(target);
    if (piece.whole(side, tiling, tile)) {
        T* first = elements + (piece.offset(side, outer) + (Index)(tile * tiling.places) * (Index)side.layout.lanes);
        return write_some<8 * sizeof(T), COUNT>(reinterpret_cast<u8*>(first), COUNT, raw);
    }
    piece.visit(side, tiling, [&](u32 k, u32 channel, u32 place) {
        Index of = piece.first_channel + channel, at = piece.first_place + tile * tiling.places + place;
        if (of < (Index)(side.layout.blocks * side.layout.lanes) && at < (Index)side.layout.spatial) {
            elements[offset_of(side.layout, side.by_layout_lanes, outer, of, at)] = (T)raw[k];
        }
    });
}

// Some tiles each block, of each eight elements a thread: read in the order of the source, written in the order of the target.
// Neither side is INT4; several tiles are of sources of 1 or 2 bytes alone.
template <u32 MOST, typename Index>
__device__ inline void in_tiles(const u8* source, u8* target, const Work& work, u8* tiles) {
    const Tiling& tiling = work.tiling;
    u32 rest = divide(blockIdx.x, tiling.by_place_groups);
    u32 group = blockIdx.x - rest * (u32)tiling.by_place_groups.divisor;
    Index first_place = (Index)group * at_once<MOST>(tiling) * tiling.places;
    Index outer = divide(rest, tiling.by_channel_tiles);
    Index first_channel = (Index)(rest - (u32)outer * (u32)tiling.by_channel_tiles.divisor) * tiling.channels;

    const Side from{work.source, work.by_source_lanes, tiling.source_lanes, tiling.by_source_lanes};
    const Side to{work.target, work.by_target_lanes, tiling.target_lanes, tiling.by_target_lanes};
    const Piece<Index> read(from, tiling, first_channel, first_place);
    if (read.exists) {
        switch (work.conversion.source_bytes) {
        case 1: fill_tiles<MOST>(source, work, from, outer, read, tiles); break;
        case 2: fill_tiles<MOST>(source, work, from, outer, read, reinterpret_cast<u16*>(tiles)); break;
        case 4: if constexpr (MOST == 1) fill_tiles<1>(source, work, from, outer, read, reinterpret_cast<u32*>(tiles)); break;
        default: if constexpr (MOST == 1) fill_tiles<1>(source, work, from, outer, read, reinterpret_cast<u64*>(tiles)); break;
        }
    }
    __syncthreads();
    const Piece<Index> written(to, tiling, first_channel, first_place);
    if (!written.exists) {
        return;
    }
#pragma unroll 1
    for (u32 tile = 0; tile < at_once<MOST>(tiling); ++tile) {
        u64 raw[COUNT];
        switch (work.conversion.source_bytes) {
        case 1: take_from_tile(tile_of<u8>(tiles, tiling, tile), work, to, written, raw); break;
        case 2: take_from_tile(tile_of<u16>(tiles, tiling, tile), work, to, written, raw); break;
        case 4: if constexpr (MOST == 1) take_from_tile(tile_of<u32>(tiles, tiling, 0), work, to, written, raw); break;
        default: if constexpr (MOST == 1) take_from_tile(tile_of<u64>(tiles, tiling, 0), work, to, written, raw); break;
        }
        convert(work.conversion, raw);
        switch (work.conversion.target_bytes) {
        case 1: write_piece<u8>(target, work, to, outer, written, tile, raw); break;
        case 2: write_piece<u16>(target, work, to, outer, written, tile, raw); break;
        case 4: write_piece<u32>(target, work, to, outer, written, tile, raw); break;
        default: write_piece<u64>(target, work, to, outer, written, tile, raw); break;
        }
    }
}
