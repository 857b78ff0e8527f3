// Between FP16, INT8 and INT4, where nothing is scaled: what the hardware has instructions for, several elements at a time.
//
// From a half to an integer: toward zero, saturated, and 0 of a NaN. Integers become halves exactly.

#pragma once

#include "reformat/elements.cuh"

#ifdef __CUDA_ARCH__

__device__ inline int half_to_i32(u32 half) {
    int integer;
    asm("cvt.rzi.s32.f16 %0, %1;" : "=r"(integer) : "h"((u16)half));
    return integer;
}

// Four INT8, the first in the lowest byte.
__device__ inline u32 saturated_to_int8(int a, int b, int c, int d) {
    u32 high, all;
    asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, 0;" : "=r"(high) : "r"(d), "r"(c));
    asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, %3;" : "=r"(all) : "r"(b), "r"(a), "r"(high));
    return all;
}

// All bits of a byte as its highest one.
__device__ inline u32 signs(u32 bytes) {
    u32 all;
    asm("prmt.b32 %0, %1, 0, 0xBA98;" : "=r"(all) : "r"(bytes));
    return all;
}

// The sums of two pairs of halves.
__device__ inline u32 add_halves(u32 a, u32 b) {
    u32 sum;
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
    return sum;
}

#else

__device__ inline int half_to_i32(u32 half) { return f32_to_i32(f16_value(half & 0xFFFF)); }

__device__ inline u32 saturated_to_int8(int a, int b, int c, int d) {
    const int all[] = {a, b, c, d};
    u32 bytes = 0;
    EACH_OF(4) bytes |= (u32)(u8)clamp(all[k], -128, 127) << 8 * k;
    return bytes;
}

__device__ inline u32 signs(u32 bytes) { return (bytes >> 7 & 0x01010101) * 0xFF; }

__device__ inline u32 add_halves(u32 a, u32 b) {
    u32 low = number_to_f16(f16_value(a & 0xFFFF) + f16_value(b & 0xFFFF));
    return low | number_to_f16(f16_value(a >> 16) + f16_value(b >> 16)) << 16;
}

#endif

// Four halves, of which two words have two each.
__device__ inline u32 halves_to_int8(u32 first, u32 second) {
    return saturated_to_int8(half_to_i32(first), half_to_i32(first >> 16), half_to_i32(second), half_to_i32(second >> 16));
}

// Four bytes of a number and AT_ZERO more, which is at most 128. 1024 and a byte is a half whose lower bits are the byte.
template <u32 AT_ZERO>
__device__ inline void bytes_to_halves(u32 bytes, u32& first, u32& second) {
    // -(1024 + AT_ZERO) twice.
    constexpr u32 LESS = (0xE400 + AT_ZERO) * 0x00010001;
    first = add_halves(__byte_perm(bytes, 0x64646464, 0x4140), LESS);
    second = add_halves(__byte_perm(bytes, 0x64646464, 0x4342), LESS);
}

__device__ inline void int8_to_halves(u32 bytes, u32& first, u32& second) {
    bytes_to_halves<128>(bytes ^ 0x80808080, first, second);
}

// From four bytes that hold INT8 to what INT4 can hold of each, in the lower half of its byte.
__device__ inline u32 bounded_for_int4(u32 bytes) {
    // Each byte of a negative number is turned to its complement, and back.
    u32 complement = signs(bytes);
    u32 positive = bytes ^ complement;
    u32 too_large = signs(positive + 0x78787878);
    return ((positive | too_large) & 0x07070707 ^ complement) & 0x0F0F0F0F;
}

// Eight INT4 of two words of INT8.
__device__ inline u32 int8_to_int4(u32 low, u32 high) {
    low = bounded_for_int4(low), high = bounded_for_int4(high);
    return __byte_perm(low | low >> 4, high | high >> 4, 0x6420);
}

// From the lower halves of bytes, which hold INT4, to INT8.
__device__ inline u32 widened_to_int8(u32 halves) {
    return halves | signs(halves << 4) & 0xF0F0F0F0;
}

// Each INT4 in a byte of its own, whose upper half is 0.
__device__ inline void int4_to_bytes(u32 int4, u32& low, u32& high) {
    interleave(int4 & 0x0F0F0F0F, int4 >> 4 & 0x0F0F0F0F, low, high);
}

__device__ inline void int4_to_int8(u32 int4, u32& low, u32& high) {
    int4_to_bytes(int4, low, high);
    low = widened_to_int8(low), high = widened_to_int8(high);
}

// Eight elements, of 16, 8 or 4 bits.
template <u32 FROM, u32 TO>
__device__ inline Packed<TO, COUNT> converted(const Packed<FROM, COUNT>& from) {
    const auto& in = from.words;
    Packed<TO, COUNT> to;
    auto& out = to.words;
    if constexpr (FROM == 16 && TO == 8) {
        EACH_OF(2) out[k] = halves_to_int8(in[2 * k], in[2 * k + 1]);
    } else if constexpr (FROM == 16) {
        out[0] = int8_to_int4(halves_to_int8(in[0], in[1]), halves_to_int8(in[2], in[3]));
    } else if constexpr (FROM == 8 && TO == 16) {
        EACH_OF(2) int8_to_halves(in[k], out[2 * k], out[2 * k + 1]);
    } else if constexpr (FROM == 8) {
        out[0] = int8_to_int4(in[0], in[1]);
    } else if constexpr (TO == 8) {
        int4_to_int8(in[0], out[0], out[1]);
    } else {
        u32 low, high;
        int4_to_bytes(in[0] ^ 0x88888888, low, high);
        bytes_to_halves<8>(low, out[0], out[1]);
        bytes_to_halves<8>(high, out[2], out[3]);
    }
    return to;
}

// So many times eight elements each thread, of the same order on both sides.
template <u32 FROM, u32 TO, u32 TIMES>
__device__ inline void convert_short(const u8* source, u8* target, u64 elements) {
    using From = Packed<FROM, COUNT>;
    using To = Packed<TO, COUNT>;
    using Threads = Parts<TIMES * COUNT, TIMES>;
    const u64 end = (blockIdx.x + 1ull) * THREADS * TIMES * COUNT;
    if (end <= elements && From::is_aligned_at(source) && To::is_aligned_at(target)) {
        From from[TIMES];
#pragma unroll
        for (u32 part = 0; part < TIMES; ++part) {
            from[part].read(source + Threads::first(part) * FROM / 8);
        }
#pragma unroll
        for (u32 part = 0; part < TIMES; ++part) {
            converted<FROM, TO>(from[part]).write(target + Threads::first(part) * TO / 8);
        }
        return;
    }
#pragma unroll 1
    for (u32 part = 0; part < TIMES; ++part) {
        const u64 first = Threads::first(part);
        const u32 count = Threads::count(first, elements);
        u32 raw[COUNT];
        read_some<FROM, COUNT>(source + first * FROM / 8, count, raw);
        From from;
        from.pack(raw);
        converted<FROM, TO>(from).unpack(raw);
        write_some<TO, COUNT>(target + first * TO / 8, count, raw);
    }
}
