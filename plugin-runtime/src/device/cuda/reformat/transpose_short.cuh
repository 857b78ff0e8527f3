// FP16, INT8 and INT4 from one layout to others and from one type to another, where nothing is scaled.
//
// As in transpose.cuh. The tile has INT8, which FP16 becomes on its way into it, or is made of on its way out: a word of the tile
// has four places, for which FP16 has two words in a row, or, of two channels, one in each of four places.

#pragma once

#include "reformat/int4_rows.cuh"

__device__ inline void fill_from_half_rows(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    const Rows<2> rows(work, work.source, start);
    const u32 channels = rows.exists && start.channel < work.channels ? work.channels - start.channel : 0;
    u32 words[THREAD_WORDS][2];
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        u32 row = rows.first + i * rows.step;
        words[i][0] = words[i][1] = 0;
        if (row < channels && row < work.tile_channels) {
            read_vector<2>(source + (rows.offset + i * rows.step * work.channel_words * 2), words[i]);
        }
    }
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        if (rows.first + i * rows.step < work.tile_channels) {
            tile[rows.at + i * rows.step * work.row_step] = halves_to_int8(words[i][0], words[i][1]);
        }
    }
}

__device__ inline void drain_to_half_rows(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    const Rows<2> rows(work, work.target, start);
    const u32 channels = rows.exists && start.channel < work.channels ? work.channels - start.channel : 0;
#pragma unroll
    for (u32 i = 0; i < THREAD_WORDS; ++i) {
        u32 row = rows.first + i * rows.step;
        if (row < channels && row < work.tile_channels) {
            u32 words[2];
            int8_to_halves(tile[rows.at + i * rows.step * work.row_step], words[0], words[1]);
            write_vector<2>(target + (rows.offset + i * rows.step * work.channel_words * 2), words);
        }
    }
}

// A unit is four places with two channels in each of WORDS words.
template <u32 WORDS>
__device__ inline void fill_from_half_places(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    constexpr u32 PLACES = 4, CHANNELS = 2 * WORDS, UNITS = THREAD_WORDS / CHANNELS;
    const TransposedSide& side = work.source;
    u32 words[UNITS][PLACES * WORDS];
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<PLACES, 2, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
#pragma unroll
        for (u32 k = 0; k < PLACES * WORDS; ++k) {
            words[i][k] = 0;
        }
        if (!unit.in_tensor) {
            continue;
        }
        if (WORDS == 1 && side.place_words == 1) {
            read_vector<PLACES>(source + unit.offset, words[i]);
            continue;
        }
#pragma unroll
        for (u32 place = 0; place < PLACES; ++place) {
            read_vector<WORDS>(source + (unit.offset + place * side.place_words), words[i] + place * WORDS);
        }
    }
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<PLACES, 2, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
        if (!unit.in_tile) {
            continue;
        }
#pragma unroll
        for (u32 channel = 0; channel < CHANNELS; ++channel) {
            int of_places[PLACES];
            EACH_OF(PLACES) of_places[k] = half_to_i32(words[i][k * WORDS + channel / 2] >> channel % 2 * 16);
            u32 bytes = saturated_to_int8(of_places[0], of_places[1], of_places[2], of_places[3]);
            bool real = start.channel + unit.channel + channel < work.channels;
            tile[unit.at + channel * work.row_step] = real ? bytes : 0;
        }
    }
}

template <u32 WORDS>
__device__ inline void drain_to_half_places(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    constexpr u32 PLACES = 4, CHANNELS = 2 * WORDS, UNITS = THREAD_WORDS / CHANNELS;
    const TransposedSide& side = work.target;
#pragma unroll
    for (u32 i = 0; i < UNITS; ++i) {
        Unit<PLACES, 2, WORDS> unit(work, side, start, threadIdx.x + i * THREADS);
        if (!unit.in_tensor) {
            continue;
        }
        u32 words[PLACES * WORDS];
#pragma unroll
        for (u32 word = 0; word < WORDS; ++word) {
            const u32* channels = tile + (unit.at + 2 * word * work.row_step);
            u32 first, last;
            interleave(channels[0], channels[work.row_step], first, last);
            int8_to_halves(first, words[word], words[WORDS + word]);
            int8_to_halves(last, words[2 * WORDS + word], words[3 * WORDS + word]);
        }
        if (WORDS == 1 && side.place_words == 1) {
            write_vector<PLACES>(target + unit.offset, words);
            continue;
        }
#pragma unroll
        for (u32 place = 0; place < PLACES; ++place) {
            write_vector<WORDS>(target + (unit.offset + place * side.place_words), words + place * WORDS);
        }
    }
}

__device__ inline void fill_from_halves(const u32* source, const Transposition& work, const TileStart& start, u32* tile) {
    if (work.source.place_words == 0) {
        fill_from_half_rows(source, work, start, tile);
    } else if (work.source.vector == 4) {
        fill_from_half_places<4>(source, work, start, tile);
    } else if (work.source.vector == 2) {
        fill_from_half_places<2>(source, work, start, tile);
    } else {
        fill_from_half_places<1>(source, work, start, tile);
    }
}

__device__ inline void drain_to_halves(u32* target, const Transposition& work, const TileStart& start, const u32* tile) {
    if (work.target.place_words == 0) {
        drain_to_half_rows(target, work, start, tile);
    } else if (work.target.vector == 4) {
        drain_to_half_places<4>(target, work, start, tile);
    } else if (work.target.vector == 2) {
        drain_to_half_places<2>(target, work, start, tile);
    } else {
        drain_to_half_places<1>(target, work, start, tile);
    }
}

// A tile each block, from and to elements of 16, 8 or 4 bits.
template <u32 FROM, u32 TO>
__device__ inline void transpose_short(const u8* source, u8* target, const Transposition& work, u32* tile) {
    const TileStart start = tile_start(work);
    if constexpr (FROM == 16) {
        fill_from_halves(reinterpret_cast<const u32*>(source), work, start, tile);
    } else if constexpr (FROM == 8) {
        fill<4>(reinterpret_cast<const u32*>(source), work, start, tile);
    } else {
        fill_from_int4_rows<true>(source, work, start, tile);
    }
    __syncthreads();
    if constexpr (TO == 16) {
        drain_to_halves(reinterpret_cast<u32*>(target), work, start, tile);
    } else if constexpr (TO == 8) {
        drain<4>(reinterpret_cast<u32*>(target), work, start, tile);
    } else {
        drain_to_int4_rows(target, work, start, tile);
    }
}
