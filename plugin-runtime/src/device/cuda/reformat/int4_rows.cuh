// Rows of INT4 to and from a tile that has a byte each.

#pragma once

#include "reformat/short.cuh"
#include "reformat/transpose.cuh"

// The pairs of words that a thread moves, of eight places each: the same column of every so many rows. Rows have a multiple of
// four places.
struct RowPairs {
    static constexpr u32 MOST = THREAD_WORDS / 2;
    u32 first;
    u32 step;
    // In a row of the tile.
    u32 column;
    // Rows that the tensor has of the tile.
    u32 rows;
    // Whether there are places for both words.
    bool both;
    // In memory with half a byte each: where the first pair is, and how far it is to the next.
    u32 byte;
    u32 byte_step;

    __device__ inline RowPairs(const Transposition& work, const TileStart& start) {
        const u32 bits = work.row_bits - 1;
        first = threadIdx.x >> bits;
        step = THREADS >> bits;
        column = 2 * (threadIdx.x & ((1u << bits) - 1));
        const u32 word = start.word + column, left = work.channels - start.channel;
        rows = left < work.tile_channels ? left : work.tile_channels;
        rows = start.channel < work.channels && word < work.channel_words ? rows : 0;
        both = word + 1 < work.channel_words;
        const u32 row_bytes = work.places / 2;
        byte = (start.outer * work.channels + start.channel + first) * row_bytes + word * 2;
        byte_step = step * row_bytes;
    }
};

// A byte each in the tile, as INT8 or with 0 in its upper half.
template <bool WIDENS>
__device__ inline void fill_from_int4_rows(const u8* source, const Transposition& work, const TileStart& start, u32* tile) {
    const RowPairs pairs(work, start);
    u32 int4[RowPairs::MOST];
#pragma unroll
    for (u32 i = 0; i < RowPairs::MOST; ++i) {
        const u8* from = source + (pairs.byte + i * pairs.byte_step);
        int4[i] = 0;
        if (pairs.first + i * pairs.step >= pairs.rows) {
            continue;
        }
        if (pairs.both && is_aligned<1>(from)) {
            int4[i] = *reinterpret_cast<const u32*>(from);
        } else {
            const u16* words = reinterpret_cast<const u16*>(from);
            int4[i] = words[0] | (pairs.both ? (u32)words[1] << 16 : 0);
        }
    }
#pragma unroll
    for (u32 i = 0; i < RowPairs::MOST; ++i) {
        u32 row = pairs.first + i * pairs.step;
        if (row < work.tile_channels) {
            u32 low, high;
            WIDENS ? int4_to_int8(int4[i], low, high) : int4_to_bytes(int4[i], low, high);
            tile[row * work.row_step + pairs.column] = low;
            tile[row * work.row_step + pairs.column + 1] = high;
        }
    }
}

// From INT8.
__device__ inline void drain_to_int4_rows(u8* target, const Transposition& work, const TileStart& start, const u32* tile) {
    const RowPairs pairs(work, start);
#pragma unroll
    for (u32 i = 0; i < RowPairs::MOST; ++i) {
        u32 row = pairs.first + i * pairs.step;
        if (row >= pairs.rows) {
            continue;
        }
        const u32* words = tile + row * work.row_step + pairs.column;
        const u32 int4 = int8_to_int4(words[0], words[1]);
        u8* to = target + (pairs.byte + i * pairs.byte_step);
        if (pairs.both && is_aligned<1>(to)) {
            *reinterpret_cast<u32*>(to) = int4;
            continue;
        }
        u16* written = reinterpret_cast<u16*>(to);
        written[0] = (u16)int4;
        if (pairs.both) {
            written[1] = (u16)(int4 >> 16);
        }
    }
}
