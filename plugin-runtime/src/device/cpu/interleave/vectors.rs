//! Vectors of 16 bytes, whose elements are taken in turn from two others.

/// Bytes of a vector.
pub(in super::super) const VECTOR: usize = 16;
pub(super) use arch::Vector;
#[cfg(target_arch = "x86_64")]
pub(super) use pair::Pair;

/// A vector, or two that the same is done to.
pub(super) trait Zip: Copy {
    /// The first halves of both in turn, by elements of `B` bytes.
    fn zip_low<const B: usize>(self, other: Self) -> Self;

    /// The second halves.
    fn zip_high<const B: usize>(self, other: Self) -> Self;
}

impl Zip for Vector {
    #[inline(always)]
    fn zip_low<const B: usize>(self, other: Self) -> Self {
        arch::zip_low::<B>(self, other)
    }

    #[inline(always)]
    fn zip_high<const B: usize>(self, other: Self) -> Self {
        arch::zip_high::<B>(self, other)
    }
}

/// So many vectors.
pub(super) struct Count<const N: usize>;

/// What is done to so many vectors.
pub(super) trait Vectors<const N: usize> {
    /// Takes elements of `B` bytes from the first and the second half of the vectors in turn.
    ///
    /// Read as one row of elements, whose index is a number of some bits, the highest bit becomes the lowest. So as many
    /// times as a number of rows has bits make the number of the row, which were the highest bits, the lowest: what
    /// stood in rows stands in places. And as many times more as a vector's elements have bits bring everything back.
    fn zip_halves<V: Zip, const B: usize>(vectors: [V; N]) -> [V; N];
}

/// Written out, so that vectors stay in registers.
macro_rules! vectors {
    ($($count:literal: $($a:literal $b:literal),+;)+) => {$(
        impl Vectors<$count> for Count<$count> {
            #[inline(always)]
            fn zip_halves<V: Zip, const B: usize>(vectors: [V; $count]) -> [V; $count] {
                [$(vectors[$a].zip_low::<B>(vectors[$b]), vectors[$a].zip_high::<B>(vectors[$b])),+]
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

/// Two vectors side by side.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instructions exist as intrinsics only")]
mod pair {
    use std::arch::x86_64::{
        __m256i, _mm256_loadu2_m128i, _mm256_storeu2_m128i, _mm256_unpackhi_epi8, _mm256_unpackhi_epi16,
        _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16,
        _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    };

    use super::{VECTOR, Zip};

    /// There are some only where the processor has AVX2.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Pair(__m256i);

    impl Pair {
        /// # Safety
        /// Both can be read, and the processor has AVX2.
        #[inline(always)]
        pub(in super::super) unsafe fn load(first: *const [u8; VECTOR], second: *const [u8; VECTOR]) -> Self {
            // SAFETY: as the caller vouches.
            Pair(unsafe { _mm256_loadu2_m128i(second.cast(), first.cast()) })
        }

        /// # Safety
        /// Both can be written.
        #[inline(always)]
        pub(in super::super) unsafe fn store(self, first: *mut [u8; VECTOR], second: *mut [u8; VECTOR]) {
            // SAFETY: as the caller vouches; there is a pair, so the processor has the instruction.
            unsafe { _mm256_storeu2_m128i(second.cast(), first.cast(), self.0) };
        }
    }

    impl Zip for Pair {
        #[inline(always)]
        fn zip_low<const B: usize>(self, other: Self) -> Self {
            // SAFETY: there is a pair, so the processor has the instructions.
            Pair(unsafe {
                match B {
                    1 => _mm256_unpacklo_epi8(self.0, other.0),
                    2 => _mm256_unpacklo_epi16(self.0, other.0),
                    4 => _mm256_unpacklo_epi32(self.0, other.0),
                    _ => _mm256_unpacklo_epi64(self.0, other.0),
                }
            })
        }

        #[inline(always)]
        fn zip_high<const B: usize>(self, other: Self) -> Self {
            // SAFETY: there is a pair, so the processor has the instructions.
            Pair(unsafe {
                match B {
                    1 => _mm256_unpackhi_epi8(self.0, other.0),
                    2 => _mm256_unpackhi_epi16(self.0, other.0),
                    4 => _mm256_unpackhi_epi32(self.0, other.0),
                    _ => _mm256_unpackhi_epi64(self.0, other.0),
                }
            })
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
    use super::{Count, Vector, Vectors, Zip, arch, bytes, portable, vector};

    fn check<const B: usize>() {
        let (a, b) = (vector(std::array::from_fn(|i| i as u8)), vector(std::array::from_fn(|i| 100 + i as u8)));
        let (low, high) = (bytes(arch::zip_low::<B>(a, b)), bytes(arch::zip_high::<B>(a, b)));
        assert_eq!(low, bytes(portable::zip_low::<B>(a, b)));
        assert_eq!(high, bytes(portable::zip_high::<B>(a, b)));
        pair::<B>([a, b], [low, high]);
        let rows: [Vector; 4] = std::array::from_fn(|row| vector(std::array::from_fn(|i| (16 * row + i) as u8)));
        let flat = |vectors: [Vector; 4]| vectors.map(bytes).as_flattened().to_vec();
        let zip = Count::<4>::zip_halves::<Vector, B>;
        let mut vectors = zip(zip(rows));
        for (to, element) in flat(vectors).chunks_exact(B).enumerate() {
            let (place, row) = (to / 4, to % 4);
            assert_eq!(element, &flat(rows)[row * 16 + place * B..][..B]);
        }
        for _ in 0..(16 / B).ilog2() {
            vectors = zip(vectors);
        }
        assert_eq!(flat(vectors), flat(rows));
    }

    /// Both vectors of a pair as one by itself.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "pairs are for processors that have AVX2")]
    fn pair<const B: usize>([a, b]: [Vector; 2], wanted: [[u8; 16]; 2]) {
        if !crate::device::cpu::features::has_avx2() {
            return;
        }
        let swapped = [bytes(arch::zip_low::<B>(b, a)), bytes(arch::zip_high::<B>(b, a))];
        let (a, b) = (bytes(a), bytes(b));
        let mut got = [[[0; 16]; 2]; 2];
        // SAFETY: the processor has the instructions, as was just asked, and all of these are there.
        unsafe {
            let (first, second) = (super::Pair::load(&a, &b), super::Pair::load(&b, &a));
            let zipped = [first.zip_low::<B>(second), first.zip_high::<B>(second)];
            for (pair, [first, second]) in zipped.into_iter().zip(&mut got) {
                pair.store(first, second);
            }
        }
        assert_eq!(got, [[wanted[0], swapped[0]], [wanted[1], swapped[1]]]);
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn pair<const B: usize>(_vectors: [Vector; 2], _wanted: [[u8; 16]; 2]) {}

    #[test]
    fn rows_become_places_and_rows_again() {
        check::<1>();
        check::<2>();
        check::<4>();
        check::<8>();
    }
}
