//! Asking for what is read next while what was read is written.

use super::{Blocked, Part};
use crate::device::cpu::lines::{LINE, copy_past_caches};
use crate::device::cpu::vector::prefetch;

/// What will be read of the source: as many stretches of as many bytes. It is asked for step by step.
pub(super) struct Ahead<'a> {
    src: &'a [u8],
    stretch: usize,
    apart: usize,
    step: usize,
    /// Where the stretch that is asked for begins, and how much of it was.
    start: usize,
    asked: usize,
    /// Bytes of all stretches that weren't asked for.
    left: usize,
}

impl<'a> Ahead<'a> {
    /// One of so many shares of what a part reads, in so many steps.
    pub(super) fn new(of: &Blocked, src: &'a [u8], part: Part, (share, shares): (usize, usize), steps: usize) -> Self {
        let Part { outer, channel, count, start, places } = part;
        let side = &of.src;
        let nothing = Ahead { src, stretch: 0, apart: 0, step: 0, start: 0, asked: 0, left: 0 };
        if steps == 0 || outer >= side.outer || start >= side.spatial {
            return nothing;
        }
        let bytes = |elements: usize| if of.src_int4 { elements / 2 } else { elements * of.src_element };
        let (stretch, apart) = (bytes(places.min(side.spatial - start) * side.lanes), bytes(side.spatial * side.lanes));
        let block = channel / side.lanes;
        let all = ((channel + count).div_ceil(side.lanes) - block) * stretch;
        if all == 0 {
            return nothing;
        }
        let (first, end) = (all * share / shares, all * (share + 1) / shares);
        let start = bytes(side.offset(outer, block * side.lanes, start)) + first / stretch * apart;
        let step = (end - first).div_ceil(steps).next_multiple_of(LINE);
        Ahead { src, stretch, apart, step, start, asked: first % stretch, left: end - first }
    }

    /// Asks for the next step.
    #[inline]
    pub(super) fn ask(&mut self) {
        let mut wanted = self.step.min(self.left);
        self.left -= wanted;
        while wanted > 0 {
            let (begin, len) = (self.start + self.asked, wanted.min(self.stretch - self.asked));
            prefetch(self.src.get(begin..begin + len).unwrap_or_default());
            wanted -= len;
            self.asked += len;
            if self.asked == self.stretch {
                self.start += self.apart;
                self.asked = 0;
            }
        }
    }

    /// Copies past the caches, and asks meanwhile.
    #[inline]
    pub(super) fn copy_and_ask(&mut self, from: &[u8], to: &mut [u8]) {
        // All steps but the first begin at a line.
        let head = to.as_ptr().align_offset(LINE).min(to.len());
        let ((from_head, from), (to_head, to)) = (from.split_at(head), to.split_at_mut(head));
        to_head.copy_from_slice(from_head);
        for (from, to) in from.chunks(STEP).zip(to.chunks_mut(STEP)) {
            self.ask();
            copy_past_caches(from, to);
        }
    }
}

/// Bytes that are written from one step to the next.
pub(super) const STEP: usize = 8 * LINE;
