// Tensors from one type and layout to another. What it computes is what the CPU's reformat computes, bit for bit.
//
// A thread handles eight elements: it reads their raw bits, converts them by way of f32 or i64, and writes raw bits. So
// the types are told apart once for eight elements, and no kernel is needed for each pair of them.

#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// As in reformat/work.rs.
enum Type : u32 { FP32, FP16, BF16, FP8, INT64, INT32, INT8, UINT8, INT4, BOOL };
enum Nesting : u32 { SAME_CHANNELS, SOURCE_DEEPER, TARGET_DEEPER };

struct Conversion {
    u32 from;
    u32 to;
    float multiply;
    float divide;
    u32 copies;
    u32 scales;
    u32 rounds;
    // Of one element; 0 stands for half a byte.
    u32 source_bytes;
    u32 target_bytes;
    u32 unused;
};

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
};

// Elements of a thread, and threads of a block.
constexpr u32 COUNT = 8;
constexpr u32 THREADS = 256;
// Elements of a tile, and its channels, at most.
constexpr u32 TILE_ELEMENTS = COUNT * THREADS;
constexpr u32 TILE_CHANNELS = 32;

// ---------------------------------------------------------------------------------------------------------- numbers

__device__ inline u32 divide(u32 n, const Divider& by) {
    return (u32)((u64)(n << 1) * by.multiplier >> 32) >> by.shift;
}

__device__ inline u64 divide(u64 n, const Divider& by) { return n / by.divisor; }

constexpr u32 INFINITY_BITS = 0x7F800000;
constexpr u32 QUIET = 0x00400000;

__device__ inline float f16_to_f32(u32 bits) {
    u32 sign = (bits & 0x8000) << 16;
    u32 shifted = (bits & 0x7FFF) << 13;
    if (shifted > 0x7C00 << 13) {
        return __uint_as_float(sign | shifted | INFINITY_BITS | QUIET);
    }
#ifdef __CUDA_ARCH__
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"((u16)bits));
    return value;
#else
    u32 rebiased = shifted + (112 << 23);
    if (shifted == 0x7C00 << 13) {
        rebiased = INFINITY_BITS;
    } else if (shifted < 1 << 23) {
        rebiased = __float_as_uint(__uint_as_float(rebiased + (1 << 23)) - __uint_as_float(113 << 23));
    }
    return __uint_as_float(sign | rebiased);
#endif
}

__device__ inline u32 f32_to_f16(float value) {
    u32 bits = __float_as_uint(value);
    u32 sign = bits >> 16 & 0x8000;
    u32 magnitude = bits & 0x7FFFFFFF;
    if (magnitude > INFINITY_BITS) {
        return sign | 0x7E00 | (magnitude >> 13 & 0x03FF);
    }
#ifdef __CUDA_ARCH__
    u16 half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
#else
    u32 result = ((magnitude + 0xFFF + (magnitude >> 13 & 1)) >> 13) - (112 << 10);
    if (magnitude < 113 << 23) {
        result = __float_as_uint(__uint_as_float(magnitude) + 0.5f) - __float_as_uint(0.5f);
    } else if (magnitude >= 143u << 23) {
        result = 0x7C00;
    }
    return sign | result;
#endif
}

__device__ inline u32 f32_to_bf16(float value) {
    u32 bits = __float_as_uint(value);
    u32 rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7FFFFFFF) > INFINITY_BITS ? bits >> 16 | 0x0040 : rounded;
}

// FP8 with 4 exponent and 3 mantissa bits: no infinities, one NaN a sign, at most 448.
__device__ inline float e4m3_to_f32(u32 bits) {
    u32 sign = (bits & 0x80) << 24;
    u32 shifted = (bits & 0x7F) << 20;
    u32 magnitude = shifted + (120 << 23);
    if (shifted < 1 << 23) {
        magnitude = __float_as_uint(__uint_as_float(magnitude + (1 << 23)) - __uint_as_float(121 << 23));
    } else if (shifted == 0x7F << 20) {
        magnitude = INFINITY_BITS | QUIET;
    }
    return __uint_as_float(sign | magnitude);
}

// What is too large, infinities too, becomes 448 of its sign; every NaN becomes the positive one.
__device__ inline u32 f32_to_e4m3(float value) {
    u32 bits = __float_as_uint(value);
    u32 magnitude = bits & 0x7FFFFFFF;
    u32 result = ((magnitude + 0x7FFFF + (magnitude >> 20 & 1)) >> 20) - (120 << 3);
    if (magnitude > INFINITY_BITS) {
        return 0x7F;
    }
    if (magnitude < 121 << 23) {
        result = __float_as_uint(__uint_as_float(magnitude) + 16384.0f) - __float_as_uint(16384.0f);
    } else if (magnitude >= __float_as_uint(448.0f)) {
        result = 0x7E;
    }
    return (bits >> 24 & 0x80) | result;
}

// Toward zero, saturated; NaN becomes 0.
__device__ inline i64 f32_to_i64(float value) {
    constexpr float LIMIT = 9223372036854775808.0f;
    if (value != value) {
        return 0;
    }
    if (value >= LIMIT) {
        return 0x7FFFFFFFFFFFFFFF;
    }
    return value <= -LIMIT ? -0x7FFFFFFFFFFFFFFF - 1 : (i64)value;
}

// The scale is positive and finite, so a NaN comes from a NaN only, whose payload is kept.
__device__ inline float rescale(float value, float multiply, float by) {
    return value == value ? value * multiply / by : __uint_as_float(__float_as_uint(value) | QUIET);
}

// The nearest integer, ties to even, of what INT8 can hold; a NaN stays one.
__device__ inline float round_for_int8(float value) {
    // Floats of this size are one apart.
    constexpr float ONE_APART = 12582912.0f;
    float bounded = value < -128.0f ? -128.0f : value > 127.0f ? 127.0f : value;
    return bounded + ONE_APART - ONE_APART;
}

__device__ inline i64 clamp(i64 value, i64 least, i64 most) {
    return value < least ? least : value > most ? most : value;
}

// ------------------------------------------------------------------------------------------------------ conversions

#define EACH _Pragma("unroll") for (u32 k = 0; k < COUNT; k++)

__device__ inline void convert(const Conversion& conversion, u64 (&raw)[COUNT]) {
    if (conversion.copies) {
        return;
    }
    float floats[COUNT] = {};
    i64 integers[COUNT] = {};
    switch (conversion.from) {
    case FP32: EACH floats[k] = __uint_as_float((u32)raw[k]); break;
    case FP16: EACH floats[k] = f16_to_f32((u32)raw[k]); break;
    case BF16: EACH floats[k] = __uint_as_float((u32)raw[k] << 16); break;
    case FP8: EACH floats[k] = e4m3_to_f32((u32)raw[k]); break;
    case INT64: EACH integers[k] = (i64)raw[k]; break;
    case INT32: EACH integers[k] = (int)(u32)raw[k]; break;
    case INT8: EACH integers[k] = (signed char)(u8)raw[k]; break;
    case UINT8: EACH integers[k] = (u8)raw[k]; break;
    case INT4: EACH integers[k] = (int)((u32)raw[k] << 28) >> 28; break;
    default: EACH integers[k] = raw[k] != 0; break;
    }
    bool is_float = conversion.from <= FP8;
    if (!is_float && (conversion.scales || conversion.to <= FP8)) {
        EACH floats[k] = (float)integers[k];
        is_float = true;
    }
    if (conversion.scales) {
        EACH floats[k] = rescale(floats[k], conversion.multiply, conversion.divide);
        if (conversion.rounds) {
            EACH floats[k] = round_for_int8(floats[k]);
        }
    }
    if (is_float && conversion.to > FP8) {
        if (conversion.to == BOOL) {
            EACH integers[k] = floats[k] != 0.0f;
        } else {
            EACH integers[k] = f32_to_i64(floats[k]);
        }
    }
    switch (conversion.to) {
    case FP32: EACH raw[k] = __float_as_uint(floats[k]); break;
    case FP16: EACH raw[k] = f32_to_f16(floats[k]); break;
    case BF16: EACH raw[k] = f32_to_bf16(floats[k]); break;
    case FP8: EACH raw[k] = f32_to_e4m3(floats[k]); break;
    case INT64: EACH raw[k] = (u64)integers[k]; break;
    case INT32: EACH raw[k] = (u32)clamp(integers[k], -0x7FFFFFFF - 1, 0x7FFFFFFF); break;
    case INT8: EACH raw[k] = (u8)clamp(integers[k], -128, 127); break;
    case UINT8: EACH raw[k] = (u8)clamp(integers[k], 0, 255); break;
    case INT4: EACH raw[k] = (u32)clamp(integers[k], -8, 7) & 15; break;
    default: EACH raw[k] = integers[k] != 0; break;
    }
}

// ---------------------------------------------------------------------------------------------- eight in a row

template <u32 N>
struct alignas(N >= 4 ? 16 : 4 * N) Words {
    u32 at[N >= 4 ? 4 : N];
};

template <u32 N>
__device__ inline bool is_aligned(const u8* memory) {
    return (u64)memory % sizeof(Words<N>) == 0;
}

template <u32 N>
__device__ inline void read_words(const u8* memory, u32 (&words)[N]) {
    constexpr u32 STEP = N >= 4 ? 4 : N;
#pragma unroll
    for (u32 i = 0; i < N; i += STEP) {
        Words<N> some = *reinterpret_cast<const Words<N>*>(memory + 4 * i);
#pragma unroll
        for (u32 j = 0; j < STEP; j++) {
            words[i + j] = some.at[j];
        }
    }
}

template <u32 N>
__device__ inline void write_words(u8* memory, const u32 (&words)[N]) {
    constexpr u32 STEP = N >= 4 ? 4 : N;
#pragma unroll
    for (u32 i = 0; i < N; i += STEP) {
        Words<N> some;
#pragma unroll
        for (u32 j = 0; j < STEP; j++) {
            some.at[j] = words[i + j];
        }
        *reinterpret_cast<Words<N>*>(memory + 4 * i) = some;
    }
}

// Elements of `bits` bits, up to 32, that lie in `N` words.
template <u32 N>
__device__ inline void unpack(const u32 (&words)[N], u64 (&raw)[COUNT]) {
    constexpr u32 BITS = 32 * N / COUNT;
    EACH raw[k] = words[k * BITS / 32] >> (k * BITS % 32) & (0xFFFFFFFF >> (32 - BITS));
}

template <u32 N>
__device__ inline void pack(const u64 (&raw)[COUNT], u32 (&words)[N]) {
    constexpr u32 BITS = 32 * N / COUNT;
#pragma unroll
    for (u32 i = 0; i < N; i++) {
        words[i] = 0;
    }
    EACH words[k * BITS / 32] |= (u32)raw[k] << (k * BITS % 32);
}

template <typename T>
__device__ inline void read_each(const u8* memory, u32 count, u64 (&raw)[COUNT]) {
    const T* elements = reinterpret_cast<const T*>(memory);
    EACH raw[k] = k < count ? elements[k] : 0;
}

template <typename T>
__device__ inline void write_each(u8* memory, u32 count, const u64 (&raw)[COUNT]) {
    T* elements = reinterpret_cast<T*>(memory);
    EACH if (k < count) elements[k] = (T)raw[k];
}

template <typename T>
__device__ inline void read_row(const u8* memory, u32 count, u64 (&raw)[COUNT]) {
    constexpr u32 N = COUNT * sizeof(T) / 4;
    if (count < COUNT || !is_aligned<N>(memory)) {
        return read_each<T>(memory, count, raw);
    }
    u32 words[N];
    read_words(memory, words);
    if constexpr (sizeof(T) == 8) {
        EACH raw[k] = words[2 * k] | (u64)words[2 * k + 1] << 32;
    } else {
        unpack(words, raw);
    }
}

template <typename T>
__device__ inline void write_row(u8* memory, u32 count, const u64 (&raw)[COUNT]) {
    constexpr u32 N = COUNT * sizeof(T) / 4;
    if (count < COUNT || !is_aligned<N>(memory)) {
        return write_each<T>(memory, count, raw);
    }
    u32 words[N];
    if constexpr (sizeof(T) == 8) {
        EACH words[2 * k] = (u32)raw[k];
        EACH words[2 * k + 1] = (u32)(raw[k] >> 32);
    } else {
        pack(raw, words);
    }
    write_words(memory, words);
}

// The `count` elements from `first` on, which is a multiple of 8; `bytes` as in Conversion.
__device__ inline void read_elements(const u8* memory, u32 bytes, u64 first, u32 count, u64 (&raw)[COUNT]) {
    const u8* start = bytes == 0 ? memory + first / 2 : memory + first * bytes;
    switch (bytes) {
    case 0:
        if (count == COUNT && is_aligned<1>(start)) {
            u32 words[1];
            read_words(start, words);
            unpack(words, raw);
        } else {
            EACH raw[k] = k < count ? start[k / 2] >> (4 * (k % 2)) & 15 : 0;
        }
        break;
    case 1: read_row<u8>(start, count, raw); break;
    case 2: read_row<u16>(start, count, raw); break;
    case 4: read_row<u32>(start, count, raw); break;
    default: read_row<u64>(start, count, raw); break;
    }
}

__device__ inline void write_elements(u8* memory, u32 bytes, u64 first, u32 count, const u64 (&raw)[COUNT]) {
    u8* start = bytes == 0 ? memory + first / 2 : memory + first * bytes;
    switch (bytes) {
    case 0:
        if (count == COUNT && is_aligned<1>(start)) {
            u32 words[1];
            pack(raw, words);
            write_words(start, words);
            break;
        }
#pragma unroll
        for (u32 k = 0; k < COUNT; k += 2) {
            if (k < count) {
                start[k / 2] = (u8)(raw[k] | (k + 1 < count ? raw[k + 1] << 4 : 0));
            }
        }
        break;
    case 1: write_row<u8>(start, count, raw); break;
    case 2: write_row<u16>(start, count, raw); break;
    case 4: write_row<u32>(start, count, raw); break;
    default: write_row<u64>(start, count, raw); break;
    }
}

// ------------------------------------------------------------------------------------------------- eight apart

// Elements that aren't `wanted` are 0.
template <typename T, typename Index>
__device__ inline void gather_each(const u8* memory, const Index (&at)[COUNT], u32 wanted, u64 (&raw)[COUNT]) {
    const T* elements = reinterpret_cast<const T*>(memory);
    EACH raw[k] = wanted >> k & 1 ? elements[at[k]] : 0;
}

template <typename Index>
__device__ inline void gather(const u8* memory, u32 bytes, const Index (&at)[COUNT], u32 wanted, u64 (&raw)[COUNT]) {
    switch (bytes) {
    case 0:
        EACH raw[k] = wanted >> k & 1 ? memory[at[k] / 2] >> (4 * (u32)(at[k] % 2)) & 15 : 0;
        break;
    case 1: gather_each<u8>(memory, at, wanted, raw); break;
    case 2: gather_each<u16>(memory, at, wanted, raw); break;
    case 4: gather_each<u32>(memory, at, wanted, raw); break;
    default: gather_each<u64>(memory, at, wanted, raw); break;
    }
}

template <typename T, typename Index>
__device__ inline void scatter_each(u8* memory, const Index (&at)[COUNT], u32 wanted, const u64 (&raw)[COUNT]) {
    T* elements = reinterpret_cast<T*>(memory);
    EACH if (wanted >> k & 1) elements[at[k]] = (T)raw[k];
}

template <typename Index>
__device__ inline void scatter(u8* memory, u32 bytes, const Index (&at)[COUNT], u32 wanted, const u64 (&raw)[COUNT]) {
    switch (bytes) {
    case 1: scatter_each<u8>(memory, at, wanted, raw); break;
    case 2: scatter_each<u16>(memory, at, wanted, raw); break;
    case 4: scatter_each<u32>(memory, at, wanted, raw); break;
    default: scatter_each<u64>(memory, at, wanted, raw); break;
    }
}

// ---------------------------------------------------------------------------------------------------------- layouts

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
    if (first >= work.elements) {
        return;
    }
    u32 count = work.elements - first < COUNT ? (u32)(work.elements - first) : COUNT;
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
