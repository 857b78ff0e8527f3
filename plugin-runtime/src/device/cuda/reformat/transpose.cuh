// Elements of 1, 2 or 4 bytes from one layout to another, with their bits as they are.
//
// All memory is read and written in words of four bytes. A word holds K = 4 / bytes elements: neighbouring places of a
// channel where the layout has single lanes (LINEAR), else neighbouring channels of a place. A tile in shared memory has a
// row of words a channel, as LINEAR has; to and from other layouts, K words of K places are turned into K words of K
// channels, which takes no memory. Where the layout has two lanes of a byte each, a word has two channels of two places,
// and two neighbouring words have the four places of a row's word.

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
    // Of a place; 0 for LINEAR, and 1 for pairs, where it is of two places.
    u32 place_words;
    // Whether a word has two channels of two places.
    u32 pairs;
    u32 blocks;
    // Blocks of a tile, and the channels that it has of each.
    u32 groups;
    u32 group_channels;
    // Whether a tile's channels are but a part of the only block's.
    u32 partial;
    // Neighbouring words of a place that a thread moves at once; how often a tile has these in a place of a block, and in
    // how many bits that is counted.
    u32 vector;
    u32 vectors;
    u32 vector_bits;
};

struct Transposition {
    TransposedSide source;
    TransposedSide target;
    // Of the tensor: channels without padding, the source's words of a channel, and its elements.
    u32 channels;
    u32 channel_words;
    u32 places;
    // Of a tile: channels, in how many bits the words of a row are counted, and words from one row to the next.
    u32 tile_channels;
    u32 row_bits;
    u32 row_step;
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
    u32 word = (blockIdx.x - rest * (u32)work.by_place_tiles.divisor) << work.row_bits;
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
        u32 low, high, next_low, next_high;
        interleave(words[0], words[1], low, high);
        interleave(words[2], words[3], next_low, next_high);
        words[0] = __byte_perm(low, next_low, 0x5410);
        words[1] = __byte_perm(low, next_low, 0x7632);
        words[2] = __byte_perm(high, next_high, 0x5410);
        words[3] = __byte_perm(high, next_high, 0x7632);
    }
}

// The words of rows that a thread moves: the same column of every so many rows. In memory there are WORDS for one in the tile.
template <u32 WORDS>
struct Rows {
    u32 step;
    // Of the first one: its row, and where it is in the tile and in LINEAR memory.
    u32 first;
    u32 at;
    u32 offset;
    // Whether the tensor has the column.
    bool exists;

    __device__ inline Rows(const Transposition& work, const TransposedSide& side, const TileStart& start) {
        step = THREADS >> work.row_bits;
        first = threadIdx.x >> work.row_bits;
        u32 column = threadIdx.x & ((1u << work.row_bits) - 1);
        at = first * work.row_step + column;
        offset = start.outer * side.outer_words +
                 ((start.channel + first) * work.channel_words + start.word + column) * WORDS;
        exists = start.word + column < work.channel_words;
    }
};

__device__ inline void fill_from_rows(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    const Rows<1> rows(work, work.source, start);
    const u32 channels = rows.exists && start.channel < work.channels ? work.channels - start.channel : 0;
    u32 words[THREAD_WORDS];
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        u32 row = rows.first + i * rows.step;
        bool exists = row < channels && row < work.tile_channels;
        words[i] = exists ? source[rows.offset + i * rows.step * work.channel_words] : 0;
    }
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        if (rows.first + i * rows.step < work.tile_channels) {
            tile[rows.at + i * rows.step * work.row_step] = words[i];
        }
    }
}

__device__ inline void drain_to_rows(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    const Rows<1> rows(work, work.target, start);
    const u32 channels = rows.exists && start.channel < work.channels ? work.channels - start.channel : 0;
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        u32 row = rows.first + i * rows.step;
        if (row < channels && row < work.tile_channels) {
            target[rows.offset + i * rows.step * work.channel_words] = tile[rows.at + i * rows.step * work.row_step];
        }
    }
}

// PLACES places of a tile, which a word of its rows has, with WORDS neighbouring words each, of LANES channels.
template <u32 PLACES, u32 LANES, u32 WORDS>
struct Unit {
    bool in_tile;
    bool in_tensor;
    // Of the first channel, within the tile.
    u32 channel;
    u32 at;
    u32 offset;

    __device__ inline Unit(const Transposition& work, const TransposedSide& side, const TileStart& start, u32 number) {
        u32 vector = number & ((1u << side.vector_bits) - 1), rest = number >> side.vector_bits;
        u32 column = rest & ((1u << work.row_bits) - 1), group = rest >> work.row_bits;
        u32 block = side.partial ? 0 : start.number * side.groups + group;
        u32 word = vector * WORDS, before = side.partial ? start.channel / LANES : 0;
        channel = group * side.group_channels + word * LANES;
        in_tile = group < side.groups && vector < side.vectors;
        in_tensor = in_tile && block < side.blocks && before + word < side.place_words &&
                    start.word + column < work.channel_words;
        at = channel * work.row_step + column;
        offset = start.outer * side.outer_words + block * side.block_words +
                 (start.word + column) * PLACES * side.place_words + before + word;
    }
};

template <u32 N>
__device__ inline void read_vector(const u32* memory, u32* words) {
    const u8* bytes = reinterpret_cast<const u8*>(memory);
    u32 read[N];
    if (is_aligned<N>(bytes)) {
        read_words(bytes, read);
    } else {
#pragma unroll
        for (u32 i = 0; i < N; ++i) {
            read[i] = memory[i];
        }
    }
#pragma unroll
    for (u32 i = 0; i < N; ++i) {
        words[i] = read[i];
    }
}

template <u32 N>
__device__ inline void write_vector(u32* memory, const u32* words) {
    u8* bytes = reinterpret_cast<u8*>(memory);
    u32 written[N];
#pragma unroll
    for (u32 i = 0; i < N; ++i) {
        written[i] = words[i];
    }
    if (is_aligned<N>(bytes)) {
        return write_words(bytes, written);
    }
#pragma unroll
    for (u32 i = 0; i < N; ++i) {
        memory[i] = written[i];
    }
}

// Reads what a thread has of a tile. Rows of channels that the tensor doesn't have are 0.
template <u32 K, u32 WORDS>
__device__ inline void fill_from_places(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    constexpr u32 N = K * WORDS, UNITS = THREAD_WORDS / N;
    const TransposedSide& side = work.source;
    u32 words[UNITS][N];
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<K, K, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
#pragma unroll
        for (u32 k = 0; k < N; ++k) {
            words[i][k] = 0;
        }
        if (!unit.in_tensor) {
            continue;
        }
        // Places that have no more words lie behind each other.
        if (N <= 4 && side.place_words == WORDS) {
            read_vector<N>(source + unit.offset, words[i]);
            continue;
        }
#pragma unroll
        for (u32 k = 0; k < K; ++k) {
            read_vector<WORDS>(source + (unit.offset + k * side.place_words), words[i] + k * WORDS);
        }
    }
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<K, K, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
        if (!unit.in_tile) {
            continue;
        }
        const bool padded = start.channel + unit.channel + N > work.channels;
#pragma unroll
        for (u32 word = 0; word < WORDS; ++word) {
            u32 some[K];
#pragma unroll
            for (u32 k = 0; k < K; ++k) {
                some[k] = words[i][k * WORDS + word];
            }
            turn(some);
#pragma unroll
            for (u32 k = 0; k < K; ++k) {
                bool real = !padded || start.channel + unit.channel + word * K + k < work.channels;
                tile[unit.at + (word * K + k) * work.row_step] = real ? some[k] : 0;
            }
        }
    }
}

template <u32 K, u32 WORDS>
__device__ inline void drain_to_places(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    constexpr u32 N = K * WORDS, UNITS = THREAD_WORDS / N;
    const TransposedSide& side = work.target;
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<K, K, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
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
        if (N <= 4 && side.place_words == WORDS) {
            write_vector<N>(target + unit.offset, words);
            continue;
        }
#pragma unroll
        for (u32 k = 0; k < K; ++k) {
            write_vector<WORDS>(target + (unit.offset + k * side.place_words), words + k * WORDS);
        }
    }
}

// The same of pairs: two words at a time, with four places of two channels.
__device__ inline void fill_from_pairs(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    constexpr u32 UNITS = THREAD_WORDS / 2;
    u32 words[UNITS][2];
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<2, 2, 1> unit(work, work.source, start, threadIdx.x + i * THREADS);
        words[i][0] = words[i][1] = 0;
        if (unit.in_tensor) {
            read_vector<2>(source + unit.offset, words[i]);
        }
    }
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<2, 2, 1> unit(work, work.source, start, threadIdx.x + i * THREADS);
        if (!unit.in_tile) {
            continue;
        }
#pragma unroll
        for (u32 channel = 0; channel < 2; ++channel) {
            bool real = start.channel + unit.channel + channel < work.channels;
            u32 places = __byte_perm(words[i][0], words[i][1], channel == 0 ? 0x6420 : 0x7531);
            tile[unit.at + channel * work.row_step] = real ? places : 0;
        }
    }
}

__device__ inline void drain_to_pairs(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS / 2; ++i) {
        Unit<2, 2, 1> unit(work, work.target, start, threadIdx.x + i * THREADS);
        if (!unit.in_tensor) {
            continue;
        }
        u32 words[2];
        interleave(tile[unit.at], tile[unit.at + work.row_step], words[0], words[1]);
        write_vector<2>(target + unit.offset, words);
    }
}

template <u32 K>
__device__ inline void fill(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    if (work.source.place_words == 0) {
        fill_from_rows(source, work, start, tile);
    } else if (K == 4 && work.source.pairs) {
        fill_from_pairs(source, work, start, tile);
    } else if (K < 4 && work.source.vector == 4) {
        fill_from_places<K, K < 4 ? 4 : 1>(source, work, start, tile);
    } else if (K < 4 && work.source.vector == 2) {
        fill_from_places<K, K < 4 ? 2 : 1>(source, work, start, tile);
    } else {
        fill_from_places<K, 1>(source, work, start, tile);
    }
}

template <u32 K>
__device__ inline void drain(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    if (work.target.place_words == 0) {
        drain_to_rows(target, work, start, tile);
    } else if (K == 4 && work.target.pairs) {
        drain_to_pairs(target, work, start, tile);
    } else if (K < 4 && work.target.vector == 4) {
        drain_to_places<K, K < 4 ? 4 : 1>(target, work, start, tile);
    } else if (K < 4 && work.target.vector == 2) {
        drain_to_places<K, K < 4 ? 2 : 1>(target, work, start, tile);
    } else {
        drain_to_places<K, 1>(target, work, start, tile);
    }
}

// A tile each block.
template <u32 K>
__device__ inline void transpose(const u8* source, u8* target, const Transposition& work, u32* tile) {
    const TileStart start = tile_start(work);
    fill<K>(reinterpret_cast<const u32*>(source), work, start, tile);
    __syncthreads();
    drain<K>(reinterpret_cast<u32*>(target), work, start, tile);
}
