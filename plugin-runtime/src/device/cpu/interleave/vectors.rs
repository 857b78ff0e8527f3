//! Vectors of 16 bytes, whose elements are taken in turn from two others.

use arch::{zip_high, zip_low};

/// Bytes of a vector.
pub(super) const VECTOR: usize = 16;
pub(super) use arch::Vector;

/// Several vectors.
pub(super) trait Vectors {
    /// Takes elements of `B` bytes from the first and the second half of the vectors in turn.
    ///
    /// Read as one row of elements, whose index is a number of some bits, the highest bit becomes the lowest. So as many
    /// times as a number of rows has bits make the number of the row, which were the highest bits, the lowest: what
    /// stood in rows stands in places. And as many times more as a vector's elements have bits bring everything back.
    fn zip_halves<const B: usize>(self) -> Self;
}

/// Written out, so that vectors stay in registers.
macro_rules! vectors {
    ($($count:literal: $($a:literal $b:literal),+;)+) => {$(
        impl Vectors for [Vector; $count] {
            #[inline(always)]
            fn zip_halves<const B: usize>(self) -> Self {
                [$(zip_low::<B>(self[$a], self[$b]), zip_high::<B>(self[$a], self[$b])),+]
            }
        }
    )+};
}

vectors! {
    2: 0 1;
    4: 0 2, 1 3;
    8: 0 4, 1 5, 2 6, 3 7;
    16: 0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15;
}

#[inline(always)]
pub(super) fn vector(bytes: [u8; VECTOR]) -> Vector {
    bytemuck::must_cast(bytes)
}

#[inline(always)]
pub(super) fn bytes(vector: Vector) -> [u8; VECTOR] {
    bytemuck::must_cast(vector)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions exist as intrinsics only")]
mod arch {
    use std::arch::x86_64::{
        __m128i, _mm_unpackhi_epi8, _mm_unpackhi_epi16, _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi8,
        _mm_unpacklo_epi16, _mm_unpacklo_epi32, _mm_unpacklo_epi64,
    };

    pub(in super::super) type Vector = __m128i;

    /// The first halves of both.
    #[inline(always)]
    pub(super) fn zip_low<const B: usize>(a: Vector, b: Vector) -> Vector {
        // SAFETY: every x86-64 processor has the instructions.
        unsafe {
            match B {
                1 => _mm_unpacklo_epi8(a, b),
                2 => _mm_unpacklo_epi16(a, b),
                4 => _mm_unpacklo_epi32(a, b),
                _ => _mm_unpacklo_epi64(a, b),
            }
        }
    }

    /// The second halves of both.
    #[inline(always)]
    pub(super) fn zip_high<const B: usize>(a: Vector, b: Vector) -> Vector {
        // SAFETY: every x86-64 processor has the instructions.
        unsafe {
            match B {
                1 => _mm_unpackhi_epi8(a, b),
                2 => _mm_unpackhi_epi16(a, b),
                4 => _mm_unpackhi_epi32(a, b),
                _ => _mm_unpackhi_epi64(a, b),
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod arch {
    pub(in super::super) type Vector = u128;
    pub(super) use super::portable::{zip_high, zip_low};
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{VECTOR, Vector, bytes, vector};

    #[inline(always)]
    pub(super) fn zip_low<const B: usize>(a: Vector, b: Vector) -> Vector {
        zip::<B>(&bytes(a)[..VECTOR / 2], &bytes(b)[..VECTOR / 2])
    }

    #[inline(always)]
    pub(super) fn zip_high<const B: usize>(a: Vector, b: Vector) -> Vector {
        zip::<B>(&bytes(a)[VECTOR / 2..], &bytes(b)[VECTOR / 2..])
    }

    #[inline(always)]
    fn zip<const B: usize>(a: &[u8], b: &[u8]) -> Vector {
        let of = |i: usize| if (i / B).is_multiple_of(2) { a } else { b }[i / (2 * B) * B + i % B];
        vector(std::array::from_fn(of))
    }
}

#[cfg(test)]
mod tests {
    use super::{Vector, Vectors, arch, bytes, portable, vector};

    fn check<const B: usize>() {
        let (a, b) = (vector(std::array::from_fn(|i| i as u8)), vector(std::array::from_fn(|i| 100 + i as u8)));
        assert_eq!(bytes(arch::zip_low::<B>(a, b)), bytes(portable::zip_low::<B>(a, b)));
        assert_eq!(bytes(arch::zip_high::<B>(a, b)), bytes(portable::zip_high::<B>(a, b)));
        let rows: [Vector; 4] = std::array::from_fn(|row| vector(std::array::from_fn(|i| (16 * row + i) as u8)));
        let flat = |vectors: [Vector; 4]| vectors.map(bytes).as_flattened().to_vec();
        let mut vectors = rows.zip_halves::<B>().zip_halves::<B>();
        for (to, element) in flat(vectors).chunks_exact(B).enumerate() {
            let (place, row) = (to / 4, to % 4);
            assert_eq!(element, &flat(rows)[row * 16 + place * B..][..B]);
        }
        for _ in 0..(16 / B).ilog2() {
            vectors = vectors.zip_halves::<B>();
        }
        assert_eq!(flat(vectors), flat(rows));
    }

    #[test]
    fn rows_become_places_and_rows_again() {
        check::<1>();
        check::<2>();
        check::<4>();
        check::<8>();
    }
}
