//! Positions of the non-zero elements, block by block, written without gaps.
//!
//! A block is first turned into one bit an element: that gives its number of non-zeros, and is all that writing their
//! positions needs, so the input is read once. Eight bits at a time then become eight positions by a table.

use plugin_runtime::device::cpu::{self, STREAM_BYTES};
use plugin_runtime::prelude::*;

/// Row and column.
type Position = [i32; 2];

/// Elements that are tested and expanded together: one bit each.
const WORD: usize = 64;
/// Words of a block: few enough that reading and writing alternate quickly, many enough that blocks queue rarely.
const BLOCK_WORDS: usize = 256;
const BLOCK: usize = BLOCK_WORDS * WORD;
/// Room for the positions of a word: eight bits are always expanded to eight positions, even if they are all 0.
const ROOM: usize = WORD + 8;

/// An element that is zero or not.
pub(super) trait MaybeZero: Element {
    /// Whether the element is anything but 0 and -0; NaN is.
    fn is_non_zero(self) -> bool;
}

impl MaybeZero for f32 {
    #[inline(always)]
    fn is_non_zero(self) -> bool {
        self.to_bits() << 1 != 0
    }
}

impl MaybeZero for f16 {
    #[inline(always)]
    fn is_non_zero(self) -> bool {
        self.to_bits() << 1 != 0
    }
}

/// Writes row and column of the non-zero elements of a matrix to the start of `out`, in order, and returns their
/// number.
///
/// # Errors
/// When `shape` isn't a matrix', its positions don't fit an `i32`, or `out` has no room for them.
pub(super) fn non_zero<T: MaybeZero>(x: &[T], shape: &[i64], out: &mut [i32]) -> Result<usize> {
    non_zero_by(x, shape, out, size_of_val(x) >= STREAM_BYTES)
}

fn non_zero_by<T: MaybeZero>(x: &[T], shape: &[i64], out: &mut [i32], streamed: bool) -> Result<usize> {
    let &[rows, columns] = shape else {
        bail!("the input's shape is {shape:?}; non_zero needs a matrix, which has 2 dimensions");
    };
    if rows.max(columns) > i64::from(i32::MAX) {
        bail!("the input's shape is {shape:?}; its indices don't fit INT32");
    }
    let columns = usize::try_from(columns).unwrap_or_default().max(1);
    let (out, _) = out.as_chunks_mut();
    let positions_of = |block: usize, claim: cpu::Claim<'_, Position>| {
        let start = block * BLOCK;
        let values = &x[start..x.len().min(start + BLOCK)];
        let mut words = [0; BLOCK_WORDS];
        let words = &mut words[..values.len().div_ceil(WORD)];
        let count = cpu::vectorized(|| mark(values, words));
        let Some(out) = claim.take(count) else { return Ok(()) };
        // Who takes the next block finds it in the cache, as far as writing leaves the memory time for it.
        let ahead = &x[x.len().min(start + cpu::threads() * BLOCK)..];
        let words = Words {
            words: words.iter(),
            ahead: ahead.chunks(WORD),
            row: start / columns,
            column: start % columns,
            columns,
        };
        cpu::vectorized(|| if streamed { write_streamed(words, out) } else { write_cached(words, out) })
    };
    cpu::parallel_from(2 * size_of_val(x), || cpu::compact(x.len().div_ceil(BLOCK), out, positions_of))
}

#[inline(always)]
fn write_streamed<T>(words: Words<'_, T>, out: &mut [Position]) -> Result<()> {
    cpu::stream_into(out, |writer| {
        for word in words {
            if let Some(room) = writer.spare(ROOM).first_chunk_mut() {
                let count = word.expand(room);
                writer.commit(count);
            }
        }
        Ok(())
    })
}

#[inline(always)]
fn write_cached<T>(words: Words<'_, T>, mut out: &mut [Position]) -> Result<()> {
    let mut aside = [[0; 2]; ROOM];
    for word in words {
        let count = match out.first_chunk_mut() {
            Some(room) => word.expand(room),
            None => {
                let count = word.expand(&mut aside).min(out.len());
                out[..count].copy_from_slice(&aside[..count]);
                count
            }
        };
        out = &mut out[count..];
    }
    Ok(())
}

/// Sets one bit for each non-zero value, the lowest for the first, and returns their number.
#[inline(always)]
fn mark<T: MaybeZero>(values: &[T], words: &mut [u64]) -> usize {
    let (whole, rest) = values.as_chunks::<WORD>();
    let mut padded = [T::zeroed(); WORD];
    padded[..rest.len()].copy_from_slice(rest);
    let mut count = 0;
    for (word, values) in words.iter_mut().zip(whole.iter().chain([&padded])) {
        *word = mark_word(values);
        count += word.count_ones() as usize;
    }
    count
}

#[inline(always)]
fn mark_word<T: MaybeZero>(values: &[T; WORD]) -> u64 {
    cpu::bits_of_flags(&std::array::from_fn(|i| if values[i].is_non_zero() { 255 } else { 0 }))
}

/// The words of a block that aren't 0, each with the position of its lowest bit.
struct Words<'a, T> {
    words: std::slice::Iter<'a, u64>,
    /// What is to be read later, in parts as large as what a word stands for.
    ahead: std::slice::Chunks<'a, T>,
    row: usize,
    column: usize,
    columns: usize,
}

struct Word {
    bits: u64,
    row: usize,
    column: usize,
    columns: usize,
}

impl<T> Iterator for Words<'_, T> {
    type Item = Word;

    #[inline(always)]
    fn next(&mut self) -> Option<Word> {
        loop {
            let bits = *self.words.next()?;
            let word = Word { bits, row: self.row, column: self.column, columns: self.columns };
            if let Some(values) = self.ahead.next() {
                cpu::prefetch(values);
            }
            self.column += WORD;
            if self.column >= self.columns {
                self.row += self.column / self.columns;
                self.column %= self.columns;
            }
            if bits != 0 {
                return Some(word);
            }
        }
    }
}

impl Word {
    /// Writes the position of each set bit and returns their number.
    #[inline(always)]
    fn expand(self, room: &mut [Position; ROOM]) -> usize {
        if self.column + WORD > self.columns {
            return self.expand_over_rows(room);
        }
        let ends = ends_of_bytes(self.bits);
        let mut first: u64 = bytemuck::cast([self.row as i32, self.column as i32]);
        let mut start = 0;
        for (byte, end) in self.bits.to_le_bytes().into_iter().zip(ends) {
            if let Some(to) = room[start..].first_chunk_mut::<8>() {
                *to = SET_BITS[usize::from(byte)].map(|bit| bytemuck::cast(first + bit));
            }
            first += bytemuck::cast::<_, u64>([0, 8]);
            // Never more, but so the compiler knows that there is room.
            start = usize::from(end).min(WORD);
        }
        start
    }

    /// As [`Word::expand`], where the bits belong to more than one row.
    fn expand_over_rows(mut self, room: &mut [Position; ROOM]) -> usize {
        let mut row_start = 0;
        let mut count = 0;
        while self.bits != 0 {
            let position = self.column + self.bits.trailing_zeros() as usize;
            while position - row_start >= self.columns {
                row_start += self.columns;
                self.row += 1;
            }
            room[count] = [self.row as i32, (position - row_start) as i32];
            count += 1;
            self.bits &= self.bits - 1;
        }
        count
    }
}

/// For each byte the number of set bits up to its end.
#[inline(always)]
fn ends_of_bytes(bits: u64) -> [u8; 8] {
    let pairs = bits - (bits >> 1 & 0x5555_5555_5555_5555);
    let nibbles = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
    let bytes = (nibbles + (nibbles >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    bytes.wrapping_mul(0x0101_0101_0101_0101).to_le_bytes()
}

/// The set bits of each byte, lowest first, as columns of row 0: positions read as one number each, so that one addition
/// moves them to their place. The rest is padding.
static SET_BITS: [[u64; 8]; 256] = {
    let column_of = if cfg!(target_endian = "little") { 32 } else { 0 };
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit << column_of;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{BLOCK, MaybeZero, non_zero, non_zero_by};
    use crate::reference;
    use crate::testing::{Rng, guarded};
    use plugin_runtime::prelude::*;

    const POISON: i32 = i32::MIN + 7;

    fn matches_reference<T: MaybeZero + reference::Float>(x: &[T], shape: [i64; 2]) {
        let expected = reference::non_zero(x, &shape);
        for streamed in [false, true] {
            let find = |out: &mut [i32]| non_zero_by(x, &shape, out, streamed);
            for room in [2 * x.len(), expected.len()] {
                let got = guarded(&vec![POISON; room], |out| assert_eq!(find(out).unwrap(), expected.len() / 2));
                assert!(got[..expected.len()] == expected, "{shape:?}");
            }
            if let Some(room) = expected.len().checked_sub(2) {
                let error = find(&mut vec![POISON; room]).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{} elements", expected.len() / 2)), "{error}");
            }
        }
    }

    fn matches_reference_on<T: MaybeZero + reference::Float>(rng: &mut Rng, rows: usize, columns: usize) {
        let x: Vec<T> = (0..rows * columns).map(|_| T::narrow(rng.float())).collect();
        matches_reference(&x, [rows as i64, columns as i64]);
    }

    #[test]
    fn positions_match_the_reference_on_many_shapes() {
        let mut rng = Rng::new(2);
        let extents = [0, 1, 2, 17, 63, 64, 65, 127, 130, 300];
        for (rows, columns) in extents.into_iter().flat_map(|rows| extents.map(|columns| (rows, columns))) {
            matches_reference_on::<f32>(&mut rng, rows, columns);
            matches_reference_on::<f16>(&mut rng, rows, columns);
        }
        for _ in 0..20 {
            let (rows, columns) = (1 + rng.below(400), 1 + rng.below(400));
            matches_reference_on::<f32>(&mut rng, rows, columns);
        }
    }

    #[test]
    fn positions_match_the_reference_on_large_matrices() {
        let mut rng = Rng::new(3);
        for (rows, columns) in [(1, 2 * BLOCK + 5), (2 * BLOCK + 5, 1), (400, 500)] {
            matches_reference_on::<f32>(&mut rng, rows, columns);
            matches_reference_on::<f16>(&mut rng, rows, columns);
        }
        for value in [0.0, 1.0] {
            matches_reference(&vec![value; 300 * 1030], [300, 1030]);
        }
    }

    #[test]
    fn minus_zero_is_zero_and_nan_is_not() {
        let x = [0.0, -0.0, f32::NAN, f32::MIN_POSITIVE, f32::from_bits(1), f32::from_bits(1 << 31), f32::INFINITY];
        let mut out = [0; 14];
        assert_eq!(non_zero(&x, &[1, 7], &mut out).unwrap(), 4);
        assert_eq!(out[..8], [0, 2, 0, 3, 0, 4, 0, 6]);
        let x = [0x0000, 0x8000, 0x7e00, 0xfe00, 0x0001, 0x8001, 0x7c00].map(f16::from_bits);
        assert_eq!(non_zero(&x, &[7, 1], &mut out).unwrap(), 5);
        assert_eq!(out[..10], [2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
    }

    #[test]
    fn a_shape_that_cannot_be_indexed_is_an_error() {
        let of = |shape: &[i64]| non_zero::<f32>(&[], shape, &mut []).unwrap_err().to_string();
        assert_eq!(of(&[0]), "the input's shape is [0]; non_zero needs a matrix, which has 2 dimensions");
        assert_eq!(of(&[0, 1 << 31]), "the input's shape is [0, 2147483648]; its indices don't fit INT32");
        assert_eq!(non_zero::<f32>(&[], &[0, (1 << 31) - 1], &mut []).unwrap(), 0);
    }
}
