// Elements of 1, 2 or 4 bytes from one layout to another, with their bits as they are.
//
// All memory is read and written in words of four bytes. A word holds K = 4 / bytes elements: neighbouring places of a
// channel where the layout has single lanes (LINEAR), else neighbouring channels of a place. A tile in shared memory has a
// row of words a channel, as LINEAR has; to and from other layouts, K words of K places are turned into K words of K
// channels, which takes no memory.

#pragma once

#include "reformat.cuh"

// Words of a tile at most; with what keeps its rows apart, as in reformat/transposition.rs.
constexpr u32 TILE_WORDS = 2048;
constexpr u32 STORED_TILE_WORDS = 3072;
// Words of a tile that a thread moves.
constexpr u32 THREAD_WORDS = TILE_WORDS / THREADS;

// One side. Its words lie [outer][blocks][places][words of a place].
struct TransposedSide {
    u32 outer_words;
    u32 block_words;
    // Of a place; 0 for LINEAR.
    u32 place_words;
    u32 blocks;
    // Blocks of a tile, and the channels that it has of each.
    u32 groups;
    u32 group_channels;
    // Whether a tile's channels are but a part of the only block's.
    u32 partial;
    // Words of K places, where they lie behind each other and a thread moves them at once; else 0.
    u32 vector;
    // By the words that a tile has of a place in a block.
    Divider by_group_words;
};

struct Transposition {
    TransposedSide source;
    TransposedSide target;
    // Of the tensor: channels without padding, and words of a channel.
    u32 channels;
    u32 channel_words;
    // Of a tile: channels, words of a row, and from one row to the next.
    u32 tile_channels;
    u32 row_words;
    u32 row_step;
    u32 unused;
    Divider by_row_words;
    Divider by_place_tiles;
    Divider by_channel_tiles;
};

// Where a block's tile begins.
struct TileStart {
    u32 outer;
    // Of the tiles that share places.
    u32 number;
    u32 channel;
    u32 word;
};

__device__ inline TileStart tile_start(const Transposition& work) {
    u32 rest = divide(blockIdx.x, work.by_place_tiles);
    u32 outer = divide(rest, work.by_channel_tiles);
    u32 number = rest - outer * (u32)work.by_channel_tiles.divisor;
    u32 word = (blockIdx.x - rest * (u32)work.by_place_tiles.divisor) * work.row_words;
    return {outer, number, number * work.tile_channels, word};
}

// From K words of K elements each to as many, of which the nth holds the nth element of each.
template <u32 K>
__device__ inline void turn(u32 (&words)[K]) {
    if constexpr (K == 2) {
        u32 first = words[0];
        words[0] = __byte_perm(first, words[1], 0x5410);
        words[1] = __byte_perm(first, words[1], 0x7632);
    } else if constexpr (K == 4) {
        u32 low = __byte_perm(words[0], words[1], 0x5140), high = __byte_perm(words[0], words[1], 0x7362);
        u32 next_low = __byte_perm(words[2], words[3], 0x5140), next_high = __byte_perm(words[2], words[3], 0x7362);
        words[0] = __byte_perm(low, next_low, 0x5410);
        words[1] = __byte_perm(low, next_low, 0x7632);
        words[2] = __byte_perm(high, next_high, 0x5410);
        words[3] = __byte_perm(high, next_high, 0x7632);
    }
}

// A word of a row: in the tile, and in LINEAR memory.
struct RowWord {
    bool in_tile;
    bool in_tensor;
    u32 at;
    u32 offset;

    __device__ inline RowWord(const Transposition& work, const TransposedSide& side, const TileStart& start, u32 number) {
        u32 channel = divide(number, work.by_row_words);
        u32 word = number - channel * work.row_words;
        in_tile = channel < work.tile_channels;
        in_tensor = in_tile && start.channel + channel < work.channels && start.word + word < work.channel_words;
        at = channel * work.row_step + word;
        offset = start.outer * side.outer_words + (start.channel + channel) * work.channel_words + start.word + word;
    }
};

__device__ inline void fill_from_rows(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    u32 words[THREAD_WORDS];
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        RowWord word(work, work.source, start, threadIdx.x + i * THREADS);
        words[i] = word.in_tensor ? source[word.offset] : 0;
    }
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        RowWord word(work, work.source, start, threadIdx.x + i * THREADS);
        if (word.in_tile) {
            tile[word.at] = words[i];
        }
    }
}

__device__ inline void drain_to_rows(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        RowWord word(work, work.target, start, threadIdx.x + i * THREADS);
        if (word.in_tensor) {
            target[word.offset] = tile[word.at];
        }
    }
}

// K places of a tile with `WORDS` words each: behind each other in memory, if that is a whole place's; else one.
template <u32 K, u32 WORDS>
struct Unit {
    bool in_tile;
    bool in_tensor;
    // Of the first channel, within the tile.
    u32 channel;
    u32 at;
    u32 offset;

    __device__ inline Unit(const Transposition& work, const TransposedSide& side, const TileStart& start, u32 number) {
        u32 rest = number, word = 0;
        if (side.vector == 0) {
            rest = divide(number, side.by_group_words);
            word = number - rest * (u32)side.by_group_words.divisor;
        }
        u32 group = divide(rest, work.by_row_words);
        u32 column = rest - group * work.row_words;
        channel = group * side.group_channels + word * K;
        u32 block = side.partial ? 0 : start.number * side.groups + group;
        u32 before = side.partial ? start.channel / K : 0;
        in_tile = group < side.groups;
        in_tensor = in_tile && block < side.blocks && before + word < side.place_words &&
                    start.word + column < work.channel_words;
        at = channel * work.row_step + column;
        offset = start.outer * side.outer_words + block * side.block_words +
                 (start.word + column) * K * side.place_words + before + word;
    }
};

template <u32 N>
__device__ inline void read_vector(const u32* memory, u32 step, u32 (&words)[N]) {
    const u8* bytes = reinterpret_cast<const u8*>(memory);
    if (step == 0 && is_aligned<N>(bytes)) {
        return read_words(bytes, words);
    }
#pragma unroll
    for (u32 i = 0; i < N; ++i) {
        words[i] = memory[i * (step == 0 ? 1 : step)];
    }
}

template <u32 N>
__device__ inline void write_vector(u32* memory, u32 step, const u32 (&words)[N]) {
    u8* bytes = reinterpret_cast<u8*>(memory);
    if (step == 0 && is_aligned<N>(bytes)) {
        return write_words(bytes, words);
    }
#pragma unroll
    for (u32 i = 0; i < N; ++i) {
        memory[i * (step == 0 ? 1 : step)] = words[i];
    }
}

// Reads what a thread has of a tile. Rows of channels that the tensor doesn't have are 0.
template <u32 K, u32 WORDS>
__device__ inline void fill_from_places(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    constexpr u32 N = K * WORDS, UNITS = THREAD_WORDS / N;
    const TransposedSide& side = work.source;
    const u32 step = side.vector ? 0 : side.place_words;
    u32 words[UNITS][N];
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<K, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
        if (unit.in_tensor) {
            read_vector(source + unit.offset, step, words[i]);
        }
    }
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<K, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
        if (!unit.in_tile) {
            continue;
        }
#pragma unroll
        for (u32 word = 0; word < WORDS; ++word) {
            u32 some[K];
#pragma unroll
            for (u32 k = 0; k < K; ++k) {
                some[k] = unit.in_tensor ? words[i][k * WORDS + word] : 0;
            }
            turn(some);
#pragma unroll
            for (u32 k = 0; k < K; ++k) {
                bool real = start.channel + unit.channel + word * K + k < work.channels;
                tile[unit.at + (word * K + k) * work.row_step] = real ? some[k] : 0;
            }
        }
    }
}

template <u32 K, u32 WORDS>
__device__ inline void drain_to_places(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    constexpr u32 N = K * WORDS, UNITS = THREAD_WORDS / N;
    const TransposedSide& side = work.target;
    const u32 step = side.vector ? 0 : side.place_words;
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<K, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
        if (!unit.in_tensor) {
            continue;
        }
        u32 words[N];
#pragma unroll
        for (u32 word = 0; word < WORDS; ++word) {
            u32 some[K];
#pragma unroll
            for (u32 k = 0; k < K; ++k) {
                some[k] = tile[unit.at + (word * K + k) * work.row_step];
            }
            turn(some);
#pragma unroll
            for (u32 k = 0; k < K; ++k) {
                words[k * WORDS + word] = some[k];
            }
        }
        write_vector(target + unit.offset, step, words);
    }
}

// A tile each block.
template <u32 K>
__device__ inline void transpose(const u8* source, u8* target, const Transposition& work, u32* tile) {
    const u32* from = reinterpret_cast<const u32*>(source);
    u32* to = reinterpret_cast<u32*>(target);
    const TileStart start = tile_start(work);
    if (work.source.place_words == 0) {
        fill_from_rows(from, work, start, tile);
    } else if (K < 4 && work.source.vector == 4) {
        fill_from_places<K, 4 / K>(from, work, start, tile);
    } else if (K < 2 && work.source.vector == 2) {
        fill_from_places<K, K < 2 ? 2 : 1>(from, work, start, tile);
    } else {
        fill_from_places<K, 1>(from, work, start, tile);
    }
    __syncthreads();
    if (work.target.place_words == 0) {
        drain_to_rows(to, work, start, tile);
    } else if (K < 4 && work.target.vector == 4) {
        drain_to_places<K, 4 / K>(to, work, start, tile);
    } else if (K < 2 && work.target.vector == 2) {
        drain_to_places<K, K < 2 ? 2 : 1>(to, work, start, tile);
    } else {
        drain_to_places<K, 1>(to, work, start, tile);
    }
}
