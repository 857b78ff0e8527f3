//! Floats of 16 and 8 bits, converted without branches so that loops over them vectorise.
//!
//! To the narrower type, values are rounded to the nearest, ties to even.

const F32_INFINITY: u32 = 0x7F80_0000;
const F32_MAGNITUDE: u32 = 0x7FFF_FFFF;
const F32_QUIET: u32 = 0x0040_0000;

#[inline(always)]
pub(super) fn f16_to_f32(bits: u16) -> f32 {
    const INFINITY: u32 = 0x7C00 << 13;
    let bits = u32::from(bits);
    let sign = (bits & 0x8000) << 16;
    let shifted = (bits & 0x7FFF) << 13;
    let rebiased = shifted + (112 << 23);
    // A subnormal is read as if it had an implicit one, which is then taken off again.
    let subnormal = (f32::from_bits(rebiased + (1 << 23)) - f32::from_bits(113 << 23)).to_bits();
    let finite = if shifted < 1 << 23 { subnormal } else { rebiased };
    let quiet = if shifted > INFINITY { F32_QUIET } else { 0 };
    let magnitude = if shifted >= INFINITY { shifted | F32_INFINITY | quiet } else { finite };
    f32::from_bits(sign | magnitude)
}

#[inline(always)]
pub(super) fn f32_to_f16(value: f32) -> u16 {
    const INFINITY: u32 = 0x7C00;
    let bits = value.to_bits();
    let sign = (bits >> 16) & 0x8000;
    let magnitude = bits & F32_MAGNITUDE;
    let rounded = (magnitude.wrapping_add(0xFFF + ((magnitude >> 13) & 1)) >> 13).wrapping_sub(112 << 10);
    // Adding 0.5 shifts a subnormal's bits to the end, rounded as every sum is.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let finite = if magnitude < 113 << 23 { subnormal } else { rounded };
    let bounded = if magnitude >= 143 << 23 { INFINITY } else { finite };
    let nan = INFINITY | 0x0200 | ((magnitude >> 13) & 0x03FF);
    let result = if magnitude > F32_INFINITY { nan } else { bounded };
    (sign | result) as u16
}

#[inline(always)]
pub(super) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[inline(always)]
pub(super) fn f32_to_bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7FFF + ((bits >> 16) & 1)) >> 16;
    let nan = (bits >> 16) | 0x0040;
    (if bits & F32_MAGNITUDE > F32_INFINITY { nan } else { rounded }) as u16
}

/// FP8 with 4 exponent and 3 mantissa bits: no infinities, one NaN per sign, at most 448.
#[inline(always)]
pub(super) fn e4m3_to_f32(bits: u8) -> f32 {
    let bits = u32::from(bits);
    let sign = (bits & 0x80) << 24;
    let shifted = (bits & 0x7F) << 20;
    let rebiased = shifted + (120 << 23);
    let subnormal = (f32::from_bits(rebiased + (1 << 23)) - f32::from_bits(121 << 23)).to_bits();
    let finite = if shifted < 1 << 23 { subnormal } else { rebiased };
    let magnitude = if shifted == 0x7F << 20 { F32_INFINITY | F32_QUIET } else { finite };
    f32::from_bits(sign | magnitude)
}

/// Values that are too large, infinities too, become 448 of their sign; every NaN becomes the positive one.
#[inline(always)]
pub(super) fn f32_to_e4m3(value: f32) -> u8 {
    const LARGEST: u32 = 0x7E;
    const NAN: u32 = 0x7F;
    let bits = value.to_bits();
    let sign = (bits >> 24) & 0x80;
    let magnitude = bits & F32_MAGNITUDE;
    let rounded = (magnitude.wrapping_add(0x7_FFFF + ((magnitude >> 20) & 1)) >> 20).wrapping_sub(120 << 3);
    let subnormal = (f32::from_bits(magnitude) + 16384.0).to_bits().wrapping_sub(16384f32.to_bits());
    let finite = if magnitude < 121 << 23 { subnormal } else { rounded };
    let bounded = if magnitude >= 448f32.to_bits() { LARGEST } else { finite };
    (if magnitude > F32_INFINITY { NAN } else { sign | bounded }) as u8
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    /// Every value of a narrow type, what lies halfway between neighbours, and what lies next to that.
    fn neighbourhood(values: impl Iterator<Item = f32>) -> Vec<f32> {
        let mut sorted: Vec<f32> = values.filter(|v| v.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        let mut all =
            vec![f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, 65520.0, 464.0];
        for pair in sorted.windows(2) {
            let middle = ((f64::from(pair[0]) + f64::from(pair[1])) / 2.0) as f32;
            all.extend([pair[0], pair[1], middle, middle.next_up(), middle.next_down()]);
        }
        all
    }

    fn same(a: f32, b: f32) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    #[test]
    fn f16_agrees_with_half() {
        let all = (0..=u16::MAX).map(f16::from_bits);
        assert!(all.clone().all(|h| same(f16_to_f32(h.to_bits()), h.to_f32())));
        for value in neighbourhood(all.map(f16::to_f32)) {
            assert_eq!(f32_to_f16(value), f16::from_f32(value).to_bits(), "{value:e}");
        }
        assert!(f16::from_bits(f32_to_f16(f32::NAN)).is_nan());
        assert!(f16::from_bits(f32_to_f16(f32::from_bits(0xFF80_0001))).is_nan());
    }

    #[test]
    fn bf16_agrees_with_half() {
        let all = (0..=u16::MAX).map(bf16::from_bits);
        assert!(all.clone().all(|h| same(bf16_to_f32(h.to_bits()), h.to_f32())));
        for value in neighbourhood(all.map(bf16::to_f32)) {
            assert_eq!(f32_to_bf16(value), bf16::from_f32(value).to_bits(), "{value:e}");
        }
        assert!(bf16::from_bits(f32_to_bf16(f32::from_bits(0x7F80_0001))).is_nan());
    }

    /// The value of a finite E4M3 number by its definition.
    fn e4m3_value(bits: u8) -> f64 {
        let (exponent, mantissa) = (i32::from(bits >> 3 & 15), f64::from(bits & 7));
        let magnitude = if exponent == 0 {
            mantissa / 8.0 * 2f64.powi(-6)
        } else {
            (1.0 + mantissa / 8.0) * 2f64.powi(exponent - 7)
        };
        if bits & 0x80 == 0 { magnitude } else { -magnitude }
    }

    fn e4m3_numbers() -> impl Iterator<Item = u8> + Clone {
        (0..=u8::MAX).filter(|bits| bits & 0x7F != 0x7F)
    }

    #[test]
    fn e4m3_is_the_nearest_number() {
        for bits in e4m3_numbers() {
            assert_eq!(f64::from(e4m3_to_f32(bits)), e4m3_value(bits), "{bits:#x}");
            assert_eq!(f32_to_e4m3(e4m3_to_f32(bits)), bits);
        }
        for value in neighbourhood(e4m3_numbers().map(|bits| e4m3_value(bits) as f32)) {
            let wanted = f64::from(value).clamp(-448.0, 448.0);
            let distance = |bits: u8| (e4m3_value(bits) - wanted).abs();
            let nearest = e4m3_numbers()
                .filter(|bits| (*bits & 0x80 != 0) == value.is_sign_negative())
                .min_by(|&a, &b| distance(a).total_cmp(&distance(b)).then((a & 1).cmp(&(b & 1))));
            assert_eq!(Some(f32_to_e4m3(value)), nearest, "{value:e}");
        }
        assert_eq!([f32_to_e4m3(f32::NAN), f32_to_e4m3(-f32::NAN)], [0x7F; 2]);
        assert!(e4m3_to_f32(0x7F).is_nan() && e4m3_to_f32(0xFF).is_nan());
    }
}
