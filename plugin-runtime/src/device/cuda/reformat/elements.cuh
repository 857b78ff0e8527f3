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

// Elements of BITS bits as they lie behind each other, in at least one word.
template <u32 BITS, u32 N>
struct Packed {
    static constexpr u32 BYTES = BITS * N / 8;
    static constexpr u32 WORDS = BYTES < 4 ? 1 : BYTES / 4;
    u32 words[WORDS];

    __device__ static inline bool is_aligned_at(const u8* memory) {
        return BYTES < 4 ? (u64)memory % BYTES == 0 : is_aligned<WORDS>(memory);
    }

    __device__ inline void read(const u8* memory) {
        if constexpr (BYTES == 1) {
            words[0] = *memory;
        } else if constexpr (BYTES == 2) {
            words[0] = *reinterpret_cast<const u16*>(memory);
        } else {
            read_words(memory, words);
        }
    }

    __device__ inline void write(u8* memory) const {
        if constexpr (BYTES == 1) {
            *memory = (u8)words[0];
        } else if constexpr (BYTES == 2) {
            *reinterpret_cast<u16*>(memory) = (u16)words[0];
        } else {
            write_words(memory, words);
        }
    }

    template <typename Raw>
    __device__ inline void unpack(Raw* raw) const {
#pragma unroll
        for (u32 k = 0; k < N; k++) {
            if constexpr (BITS == 64) {
                raw[k] = (Raw)(words[2 * k] | (u64)words[2 * k + 1] << 32);
            } else {
                raw[k] = words[k * BITS / 32] >> (k * BITS % 32) & (0xFFFFFFFF >> (32 - BITS));
            }
        }
    }

    template <typename Raw>
    __device__ inline void pack(const Raw* raw) {
#pragma unroll
        for (u32 i = 0; i < WORDS; i++) {
            words[i] = 0;
        }
#pragma unroll
        for (u32 k = 0; k < N; k++) {
            if constexpr (BITS == 64) {
                words[2 * k] = (u32)raw[k];
                words[2 * k + 1] = (u32)((u64)raw[k] >> 32);
            } else {
                words[k * BITS / 32] |= (u32)raw[k] << (k * BITS % 32);
            }
        }
    }
};

template <u32 BITS>
struct Bits;
template <>
struct Bits<8> {
    using Type = u8;
};
template <>
struct Bits<16> {
    using Type = u16;
};
template <>
struct Bits<32> {
    using Type = u32;
};
template <>
struct Bits<64> {
    using Type = u64;
};

// The first `count` of N elements; what isn't there is read as 0.
template <u32 BITS, u32 N, typename Raw>
__device__ inline void read_some(const u8* memory, u32 count, Raw* raw) {
    using Elements = Packed<BITS, N>;
    if (count == N && Elements::is_aligned_at(memory)) {
        Elements elements;
        elements.read(memory);
        return elements.unpack(raw);
    }
#pragma unroll
    for (u32 k = 0; k < N; k++) {
        if constexpr (BITS == 4) {
            raw[k] = k < count ? memory[k / 2] >> (4 * (k % 2)) & 15 : 0;
        } else {
            raw[k] = k < count ? reinterpret_cast<const typename Bits<BITS>::Type*>(memory)[k] : 0;
        }
    }
}

// Of elements of half a byte, an odd one at the end has the byte for itself.
template <u32 BITS, u32 N, typename Raw>
__device__ inline void write_some(u8* memory, u32 count, const Raw* raw) {
    using Elements = Packed<BITS, N>;
    if (count == N && Elements::is_aligned_at(memory)) {
        Elements elements;
        elements.pack(raw);
        return elements.write(memory);
    }
#pragma unroll
    for (u32 k = 0; k < N; k++) {
        if (k >= count) {
            break;
        }
        if constexpr (BITS == 4) {
            if (k % 2 == 0) {
                memory[k / 2] = (u8)(raw[k] | (k + 1 < count ? raw[k + 1] << 4 : 0));
            }
        } else {
            using T = typename Bits<BITS>::Type;
            reinterpret_cast<T*>(memory)[k] = (T)raw[k];
        }
    }
}

// ALL elements of a thread in so many parts, each of them beside those of its neighbours: where one side's have 8 bytes, all of
// them would lie 64 bytes from the neighbour's.
template <u32 ALL, u32 PARTS>
struct Parts {
    static constexpr u32 N = ALL / PARTS;

    // The first element of a part.
    __device__ static inline u64 first(u32 part) {
        return (u64)blockIdx.x * THREADS * ALL + part * (THREADS * N) + threadIdx.x * N;
    }

    __device__ static inline u32 count(u64 first, u64 elements) {
        return first >= elements ? 0 : elements - first < N ? (u32)(elements - first) : N;
    }

    template <u32 BITS, typename Raw>
    __device__ static inline void read_all(const u8* memory, u64 elements, Raw (&raw)[ALL]) {
#pragma unroll
        for (u32 part = 0; part < PARTS; part++) {
            u64 at = first(part);
            read_some<BITS, N>(memory + at * BITS / 8, count(at, elements), raw + part * N);
        }
    }

    template <u32 BITS, typename Raw>
    __device__ static inline void write_all(u8* memory, u64 elements, const Raw (&raw)[ALL]) {
#pragma unroll
        for (u32 part = 0; part < PARTS; part++) {
            u64 at = first(part);
            write_some<BITS, N>(memory + at * BITS / 8, count(at, elements), raw + part * N);
        }
    }

    // `bytes` as in Conversion, at most MOST_BYTES.
    template <u32 MOST_BYTES, typename Raw>
    __device__ static inline void read(const u8* memory, u32 bytes, u64 elements, Raw (&raw)[ALL]) {
        switch (bytes) {
        case 0: return read_all<4>(memory, elements, raw);
        case 1: return read_all<8>(memory, elements, raw);
        case 2: return read_all<16>(memory, elements, raw);
        case 4: if constexpr (MOST_BYTES >= 4) read_all<32>(memory, elements, raw); return;
        default: if constexpr (MOST_BYTES >= 8) read_all<64>(memory, elements, raw); return;
        }
    }

    template <u32 MOST_BYTES, typename Raw>
    __device__ static inline void write(u8* memory, u32 bytes, u64 elements, const Raw (&raw)[ALL]) {
        switch (bytes) {
        case 0: return write_all<4>(memory, elements, raw);
        case 1: return write_all<8>(memory, elements, raw);
        case 2: return write_all<16>(memory, elements, raw);
        case 4: if constexpr (MOST_BYTES >= 4) write_all<32>(memory, elements, raw); return;
        default: if constexpr (MOST_BYTES >= 8) write_all<64>(memory, elements, raw); return;
        }
    }
};

// The `count` elements from `first` on, which is a multiple of 8; `bytes` as in Conversion.
__device__ inline void write_elements(u8* memory, u32 bytes, u64 first, u32 count, const u64 (&raw)[COUNT]) {
    switch (bytes) {
    case 0: return write_some<4, COUNT>(memory + first / 2, count, raw);
    case 1: return write_some<8, COUNT>(memory + first, count, raw);
    case 2: return write_some<16, COUNT>(memory + first * 2, count, raw);
    case 4: return write_some<32, COUNT>(memory + first * 4, count, raw);
    default: return write_some<64, COUNT>(memory + first * 8, count, raw);
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

// Bytes of two words between each other: of the first, of the second, and so on.
__device__ inline void interleave(u32 even, u32 odd, u32& low, u32& high) {
    low = __byte_perm(even, odd, 0x5140);
    high = __byte_perm(even, odd, 0x7362);
}
