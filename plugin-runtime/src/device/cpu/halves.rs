//! Half precision to single precision and back, many at a time.

use half::f16;

/// Sets each of `to` to the value of `from` in its place, as far as there are both.
#[inline]
pub fn widen(from: &[f16], to: &mut [f32]) {
    widen_bytes(bytemuck::must_cast_slice(from), bytemuck::must_cast_slice_mut(to));
}

/// Sets each of `to` to the nearest value to that of `from` in its place (of two, the even one), as far as there are
/// both.
#[inline]
pub fn narrow(from: &[f32], to: &mut [f16]) {
    narrow_bytes(bytemuck::must_cast_slice(from), bytemuck::must_cast_slice_mut(to));
}

/// As [`widen`], wherever the elements lie.
#[inline]
pub(super) fn widen_bytes(from: &[[u8; 2]], to: &mut [[u8; 4]]) {
    let len = from.len().min(to.len());
    let (from, from_rest) = from[..len].as_chunks();
    let (to, to_rest) = to[..len].as_chunks_mut();
    arch::widen(from, to);
    from_rest.iter().zip(to_rest).for_each(|(from, to)| *to = portable::widen_one(*from));
}

/// As [`narrow`], wherever the elements lie.
#[inline]
pub(super) fn narrow_bytes(from: &[[u8; 4]], to: &mut [[u8; 2]]) {
    let len = from.len().min(to.len());
    let (from, from_rest) = from[..len].as_chunks();
    let (to, to_rest) = to[..len].as_chunks_mut();
    arch::narrow(from, to);
    from_rest.iter().zip(to_rest).for_each(|(from, to)| *to = portable::narrow_one(*from));
}

/// Sets each of `to` to `f` of the element of `from` in its place, computed in single precision and rounded to the nearest (of
/// two, the even one), as far as there are both. For `f` that is short: it is compiled for several elements at a time.
#[inline]
pub fn map_halves(from: &[f16], to: &mut [f16], f: impl Fn(f32) -> f32) {
    let len = from.len().min(to.len());
    let (from, from_rest) = from[..len].as_chunks();
    let (to, to_rest) = to[..len].as_chunks_mut();
    arch::map(from, to, &f);
    from_rest.iter().zip(to_rest).for_each(|(from, to)| *to = f16::from_f32(f(from.to_f32())));
}

/// Replaces each of `values` by `f` of it, as [`map_halves`].
#[inline]
pub fn update_halves(values: &mut [f16], f: impl Fn(f32) -> f32) {
    let (values, rest) = values.as_chunks_mut();
    arch::update(values, &f);
    rest.iter_mut().for_each(|value| *value = f16::from_f32(f(value.to_f32())));
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the compiler doesn't know which processor this is")]
mod arch {
    use std::arch::x86_64::{_MM_FROUND_TO_NEAREST_INT, _mm256_cvtph_ps, _mm256_cvtps_ph};

    use half::f16;

    use super::super::features::has_avx2;
    use super::portable;

    #[inline]
    pub(super) fn widen(from: &[[[u8; 2]; 8]], to: &mut [[[u8; 4]; 8]]) {
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { widen_f16c(from, to) };
        } else {
            portable::widen(from, to);
        }
    }

    #[inline]
    pub(super) fn narrow(from: &[[[u8; 4]; 8]], to: &mut [[[u8; 2]; 8]]) {
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { narrow_f16c(from, to) };
        } else {
            portable::narrow(from, to);
        }
    }

    #[inline]
    pub(super) fn map(from: &[[f16; 8]], to: &mut [[f16; 8]], f: &impl Fn(f32) -> f32) {
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { map_f16c(from, to, f) };
        } else {
            portable::map(from, to, f);
        }
    }

    #[inline]
    pub(super) fn update(values: &mut [[f16; 8]], f: &impl Fn(f32) -> f32) {
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { update_f16c(values, f) };
        } else {
            portable::update(values, f);
        }
    }

    #[target_feature(enable = "avx2,f16c")]
    fn map_f16c(from: &[[f16; 8]], to: &mut [[f16; 8]], f: &impl Fn(f32) -> f32) {
        for (from, to) in from.iter().zip(to) {
            *to = of_eight(*from, f);
        }
    }

    #[target_feature(enable = "avx2,f16c")]
    fn update_f16c(values: &mut [[f16; 8]], f: &impl Fn(f32) -> f32) {
        for value in values {
            *value = of_eight(*value, f);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn of_eight(halves: [f16; 8], f: &impl Fn(f32) -> f32) -> [f16; 8] {
        let wide: [f32; 8] = bytemuck::cast(_mm256_cvtph_ps(bytemuck::cast(halves)));
        bytemuck::cast(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(bytemuck::cast(wide.map(f))))
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn widen_f16c(from: &[[[u8; 2]; 8]], to: &mut [[[u8; 4]; 8]]) {
        for (from, to) in from.iter().zip(to) {
            *to = bytemuck::cast(_mm256_cvtph_ps(bytemuck::cast(*from)));
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn narrow_f16c(from: &[[[u8; 4]; 8]], to: &mut [[[u8; 2]; 8]]) {
        for (from, to) in from.iter().zip(to) {
            *to = bytemuck::cast(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(bytemuck::cast(*from)));
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
use portable as arch;

mod portable {
    use half::f16;

    use super::super::minifloat::{f16_to_f32, f32_to_f16};

    #[inline(always)]
    pub(super) fn widen_one(bytes: [u8; 2]) -> [u8; 4] {
        f16_to_f32(u16::from_ne_bytes(bytes)).to_ne_bytes()
    }

    #[inline(always)]
    pub(super) fn narrow_one(bytes: [u8; 4]) -> [u8; 2] {
        f32_to_f16(f32::from_ne_bytes(bytes)).to_ne_bytes()
    }

    pub(super) fn widen(from: &[[[u8; 2]; 8]], to: &mut [[[u8; 4]; 8]]) {
        from.iter().zip(to).for_each(|(from, to)| *to = from.map(widen_one));
    }

    pub(super) fn narrow(from: &[[[u8; 4]; 8]], to: &mut [[[u8; 2]; 8]]) {
        from.iter().zip(to).for_each(|(from, to)| *to = from.map(narrow_one));
    }

    pub(super) fn map(from: &[[f16; 8]], to: &mut [[f16; 8]], f: &impl Fn(f32) -> f32) {
        from.iter().zip(to).for_each(|(from, to)| *to = from.map(|half| f16::from_f32(f(half.to_f32()))));
    }

    pub(super) fn update(values: &mut [[f16; 8]], f: &impl Fn(f32) -> f32) {
        values.iter_mut().for_each(|value| *value = value.map(|half| f16::from_f32(f(half.to_f32()))));
    }
}

#[cfg(test)]
mod tests {
    use super::{map_halves, narrow, portable, update_halves, widen};
    use half::f16;

    fn same(a: f32, b: f32) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    #[test]
    fn every_half_widens_to_its_value_and_back() {
        let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        let mut wide = vec![0.0; halves.len()];
        widen(&halves, &mut wide);
        assert!(halves.iter().zip(&wide).all(|(half, wide)| same(half.to_f32(), *wide)));
        let mut back = vec![f16::ZERO; halves.len()];
        narrow(&wide, &mut back);
        assert!(halves.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())));
        let eights: Vec<[[u8; 2]; 8]> = halves.iter().map(|half| [half.to_ne_bytes(); 8]).collect();
        let mut portably = vec![[[0; 4]; 8]; halves.len()];
        portable::widen(&eights, &mut portably);
        assert!(portably.iter().zip(&wide).all(|(a, b)| same(f32::from_ne_bytes(a[7]), *b)));
    }

    #[test]
    fn narrowing_rounds_to_the_nearest_half_and_ties_to_even() {
        let floats: Vec<f32> = (0..100_003u32).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b1))).collect();
        let ties = (0..0x7c00).map(|bits| {
            let (low, high) = (f16::from_bits(bits).to_f64(), f16::from_bits(bits + 1).to_f64());
            ((low + high) / 2.0) as f32
        });
        let floats: Vec<f32> = floats.into_iter().chain(ties).collect();
        let mut got = vec![f16::ZERO; floats.len()];
        narrow(&floats, &mut got);
        assert!(floats.iter().zip(&got).all(|(float, got)| same(f16::from_f32(*float).to_f32(), got.to_f32())));
        let repeated: Vec<[[u8; 4]; 8]> = floats.iter().map(|&float| [float.to_ne_bytes(); 8]).collect();
        let mut portably = vec![[[0; 2]; 8]; floats.len()];
        portable::narrow(&repeated, &mut portably);
        let portably = portably.iter().map(|eight| f16::from_ne_bytes(eight[7]));
        assert!(got.iter().zip(portably).all(|(a, b)| same(a.to_f32(), b.to_f32())));
    }

    #[test]
    fn a_function_of_halves_is_computed_in_single_precision() {
        let f = |x: f32| x * 1.37 - 0.02;
        for len in (0..35).chain([1 << 16]) {
            let halves: Vec<f16> = (0..len).map(|bits| f16::from_bits((bits * 7) as u16)).collect();
            let expected: Vec<f16> = halves.iter().map(|half| f16::from_f32(f(half.to_f32()))).collect();
            let mut got = vec![f16::ONE; len + 3];
            map_halves(&halves, &mut got, f);
            assert!(got[len..].iter().all(|&v| v == f16::ONE), "{len}");
            let mut updated = halves.clone();
            update_halves(&mut updated, f);
            for of in [&got[..len], &updated] {
                assert!(of.iter().zip(&expected).all(|(a, b)| same(a.to_f32(), b.to_f32())), "{len}");
            }
        }
    }

    #[test]
    fn lengths_may_differ() {
        for len in 0..20 {
            let mut wide = [7.0; 25];
            widen(&vec![f16::ONE; len], &mut wide);
            assert!(wide[..len].iter().all(|&v| v == 1.0) && wide[len..].iter().all(|&v| v == 7.0));
            let mut halves = vec![f16::ZERO; len];
            narrow(&[1.0; 25], &mut halves);
            assert!(halves.iter().all(|&v| v == f16::ONE));
        }
    }
}
