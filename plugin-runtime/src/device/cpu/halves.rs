//! Half precision to single precision and back, many at a time.

use half::f16;

/// Sets each of `to` to the value of `from` in its place, as far as there are both.
#[inline]
pub fn widen(from: &[f16], to: &mut [f32]) {
    let len = from.len().min(to.len());
    let (from, from_rest) = from[..len].as_chunks();
    let (to, to_rest) = to[..len].as_chunks_mut();
    arch::widen(from, to);
    from_rest.iter().zip(to_rest).for_each(|(from, to)| *to = from.to_f32());
}

/// Sets each of `to` to the nearest value to that of `from` in its place (of two, the even one), as far as there are
/// both.
#[inline]
pub fn narrow(from: &[f32], to: &mut [f16]) {
    let len = from.len().min(to.len());
    let (from, from_rest) = from[..len].as_chunks();
    let (to, to_rest) = to[..len].as_chunks_mut();
    arch::narrow(from, to);
    from_rest.iter().zip(to_rest).for_each(|(from, to)| *to = f16::from_f32(*from));
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the compiler doesn't know which processor this is")]
mod arch {
    use std::arch::x86_64::{_MM_FROUND_TO_NEAREST_INT, _mm256_cvtph_ps, _mm256_cvtps_ph};

    use half::f16;

    use super::super::features::has_avx2;
    use super::portable;

    #[inline]
    pub(super) fn widen(from: &[[f16; 8]], to: &mut [[f32; 8]]) {
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { widen_f16c(from, to) };
        } else {
            portable::widen(from, to);
        }
    }

    #[inline]
    pub(super) fn narrow(from: &[[f32; 8]], to: &mut [[f16; 8]]) {
        if has_avx2() {
            // SAFETY: the processor has the instructions, as was just asked.
            unsafe { narrow_f16c(from, to) };
        } else {
            portable::narrow(from, to);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn widen_f16c(from: &[[f16; 8]], to: &mut [[f32; 8]]) {
        for (from, to) in from.iter().zip(to) {
            *to = bytemuck::cast(_mm256_cvtph_ps(bytemuck::cast(*from)));
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn narrow_f16c(from: &[[f32; 8]], to: &mut [[f16; 8]]) {
        for (from, to) in from.iter().zip(to) {
            *to = bytemuck::cast(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(bytemuck::cast(*from)));
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
use portable as arch;

mod portable {
    use half::f16;

    pub(super) fn widen(from: &[[f16; 8]], to: &mut [[f32; 8]]) {
        from.iter().zip(to).for_each(|(from, to)| *to = from.map(f16::to_f32));
    }

    pub(super) fn narrow(from: &[[f32; 8]], to: &mut [[f16; 8]]) {
        from.iter().zip(to).for_each(|(from, to)| *to = from.map(f16::from_f32));
    }
}

#[cfg(test)]
mod tests {
    use super::{narrow, portable, widen};
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
    }

    #[test]
    fn narrowing_rounds_to_the_nearest_half_and_ties_to_even() {
        let floats: Vec<f32> = (0..100_003u32).map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b1))).collect();
        let ties = (0..0x7c00).map(|bits| {
            let (low, high) = (f16::from_bits(bits).to_f64(), f16::from_bits(bits + 1).to_f64());
            ((low + high) / 2.0) as f32
        });
        let floats: Vec<f32> = floats.into_iter().chain(ties).collect();
        let (mut got, mut expected) = (vec![f16::ZERO; floats.len()], vec![[f16::ZERO; 8]; floats.len()]);
        narrow(&floats, &mut got);
        let repeated: Vec<[f32; 8]> = floats.iter().map(|&float| [float; 8]).collect();
        portable::narrow(&repeated, &mut expected);
        assert!(got.iter().zip(&expected).all(|(a, b)| same(a.to_f32(), b[0].to_f32())));
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
