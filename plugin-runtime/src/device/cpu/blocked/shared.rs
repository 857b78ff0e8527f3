//! Bytes of INT4 that hold the last element of one channel and the first one of the next.

use super::Blocked;
use crate::device::cpu::chunks::Parts;
use crate::device::cpu::int4;
use crate::device::cpu::tasks::in_parts;

impl Blocked {
    /// Whether there are such bytes: where the places are odd in number.
    pub(super) fn shares_bytes(&self) -> bool {
        self.dst_int4 && !self.dst.spatial.is_multiple_of(2)
    }

    /// Fills them all.
    pub(super) fn write_shared_bytes(&self, src: &[u8], dst: &mut [u8]) {
        let (channels, spatial) = (self.dst.channels, self.dst.spatial);
        let all = self.dst.outer * channels;
        let all_bytes = src.len() + dst.len();
        let parts = Parts::new(dst);
        in_parts(all_bytes, all.div_ceil(2), |pairs| {
            for pair in pairs {
                let element = |channel: usize, place: usize| {
                    let start = self.src.offset(channel / channels, channel % channels, place) * self.src_element;
                    let mut unpacked = [0];
                    self.cast.run(&src[start..][..self.src_element], &mut unpacked);
                    unpacked[0]
                };
                let (channel, next) = (2 * pair, 2 * pair + 1);
                let both = [element(channel, spatial - 1), if next < all { element(next, 0) } else { 0 }];
                // SAFETY: the byte of an element of the destination, which differs from pair to pair.
                #[expect(unsafe_code, reason = "the bytes are disjoint, which the compiler can't see")]
                let byte = unsafe { parts.part((next * spatial - 1) / 2, 1) };
                int4::pack(&both, byte);
            }
        });
    }
}
