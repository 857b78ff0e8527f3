//! Runs of INT4: two elements to a byte, the earlier one in the low half.

use std::ops::Range;

use super::cast::{Cast, unpacked_bytes};
#[cfg(target_arch = "x86_64")]
use super::features::has_avx2;
use super::interleave::VECTOR;
use super::tasks::in_tasks;
use super::vector::vectorized;
use crate::tensor::DataType;

/// Elements that are unpacked at a time; even.
const STEP: usize = 512;

/// A cast of elements in the same order, where at least one side is INT4.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlatInt4 {
    pub(super) cast: Cast,
    pub(super) from: DataType,
    pub(super) to: DataType,
    pub(super) elements: usize,
}

impl FlatInt4 {
    pub(super) fn run(&self, src: &[u8], dst: &mut [u8]) {
        let (from, to) = (step_bytes(self.from), step_bytes(self.to));
        in_tasks(src.len(), dst, to, |first, dst| {
            let steps = dst.len().div_ceil(to);
            let src = &src[first * from..];
            self.run_steps(&src[..src.len().min(steps * from)], dst, self.elements - first * STEP);
        });
    }

    fn run_steps(&self, src: &[u8], dst: &mut [u8], elements: usize) {
        match (self.cast, self.from == DataType::Int4, self.to == DataType::Int4) {
            (Cast::Copy, true, false) => return unpack(src, dst),
            (Cast::Copy, false, true) => return pack(src, dst),
            _ => {}
        }
        let (mut unpacked_src, mut unpacked_dst) = ([0u8; STEP], [0u8; STEP]);
        let chunks = src.chunks(step_bytes(self.from)).zip(dst.chunks_mut(step_bytes(self.to)));
        for (index, (src, dst)) in chunks.enumerate() {
            let count = STEP.min(elements - index * STEP);
            let src = if self.from == DataType::Int4 {
                unpack(src, &mut unpacked_src[..count]);
                &unpacked_src[..count]
            } else {
                src
            };
            if self.to == DataType::Int4 {
                self.cast.run(src, &mut unpacked_dst[..count]);
                pack(&unpacked_dst[..count], dst);
            } else {
                self.cast.run(src, dst);
            }
        }
    }
}

fn step_bytes(dtype: DataType) -> usize {
    if dtype == DataType::Int4 { STEP / 2 } else { STEP * unpacked_bytes(dtype) }
}

/// The element of this index, as INT8.
fn load(packed: &[u8], index: usize) -> u8 {
    nibbles(packed[index / 2])[index % 2]
}

/// The elements from any index on.
pub(super) fn unpack_from(packed: &[u8], first: usize, elements: &mut [u8]) {
    match elements {
        [odd, rest @ ..] if first % 2 == 1 => {
            *odd = load(packed, first);
            unpack(&packed[first / 2 + 1..], rest);
        }
        _ => unpack(&packed[first / 2..], elements),
    }
}

/// The elements from an even index on.
fn unpack(packed: &[u8], elements: &mut [u8]) {
    let (pairs, last) = elements.as_chunks_mut();
    let last_byte = packed.get(pairs.len());
    vectorized(|| {
        for (pair, &byte) in pairs.iter_mut().zip(packed) {
            // Both halves in one number of 16 bits, which vectorises where pairs of bytes don't.
            let both = u16::from(byte);
            let halves = (both & 0xF0) << 4 | both & 0x0F;
            let negative = halves & 0x0808;
            *pair = (halves | negative << 1 | negative << 2 | negative << 3 | negative << 4).to_le_bytes();
        }
    });
    if let ([last], Some(&byte)) = (last, last_byte) {
        [*last, _] = nibbles(byte);
    }
}

/// Elements saturated, from an even index on.
pub(super) fn pack(elements: &[u8], packed: &mut [u8]) {
    let (pairs, last) = elements.as_chunks();
    vectorized(|| {
        for (byte, &pair) in packed.iter_mut().zip(pairs) {
            let both = u16::from_le_bytes(pair.map(saturate));
            *byte = (both | both >> 4) as u8;
        }
    });
    if let ([last], Some(byte)) = (last, packed.last_mut()) {
        *byte = saturate(*last);
    }
}

/// Elements saturated of some lanes of places of `place` elements, of which the first and the second, and so on, make one of
/// `packed`.
pub(super) fn pack_places(places: &[u8], place: usize, lanes: Range<usize>, packed: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        #[expect(unsafe_code, reason = "the compiler doesn't know which processor this is")]
        // SAFETY: the processor has the instructions, as was just asked.
        return unsafe { avx2::pack_places(places, place, lanes, packed) };
    }
    pack_all(places, place, lanes, packed);
}

/// The reverse for all lanes, of which there are a multiple of 16.
pub(super) fn unpack_places(packed: &[u8], lanes: usize, places: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        #[expect(unsafe_code, reason = "the compiler doesn't know which processor this is")]
        // SAFETY: the processor has the instructions, as was just asked.
        return unsafe { avx2::unpack_places(packed, lanes, places) };
    }
    unpack_all(packed, lanes, places);
}

/// The same, compiled for AVX2. It is too long for the compiler to make it a part of what [`vectorized`] compiles.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::ops::Range;

    #[target_feature(enable = "avx2")]
    pub(super) fn pack_places(places: &[u8], place: usize, lanes: Range<usize>, packed: &mut [u8]) {
        super::pack_all(places, place, lanes, packed);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn unpack_places(packed: &[u8], lanes: usize, places: &mut [u8]) {
        super::unpack_all(packed, lanes, places);
    }
}

#[inline(always)]
fn pack_all(places: &[u8], place: usize, lanes: Range<usize>, packed: &mut [u8]) {
    for (pair, packed) in places.chunks_exact(2 * place).zip(packed.chunks_exact_mut(lanes.len())) {
        let (first, first_rest) = pair[..place][lanes.clone()].as_chunks::<VECTOR>();
        let (second, second_rest) = pair[place..][lanes.clone()].as_chunks::<VECTOR>();
        let (packed, packed_rest) = packed.as_chunks_mut::<VECTOR>();
        for ((packed, first), second) in packed.iter_mut().zip(first).zip(second) {
            *packed = std::array::from_fn(|i| saturate(first[i]) | saturate(second[i]) << 4);
        }
        for ((packed, &first), &second) in packed_rest.iter_mut().zip(first_rest).zip(second_rest) {
            *packed = saturate(first) | saturate(second) << 4;
        }
    }
}

#[inline(always)]
fn unpack_all(packed: &[u8], lanes: usize, places: &mut [u8]) {
    for (packed, pair) in packed.chunks_exact(lanes).zip(places.chunks_exact_mut(2 * lanes)) {
        let (first, second) = pair.split_at_mut(lanes);
        let (first, second) = (first.as_chunks_mut::<VECTOR>().0, second.as_chunks_mut::<VECTOR>().0);
        for ((packed, first), second) in packed.as_chunks::<VECTOR>().0.iter().zip(first).zip(second) {
            *first = packed.map(|byte| signed(byte & 0x0F));
            *second = packed.map(|byte| signed(byte >> 4));
        }
    }
}

/// A number of four bits as one of eight.
#[inline(always)]
fn signed(nibble: u8) -> u8 {
    (nibble ^ 8).wrapping_sub(8)
}

fn nibbles(byte: u8) -> [u8; 2] {
    [(byte << 4).cast_signed() >> 4, byte.cast_signed() >> 4].map(i8::cast_unsigned)
}

#[inline(always)]
fn saturate(int8: u8) -> u8 {
    int8.cast_signed().clamp(-8, 7).cast_unsigned() & 0x0F
}
