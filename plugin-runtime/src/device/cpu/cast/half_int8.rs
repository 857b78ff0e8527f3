//! Halves to INT8 and back in one step, where the processor has instructions for that; and to INT4 and back, unpacked.

/// Converts whole vectors of halves to INT8 and returns how many elements that were.
pub(super) fn halves_to_int8(src: &[u8], dst: &mut [u8]) -> usize {
    arch::halves_to_int8(src.as_chunks().0, dst.as_chunks_mut().0)
}

/// Converts whole vectors of INT8 to halves and returns how many elements that were.
pub(super) fn int8_to_halves(src: &[u8], dst: &mut [u8]) -> usize {
    arch::int8_to_halves(src.as_chunks().0, dst.as_chunks_mut().0)
}

/// As [`halves_to_int8`], for what is saturated to INT4 when it is packed: 8 stands for all above.
pub(super) fn halves_to_int4(src: &[u8], dst: &mut [u8]) -> usize {
    arch::halves_to_int4(src.as_chunks().0, dst.as_chunks_mut().0)
}

/// As [`int8_to_halves`], of what fits INT4.
pub(super) fn int4_to_halves(src: &[u8], dst: &mut [u8]) -> usize {
    arch::int4_to_halves(src.as_chunks().0, dst.as_chunks_mut().0)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the compiler doesn't know which processor this is")]
mod arch {
    use std::arch::x86_64::{
        __m128i, __m256i, _MM_FROUND_TO_NEAREST_INT, _mm_and_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_setzero_si128,
        _mm_shuffle_epi8, _mm_unpackhi_epi8, _mm_unpacklo_epi8, _mm256_and_si256, _mm256_andnot_si256,
        _mm256_broadcastsi128_si256, _mm256_cmpgt_epi16, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps, _mm256_cvtph_ps,
        _mm256_cvtps_ph, _mm256_cvttps_epi32, _mm256_min_epi16, _mm256_min_epu8, _mm256_packs_epi16,
        _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32,
        _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_sign_epi8,
        _mm256_srli_epi16, _mm256_subs_epu8,
    };

    use super::super::super::features::has_avx2;

    const INFINITY: i16 = 0x7C00;

    pub(super) fn halves_to_int8(src: &[[u8; 64]], dst: &mut [[u8; 32]]) -> usize {
        if !has_avx2() {
            return 0;
        }
        // SAFETY: the processor has the instructions, as was just asked.
        unsafe { halves_to_int8_avx2(src, dst) };
        32 * dst.len().min(src.len())
    }

    pub(super) fn int8_to_halves(src: &[[u8; 8]], dst: &mut [[u8; 16]]) -> usize {
        if !has_avx2() {
            return 0;
        }
        // SAFETY: the processor has the instructions, as was just asked.
        unsafe { int8_to_halves_avx2(src, dst) };
        8 * dst.len().min(src.len())
    }

    pub(super) fn halves_to_int4(src: &[[u8; 64]], dst: &mut [[u8; 32]]) -> usize {
        if !has_avx2() {
            return 0;
        }
        // SAFETY: the processor has the instructions, as was just asked.
        unsafe { halves_to_int4_avx2(src, dst) };
        32 * dst.len().min(src.len())
    }

    pub(super) fn int4_to_halves(src: &[[u8; 16]], dst: &mut [[u8; 32]]) -> usize {
        if !has_avx2() {
            return 0;
        }
        // SAFETY: the processor has the instructions, as was just asked.
        unsafe { int4_to_halves_avx2(src, dst) };
        16 * dst.len().min(src.len())
    }

    /// By the halves' high bytes, which have all bits of an integer below 8.
    #[target_feature(enable = "avx2")]
    fn halves_to_int4_avx2(src: &[[u8; 64]], dst: &mut [[u8; 32]]) {
        /// The high byte of the half before 1, and of 8.
        const BELOW_ONE: i8 = 0x3B;
        const EIGHT: i8 = 0x48;
        let wholes: [i8; 16] = [0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 0, 0];
        let wholes = _mm256_broadcastsi128_si256(bytemuck::cast(wholes));
        for (from, to) in src.iter().zip(dst) {
            let halves: [__m256i; 2] = bytemuck::cast(*from);
            let nan = halves.map(|halves| are_nan(halves));
            let high = halves.map(|halves| _mm256_srli_epi16::<8>(halves));
            let (nan, high) = (_mm256_packs_epi16(nan[0], nan[1]), _mm256_packus_epi16(high[0], high[1]));
            let magnitudes = _mm256_and_si256(high, _mm256_set1_epi8(i8::MAX));
            let from_one = _mm256_subs_epu8(magnitudes, _mm256_set1_epi8(BELOW_ONE));
            let bounded = _mm256_min_epu8(from_one, _mm256_set1_epi8(EIGHT - BELOW_ONE));
            let whole = _mm256_sign_epi8(_mm256_shuffle_epi8(wholes, bounded), high);
            // Each half of the vector has eight of the first 16 and eight of the others.
            *to = bytemuck::cast(_mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_andnot_si256(nan, whole)));
        }
    }

    #[target_feature(enable = "avx2")]
    fn int4_to_halves_avx2(src: &[[u8; 16]], dst: &mut [[u8; 32]]) {
        // Of 0 to 7 and -8 to -1. The low bytes are 0.
        let high_bytes: [u8; 16] =
            [0x00, 0x3C, 0x40, 0x42, 0x44, 0x45, 0x46, 0x47, 0xC8, 0xC7, 0xC6, 0xC5, 0xC4, 0xC2, 0xC0, 0xBC];
        let high_bytes = bytemuck::cast(high_bytes);
        for (from, to) in src.iter().zip(dst) {
            let nibbles = _mm_and_si128(bytemuck::cast(*from), _mm_set1_epi8(0x0F));
            let (low, high) = (_mm_setzero_si128(), _mm_shuffle_epi8(high_bytes, nibbles));
            *to = bytemuck::cast([_mm_unpacklo_epi8(low, high), _mm_unpackhi_epi8(low, high)]);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn are_nan(halves: __m256i) -> __m256i {
        let magnitudes = _mm256_and_si256(halves, _mm256_set1_epi16(i16::MAX));
        _mm256_cmpgt_epi16(magnitudes, _mm256_set1_epi16(INFINITY))
    }

    #[target_feature(enable = "avx2,f16c")]
    fn halves_to_int8_avx2(src: &[[u8; 64]], dst: &mut [[u8; 32]]) {
        let in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        for (from, to) in src.iter().zip(dst) {
            let [first, second]: [__m256i; 2] = bytemuck::cast(*from);
            let mixed = _mm256_packs_epi16(saturated(first), saturated(second));
            *to = bytemuck::cast(_mm256_permutevar8x32_epi32(mixed, in_order));
        }
    }

    /// 16 halves as integers, of which each half of the vector has four of the first eight and four of the others.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn saturated(halves: __m256i) -> __m256i {
        // The conversion makes of both infinities the least integer, so infinity becomes the largest half.
        let finite = _mm256_min_epi16(_mm256_andnot_si256(are_nan(halves), halves), _mm256_set1_epi16(INFINITY - 1));
        let [first, second]: [__m128i; 2] = bytemuck::cast(finite);
        let whole = [first, second].map(|eight| _mm256_cvttps_epi32(_mm256_cvtph_ps(eight)));
        _mm256_packs_epi32(whole[0], whole[1])
    }

    #[target_feature(enable = "avx2,f16c")]
    fn int8_to_halves_avx2(src: &[[u8; 8]], dst: &mut [[u8; 16]]) {
        for (from, to) in src.iter().zip(dst) {
            let whole = _mm256_cvtepi8_epi32(_mm_set_epi64x(0, i64::from_ne_bytes(*from)));
            let halves = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_cvtepi32_ps(whole));
            *to = bytemuck::cast(halves);
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod arch {
    pub(super) fn halves_to_int8(_src: &[[u8; 64]], _dst: &mut [[u8; 32]]) -> usize {
        0
    }

    pub(super) fn int8_to_halves(_src: &[[u8; 8]], _dst: &mut [[u8; 16]]) -> usize {
        0
    }

    pub(super) fn halves_to_int4(_src: &[[u8; 64]], _dst: &mut [[u8; 32]]) -> usize {
        0
    }

    pub(super) fn int4_to_halves(_src: &[[u8; 16]], _dst: &mut [[u8; 32]]) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::super::{
        I8, halves_to_int4, halves_to_int8, int4_to_halves, int8_to_halves, run_from_half, run_to_half,
    };

    #[test]
    fn every_half_becomes_the_int8_that_it_becomes_by_way_of_fp32() {
        let halves: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_ne_bytes).collect();
        let wanted: Vec<u8> = (0..=u16::MAX)
            .map(|bits| f16::from_bits(bits).to_f32().clamp(-128.0, 127.0) as i8)
            .map(i8::cast_unsigned)
            .collect();
        for convert in [halves_to_int8, run_from_half::<I8>] {
            let mut got = vec![0xA5; wanted.len()];
            convert(&halves, &mut got);
            assert!(got == wanted);
        }
    }

    #[test]
    fn every_int8_becomes_the_half_of_its_value() {
        let ints: Vec<u8> = (0..=u8::MAX).collect();
        let wanted: Vec<u8> = ints.iter().flat_map(|&int| f16::from(int.cast_signed()).to_ne_bytes()).collect();
        for convert in [int8_to_halves, run_to_half::<I8>] {
            let mut got = vec![0xA5; wanted.len()];
            convert(&ints, &mut got);
            assert!(got == wanted);
        }
    }

    #[test]
    fn every_half_becomes_what_saturates_to_its_int4() {
        let halves: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_ne_bytes).collect();
        let mut got = vec![0x55; halves.len() / 2];
        halves_to_int4(&halves, &mut got);
        for (bits, got) in (0..=u16::MAX).zip(got) {
            let wanted = f16::from_bits(bits).to_f32().clamp(-8.0, 7.0) as i8;
            assert_eq!(got.cast_signed().clamp(-8, 7), wanted, "{bits:#x}");
        }
    }

    #[test]
    fn every_int4_becomes_the_half_of_its_value() {
        for len in [3, 16, 35] {
            let ints: Vec<i8> = (0..len).map(|i| i % 16 - 8).collect();
            let wanted: Vec<u8> = ints.iter().flat_map(|&int| f16::from(int).to_ne_bytes()).collect();
            let mut got = vec![0xA5; wanted.len()];
            int4_to_halves(bytemuck::cast_slice(&ints), &mut got);
            assert!(got == wanted);
        }
    }

    #[test]
    fn any_number_of_elements_is_converted_wherever_they_lie() {
        for len in (0..100).chain([517]) {
            for shift in 0..3 {
                let ints: Vec<u8> = (0..len + shift).map(|i| (i * 37) as u8).collect();
                let ints = &ints[shift..];
                let mut halves = vec![0xA5; shift + 2 * len];
                int8_to_halves(ints, &mut halves[shift..]);
                let wanted = ints.iter().flat_map(|&int| f16::from(int.cast_signed()).to_ne_bytes());
                assert!(halves[shift..].iter().copied().eq(wanted), "{len}");
                let mut back = vec![0xA5; shift + len];
                halves_to_int8(&halves[shift..], &mut back[shift..]);
                assert!(back[shift..] == *ints, "{len}");
            }
        }
    }
}
