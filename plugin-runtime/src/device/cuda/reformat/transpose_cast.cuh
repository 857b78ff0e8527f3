// Elements of 4, 2 or 1 bytes, or of half a byte, from one layout and type to others.
//
// As in transpose.cuh, whose tile has the source's elements: KS of a channel in a word. They are converted on their way out of
// it, eight or so at a time. A word of the target has KT elements. Elements of half a byte have a byte in a tile; from INT4
// to INT8 they are converted on their way into it.

#pragma once

#include "reformat/transpose.cuh"

struct CastTransposition {
    Transposition moves;
    Conversion conversion;
};

template <u32 K>
__device__ inline void unpack_word(u32 word, u32* raw) {
#pragma unroll
    for (u32 k = 0; k < K; ++k) {
        raw[k] = word >> (32 / K * k) & (0xFFFFFFFF >> (32 - 32 / K));
    }
}

// Words of neighbouring channels, of places that neighbour each other.
template <u32 KS, u32 KT, u32 WORDS>
__device__ inline void drain_converted_to_places(u32* target, const CastTransposition& work, const TileStart& start,
                                                 const u32* tile) {
    constexpr u32 CHANNELS = KT * WORDS;
    const TransposedSide& side = work.moves.target;
    const u32 units = side.groups << (work.moves.row_bits + side.vector_bits);
#pragma unroll 1
    for (u32 number = threadIdx.x; number < units; number += THREADS) {
        Unit<KS, KT, WORDS> unit(work.moves, side, start, number);
        if (!unit.in_tensor) {
            continue;
        }
        u32 raw[CHANNELS * KS];
#pragma unroll
        for (u32 channel = 0; channel < CHANNELS; ++channel) {
            unpack_word<KS>(tile[unit.at + channel * work.moves.row_step], raw + channel * KS);
        }
        convert(work.conversion, raw);
        u32 words[KS * WORDS];
#pragma unroll
        for (u32 i = 0; i < KS * WORDS; ++i) {
            words[i] = 0;
#pragma unroll
            for (u32 k = 0; k < KT; ++k) {
                words[i] |= raw[(i % WORDS * KT + k) * KS + i / WORDS] << (32 / KT * k);
            }
        }
        if (KS * WORDS <= 4 && side.place_words == WORDS) {
            write_vector<KS * WORDS>(target + unit.offset, words);
            continue;
        }
#pragma unroll
        for (u32 place = 0; place < KS; ++place) {
            write_vector<WORDS>(target + (unit.offset + place * side.place_words), words + place * WORDS);
        }
    }
}

// Which eight places of a tile's row: those of a warp lie in as many rows as keep its reads out of each other's banks.
template <u32 KS>
struct RowPiece {
    static constexpr u32 ROW_BITS = KS == 1 ? 3 : KS == 2 ? 2 : 1;
    // In so many bits, a piece's number within its row is counted.
    u32 bits;
    u32 low_bits;

    __device__ inline RowPiece(const Transposition& work) {
        bits = work.row_bits - ROW_BITS;
        low_bits = bits < 5 - ROW_BITS ? bits : 5 - ROW_BITS;
    }

    // Of a tile.
    __device__ inline u32 count(const Transposition& work) const {
        return (work.tile_channels + (1u << ROW_BITS) - 1) >> ROW_BITS << (ROW_BITS + bits);
    }

    __device__ inline u32 row(u32 number) const {
        return number >> (ROW_BITS + bits) << ROW_BITS | (number >> low_bits & ((1u << ROW_BITS) - 1));
    }

    __device__ inline u32 piece(u32 number) const {
        u32 high = number >> (ROW_BITS + low_bits) & ((1u << (bits - low_bits)) - 1);
        return high << low_bits | (number & ((1u << low_bits) - 1));
    }
};

template <u32 KS, u32 BITS>
__device__ inline void drain_converted_to_rows(u8* target, const CastTransposition& work, const TileStart& start,
                                               const u32* tile) {
    const Transposition& moves = work.moves;
    const RowPiece<KS> pieces(moves);
    const u32 count = pieces.count(moves);
#pragma unroll 1
    for (u32 number = threadIdx.x; number < count; number += THREADS) {
        u32 row = pieces.row(number), piece = pieces.piece(number);
        u32 channel = start.channel + row, place = start.word * KS + piece * COUNT;
        if (row >= moves.tile_channels || channel >= moves.channels || place >= moves.places) {
            continue;
        }
        u32 raw[COUNT];
#pragma unroll
        for (u32 i = 0; i < COUNT / KS; ++i) {
            unpack_word<KS>(tile[row * moves.row_step + piece * (COUNT / KS) + i], raw + i * KS);
        }
        convert(work.conversion, raw);
        u64 first = (u64)(start.outer * moves.channels + channel) * moves.places + place;
        u32 some = moves.places - place < COUNT ? moves.places - place : COUNT;
        write_some<BITS, COUNT>(target + first * BITS / 8, some, raw);
    }
}

// The pairs of words that a thread moves, of eight places each: the same column of every so many rows.
struct RowPairs {
    static constexpr u32 MOST = THREAD_WORDS / 2;
    u32 first;
    u32 step;
    // In a row of the tile, and in a channel.
    u32 column;
    u32 place;
    // As many places of them as there are.
    u32 some;

    __device__ inline RowPairs(const Transposition& work, const TileStart& start) {
        const u32 bits = work.row_bits - 1;
        first = threadIdx.x >> bits;
        step = THREADS >> bits;
        column = 2 * (threadIdx.x & ((1u << bits) - 1));
        place = (start.word + column) * 4;
        some = place >= work.places ? 0 : work.places - place < COUNT ? work.places - place : COUNT;
    }

    __device__ inline bool exists(const Transposition& work, const TileStart& start, u32 row) const {
        return some != 0 && row < work.tile_channels && start.channel + row < work.channels;
    }

    // In memory with half a byte each.
    __device__ inline u64 byte(const Transposition& work, const TileStart& start, u32 row) const {
        return ((u64)(start.outer * work.channels + start.channel + row) * work.places + place) / 2;
    }
};

// Elements of half a byte each, as INT8 if that is what they are to be.
__device__ inline void fill_from_rows_of_halves(const u8* source, const Transposition& work, const TileStart& start,
                                                bool widens, u32* tile) {
    const RowPairs pairs(work, start);
    u32 halves[RowPairs::MOST];
#pragma unroll
    for (u32 i = 0; i < RowPairs::MOST; ++i) {
        u32 row = pairs.first + i * pairs.step;
        const u8* from = source + pairs.byte(work, start, row);
        const bool exists = pairs.exists(work, start, row);
        halves[i] = 0;
        if (exists && pairs.some == COUNT && is_aligned<1>(from)) {
            halves[i] = *reinterpret_cast<const u32*>(from);
        } else if (exists) {
            u32 raw[COUNT];
            read_some<4, COUNT>(from, pairs.some, raw);
            Packed<4, COUNT> packed;
            packed.pack(raw);
            halves[i] = packed.words[0];
        }
    }
#pragma unroll
    for (u32 i = 0; i < RowPairs::MOST; ++i) {
        u32 row = pairs.first + i * pairs.step;
        if (row < work.tile_channels) {
            u32 low, high;
            widens ? widen(halves[i], low, high) : spread(halves[i], low, high);
            tile[row * work.row_step + pairs.column] = low;
            tile[row * work.row_step + pairs.column + 1] = high;
        }
    }
}

// From INT8 to INT4.
__device__ inline void drain_to_rows_of_halves(u8* target, const Transposition& work, const TileStart& start,
                                               const u32* tile) {
    const RowPairs pairs(work, start);
#pragma unroll
    for (u32 i = 0; i < RowPairs::MOST; ++i) {
        u32 row = pairs.first + i * pairs.step;
        if (!pairs.exists(work, start, row)) {
            continue;
        }
        const u32* words = tile + row * work.row_step + pairs.column;
        Packed<4, COUNT> halves;
        halves.words[0] = narrow(words[0], words[1]);
        u8* to = target + pairs.byte(work, start, row);
        if (pairs.some == COUNT && is_aligned<1>(to)) {
            halves.write(to);
            continue;
        }
        u32 raw[COUNT];
        halves.unpack(raw);
        write_some<4, COUNT>(to, pairs.some, raw);
    }
}

// A tile each block.
template <u32 KS, u32 KT>
__device__ inline void transpose_cast(const u8* source, u8* target, const CastTransposition& work, u32* tile) {
    const Transposition& moves = work.moves;
    const u32* from = reinterpret_cast<const u32*>(source);
    u32* to = reinterpret_cast<u32*>(target);
    const TileStart start = tile_start(moves);
    const bool widens = KS == 4 && KT == 4 && only_widens(work.conversion);
    if (KS == 4 && work.conversion.source_bytes == 0) {
        fill_from_rows_of_halves(source, moves, start, widens, tile);
    } else {
        fill<KS>(from, moves, start, tile);
    }
    __syncthreads();
    // As in reformat/transposition.rs.
    constexpr u32 WORDS = KS * KT >= 8 ? 1 : KS * KT == 4 ? 2 : 4;
    if (widens) {
        drain<KT>(to, moves, start, tile);
    } else if (KS == 4 && KT == 4 && only_narrows(work.conversion)) {
        drain_to_rows_of_halves(target, moves, start, tile);
    } else if (KT == 4 && work.conversion.target_bytes == 0) {
        drain_converted_to_rows<KS, 4>(target, work, start, tile);
    } else if (moves.target.place_words == 0) {
        drain_converted_to_rows<KS, 32 / KT>(target, work, start, tile);
    } else if (moves.target.vector == WORDS) {
        drain_converted_to_places<KS, KT, WORDS>(to, work, start, tile);
    } else if (WORDS == 4 && moves.target.vector == 2) {
        drain_converted_to_places<KS, KT, WORDS == 4 ? 2 : 1>(to, work, start, tile);
    } else {
        drain_converted_to_places<KS, KT, 1>(to, work, start, tile);
    }
}
