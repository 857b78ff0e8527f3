// The raw bits of a thread's elements: from memory and to memory.

#pragma once

#include "reformat/convert.cuh"

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

// The elements of words that were read.
template <typename T>
__device__ inline void unpack_row(const u32 (&words)[COUNT * sizeof(T) / 4], u64 (&raw)[COUNT]) {
    if constexpr (sizeof(T) == 8) {
        EACH raw[k] = words[2 * k] | (u64)words[2 * k + 1] << 32;
    } else {
        unpack(words, raw);
    }
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
    unpack_row<T>(words, raw);
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
