//! Runs of INT4: two elements to a byte, the earlier one in the low half.

use super::cast::{Cast, unpacked_bytes};
use super::tasks::in_tasks;
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
pub(super) fn load(packed: &[u8], index: usize) -> u8 {
    nibbles(packed[index / 2])[index % 2]
}

/// Sets the element of this index, whose half of a byte is 0, to an INT8 saturated.
pub(super) fn store(packed: &mut [u8], index: usize, value: u8) {
    packed[index / 2] |= saturate(value) << (4 * (index % 2));
}

fn unpack(packed: &[u8], elements: &mut [u8]) {
    let (pairs, last) = elements.as_chunks_mut();
    for (pair, &byte) in pairs.iter_mut().zip(packed) {
        *pair = nibbles(byte);
    }
    if let ([last], Some(&byte)) = (last, packed.last()) {
        [*last, _] = nibbles(byte);
    }
}

fn pack(elements: &[u8], packed: &mut [u8]) {
    let (pairs, last) = elements.as_chunks();
    for (byte, &[low, high]) in packed.iter_mut().zip(pairs) {
        *byte = saturate(high) << 4 | saturate(low);
    }
    if let ([last], Some(byte)) = (last, packed.last_mut()) {
        *byte = saturate(*last);
    }
}

fn nibbles(byte: u8) -> [u8; 2] {
    [(byte << 4).cast_signed() >> 4, byte.cast_signed() >> 4].map(i8::cast_unsigned)
}

fn saturate(int8: u8) -> u8 {
    int8.cast_signed().clamp(-8, 7).cast_unsigned() & 0x0F
}
