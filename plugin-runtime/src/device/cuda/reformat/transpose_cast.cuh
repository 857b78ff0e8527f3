// Elements of 4, 2 or 1 bytes, or of half a byte, from one layout and type to others.
//
// As in transpose.cuh, whose tile has the source's elements: KS of a channel in a word. They are converted on their way out of
// it, eight or so at a time. A word of the target has KT elements. Elements of half a byte have a byte in a tile.

#pragma once

#include "reformat/int4_rows.cuh"

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

// A tile each block.
template <u32 KS, u32 KT>
__device__ inline void transpose_cast(const u8* source, u8* target, const CastTransposition& work, u32* tile) {
    const Transposition& moves = work.moves;
    const u32* from = reinterpret_cast<const u32*>(source);
    u32* to = reinterpret_cast<u32*>(target);
    const TileStart start = tile_start(moves);
    if (KS == 4 && work.conversion.source_bytes == 0) {
        fill_from_int4_rows<false>(source, moves, start, tile);
    } else {
        fill<KS>(from, moves, start, tile);
    }
    __syncthreads();
    // As in reformat/transposition.rs.
    constexpr u32 WORDS = KS * KT >= 8 ? 1 : KS * KT == 4 ? 2 : 4;
    if (KT == 4 && work.conversion.target_bytes == 0) {
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
