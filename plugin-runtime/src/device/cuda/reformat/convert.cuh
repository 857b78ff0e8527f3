// From the raw bits of one type to those of another, by way of f32 or i64.

#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// Threads of a block, and elements of a thread.
constexpr u32 THREADS = 256;
constexpr u32 COUNT = 8;

#define EACH_OF(n) _Pragma("unroll") for (u32 k = 0; k < (n); k++)
#define EACH EACH_OF(COUNT)

// As in reformat/work.rs.
enum Type : u32 { FP32, FP16, BF16, FP8, INT64, INT32, INT8, UINT8, INT4, BOOL };

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

constexpr u32 INFINITY_BITS = 0x7F800000;
constexpr u32 QUIET = 0x00400000;
constexpr u32 E4M3_NAN = 0x7F;

// Of a NaN any NaN.
__device__ inline float f16_value(u32 bits) {
#ifdef __CUDA_ARCH__
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"((u16)bits));
    return value;
#else
    u32 sign = (bits & 0x8000) << 16;
    u32 shifted = (bits & 0x7FFF) << 13;
    u32 rebiased = shifted + (112 << 23);
    if (shifted >= 0x7C00 << 13) {
        rebiased = shifted | INFINITY_BITS;
    } else if (shifted < 1 << 23) {
        rebiased = __float_as_uint(__uint_as_float(rebiased + (1 << 23)) - __uint_as_float(113 << 23));
    }
    return __uint_as_float(sign | rebiased);
#endif
}

__device__ inline float f16_to_f32(u32 bits) {
    u32 sign = (bits & 0x8000) << 16;
    u32 shifted = (bits & 0x7FFF) << 13;
    bool is_nan = shifted > 0x7C00 << 13;
    return is_nan ? __uint_as_float(sign | shifted | INFINITY_BITS | QUIET) : f16_value(bits);
}

// Of what is no NaN.
__device__ inline u32 number_to_f16(float value) {
#ifdef __CUDA_ARCH__
    u16 half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
#else
    u32 bits = __float_as_uint(value);
    u32 sign = bits >> 16 & 0x8000;
    u32 magnitude = bits & 0x7FFFFFFF;
    u32 result = ((magnitude + 0xFFF + (magnitude >> 13 & 1)) >> 13) - (112 << 10);
    if (magnitude < 113 << 23) {
        result = __float_as_uint(__uint_as_float(magnitude) + 0.5f) - __float_as_uint(0.5f);
    } else if (magnitude >= 143u << 23) {
        result = 0x7C00;
    }
    return sign | result;
#endif
}

__device__ inline u32 f32_to_f16(float value) {
    u32 bits = __float_as_uint(value);
    u32 magnitude = bits & 0x7FFFFFFF;
    bool is_nan = magnitude > INFINITY_BITS;
    return is_nan ? (bits >> 16 & 0x8000) | 0x7E00 | (magnitude >> 13 & 0x03FF) : number_to_f16(value);
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
        return E4M3_NAN;
    }
    if (magnitude < 121 << 23) {
        result = __float_as_uint(__uint_as_float(magnitude) + 16384.0f) - __float_as_uint(16384.0f);
    } else if (magnitude >= __float_as_uint(448.0f)) {
        result = 0x7E;
    }
    return (bits >> 24 & 0x80) | result;
}

constexpr i64 LEAST_I64 = -0x7FFFFFFFFFFFFFFF - 1;
constexpr i64 MOST_I64 = 0x7FFFFFFFFFFFFFFF;
constexpr int LEAST_I32 = -0x7FFFFFFF - 1;
constexpr int MOST_I32 = 0x7FFFFFFF;

// Toward zero, saturated; NaN becomes 0.
__device__ inline i64 f32_to_i64(float value) {
#ifdef __CUDA_ARCH__
    i64 integer;
    asm("cvt.rzi.s64.f32 %0, %1;" : "=l"(integer) : "f"(value));
#else
    constexpr float LIMIT = 9223372036854775808.0f;
    i64 integer = value >= LIMIT ? MOST_I64 : value > -LIMIT ? (i64)value : LEAST_I64;
#endif
    return value == value ? integer : 0;
}

// As f32_to_i64.
__device__ inline int f32_to_i32(float value) {
#ifdef __CUDA_ARCH__
    int integer;
    asm("cvt.rzi.s32.f32 %0, %1;" : "=r"(integer) : "f"(value));
    return integer;
#else
    i64 integer = f32_to_i64(value);
    return integer < LEAST_I32 ? LEAST_I32 : integer > MOST_I32 ? MOST_I32 : (int)integer;
#endif
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

__device__ inline u32 bits_of(float value) { return __float_as_uint(value); }

__device__ inline float as_f32(u64 raw) { return __uint_as_float((u32)raw); }

__device__ inline int as_i32(u64 raw) { return (int)(u32)raw; }

template <typename T>
__device__ inline T clamp(T value, T least, T most) {
    return value < least ? least : value > most ? most : value;
}

__device__ inline bool is_nan(u64 raw) { return ((u32)raw & 0x7FFFFFFF) > INFINITY_BITS; }

template <typename Raw, u32 N>
__device__ inline void convert_to_e4m3(Raw (&raw)[N]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    if constexpr (N % 2 == 0) {
#pragma unroll
        for (u32 k = 0; k < N; k += 2) {
            u16 pair;
            asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(as_f32(raw[k + 1])), "f"(as_f32(raw[k])));
            raw[k] = is_nan(raw[k]) ? E4M3_NAN : pair & 0xFF;
            raw[k + 1] = is_nan(raw[k + 1]) ? E4M3_NAN : pair >> 8;
        }
        return;
    }
#endif
    EACH_OF(N) raw[k] = f32_to_e4m3(as_f32(raw[k]));
}

// Between the steps, `raw` holds the bits of an f32, of an i32, or, for INT64, of an i64: where neither side is INT64, Raw has
// but 32 of them.
template <typename Raw, u32 N>
__device__ inline void convert(const Conversion& conversion, Raw (&raw)[N]) {
    constexpr bool MAY_BE_WIDE = sizeof(Raw) == sizeof(u64);
    if (conversion.copies) {
        return;
    }
    // Of integers none is a NaN, and as integers NaNs are all the same.
    const bool keeps_nans = conversion.from <= FP8 && conversion.to <= FP8;
    switch (conversion.from) {
    case FP16:
        if (keeps_nans) {
            EACH_OF(N) raw[k] = bits_of(f16_to_f32((u32)raw[k]));
        } else {
            EACH_OF(N) raw[k] = bits_of(f16_value((u32)raw[k]));
        }
        break;
    case BF16: EACH_OF(N) raw[k] = (u32)raw[k] << 16; break;
    case FP8: EACH_OF(N) raw[k] = bits_of(e4m3_to_f32((u32)raw[k])); break;
    case INT8: EACH_OF(N) raw[k] = (u32)(signed char)(u8)raw[k]; break;
    case INT4: EACH_OF(N) raw[k] = (u32)((int)((u32)raw[k] << 28) >> 28); break;
    case BOOL: EACH_OF(N) raw[k] = raw[k] != 0; break;
    default: break;
    }
    const bool from_wide = MAY_BE_WIDE && conversion.from == INT64, to_wide = MAY_BE_WIDE && conversion.to == INT64;
    bool is_float = conversion.from <= FP8;
    if (!is_float && (conversion.scales || conversion.to <= FP8)) {
        if (from_wide) {
            EACH_OF(N) raw[k] = bits_of((float)(i64)raw[k]);
        } else {
            EACH_OF(N) raw[k] = bits_of((float)as_i32(raw[k]));
        }
        is_float = true;
    }
    if (conversion.scales) {
        EACH_OF(N) raw[k] = bits_of(rescale(as_f32(raw[k]), conversion.multiply, conversion.divide));
        if (conversion.rounds) {
            EACH_OF(N) raw[k] = bits_of(round_for_int8(as_f32(raw[k])));
        }
    }
    if (is_float && conversion.to > FP8) {
        if (conversion.to == BOOL) {
            EACH_OF(N) raw[k] = as_f32(raw[k]) != 0.0f;
        } else if (to_wide) {
            EACH_OF(N) raw[k] = (Raw)f32_to_i64(as_f32(raw[k]));
        } else {
            EACH_OF(N) raw[k] = (u32)f32_to_i32(as_f32(raw[k]));
        }
    } else if (to_wide && !from_wide) {
        EACH_OF(N) raw[k] = (Raw)(i64)as_i32(raw[k]);
    } else if (from_wide && !is_float && !to_wide) {
        EACH_OF(N) raw[k] = (u32)clamp<i64>((i64)raw[k], LEAST_I32, MOST_I32);
    }
    switch (conversion.to) {
    case FP16:
        if (keeps_nans) {
            EACH_OF(N) raw[k] = f32_to_f16(as_f32(raw[k]));
        } else {
            EACH_OF(N) raw[k] = number_to_f16(as_f32(raw[k]));
        }
        break;
    case BF16: EACH_OF(N) raw[k] = f32_to_bf16(as_f32(raw[k])); break;
    case FP8: convert_to_e4m3(raw); break;
    case INT8: EACH_OF(N) raw[k] = (u8)clamp(as_i32(raw[k]), -128, 127); break;
    case UINT8: EACH_OF(N) raw[k] = (u8)clamp(as_i32(raw[k]), 0, 255); break;
    case INT4: EACH_OF(N) raw[k] = (u32)clamp(as_i32(raw[k]), -8, 7) & 15; break;
    case BOOL: EACH_OF(N) raw[k] = (u32)raw[k] != 0; break;
    default: break;
    }
}
