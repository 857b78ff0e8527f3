//! Layouts that have their channels in the same dimension, tile by tile.

mod shared;

use std::ops::Range;

use super::cast::Cast;
use super::chunks::Parts;
use super::int4;
use super::interleave::{Lanes, Tile, VECTOR, gather, scatter, tile_channels, tile_row, unstage};
use super::lines::{LINE, copy_past_caches, wait_for_stores};
use super::tasks::{in_parts, in_tasks};
use super::threads::STREAM_BYTES;
use super::vector::prefetch;
use crate::tensor::Arrangement;

/// A tile is rows of one channel each, which are contiguous on a side of single lanes and otherwise gathered from places
/// or scattered to them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    pub(super) cast: Cast,
    pub(super) src: Arrangement,
    pub(super) dst: Arrangement,
    /// Bytes; INT4, which only a side of single lanes has, counts as unpacked to INT8.
    pub(super) src_element: usize,
    pub(super) dst_element: usize,
    pub(super) src_int4: bool,
    pub(super) dst_int4: bool,
}

impl Blocked {
    pub(super) fn run(&self, src: &[u8], dst: &mut [u8]) {
        self.run_by(src, dst, dst.len() >= STREAM_BYTES);
    }

    /// Through the caches or past them. There is something to write.
    pub(super) fn run_by(&self, src: &[u8], dst: &mut [u8], past_caches: bool) {
        if self.dst.lanes == 1 {
            self.write_rows(src, dst, past_caches);
            if self.shares_bytes() {
                self.write_shared_bytes(src, dst);
            }
            return;
        }
        let place_bytes = self.dst.lanes * self.dst_element;
        in_tasks(src.len(), dst, place_bytes, |first, places| {
            self.write_places(src, first, places, past_caches);
            wait_for_stores();
        });
    }

    fn widest_element(&self) -> usize {
        self.src_element.max(self.dst_element)
    }

    /// Fills rows of the destination. Those of one tile are far apart, so a task has some tiles instead of some bytes.
    fn write_rows(&self, src: &[u8], dst: &mut [u8], past_caches: bool) {
        let Arrangement { channels, spatial, outer, .. } = self.dst;
        let width = tile_channels(self.src.lanes, self.widest_element());
        let row = tile_row(width, self.widest_element());
        // Of two tiles that share bytes, the former has one place of the latter.
        let (step, more) = if self.shares_bytes() { (row - 2 * VECTOR, 1) } else { (row, 0) };
        let (groups, runs) = (channels.div_ceil(width), spatial.div_ceil(step));
        let all_bytes = src.len() + dst.len();
        let parts = Parts::new(dst);
        in_parts(all_bytes, outer * runs * groups, |tiles| {
            let memory = &mut Tiles::new();
            // All groups of a run: who reads a part of a place soon reads the rest of it.
            let part_of = |tile: usize| {
                let (outer, run, channel) = (tile / groups / runs, tile / groups % runs, tile % groups * width);
                let (start, count) = (run * step, width.min(channels - channel));
                Part { outer, channel, count, start, places: (step + more).min(spatial - start) }
            };
            for tile in tiles {
                let part = part_of(tile);
                let Part { outer, channel, start, .. } = part;
                self.gather(src, part, row, &mut memory.read, &mut memory.staged);
                let next = Ahead::new(self, src, part_of(tile + 1), past_caches);
                for line in 0..part.count {
                    next.ask(line, part.count);
                    let own = self.own_places(part, line, step);
                    let offset = self.dst.offset(outer, channel + line, start + own.start);
                    let (offset, len) = (self.dst_bytes(offset), self.dst_bytes(own.len()));
                    // SAFETY: elements of the destination, since the arrangement is its own. No other tile has this channel
                    // at these places, and these bytes hold nothing else.
                    #[expect(unsafe_code, reason = "the runs are disjoint, which the compiler can't see")]
                    let to = unsafe { parts.part(offset, len) };
                    let from = &memory.read.bytes()[(line * row + own.start) * self.src_element..];
                    let from = &from[..own.len() * self.src_element];
                    self.write_run(from, to, &mut memory.cast, past_caches);
                }
            }
            wait_for_stores();
        });
    }

    /// Which of a tile's places are in bytes that no other tile and no other channel has a part of.
    fn own_places(&self, part: Part, line: usize, step: usize) -> Range<usize> {
        if !self.shares_bytes() {
            return 0..part.places;
        }
        let odd = self.dst.offset(part.outer, part.channel + line, part.start) % 2;
        odd..odd + step.min(part.places - odd.min(part.places)) / 2 * 2
    }

    /// Bytes of so many elements of the destination, whose layout has single lanes.
    fn dst_bytes(&self, elements: usize) -> usize {
        if self.dst_int4 { elements.div_ceil(2) } else { elements * self.dst_element }
    }

    /// Casts and writes a run of one channel.
    fn write_run(&self, from: &[u8], to: &mut [u8], memory: &mut Tile, past_caches: bool) {
        if self.dst_int4 {
            let (packed, unpacked) = memory.bytes_mut().split_at_mut(to.len());
            if let Cast::Copy = self.cast {
                int4::pack(from, packed);
            } else {
                let unpacked = &mut unpacked[..from.len() / self.src_element];
                self.cast.run(from, unpacked);
                int4::pack(unpacked, packed);
            }
            if past_caches { copy_past_caches(packed, to) } else { to.copy_from_slice(packed) }
        } else if !past_caches {
            self.cast.run(from, to);
        } else if let Cast::Copy = self.cast {
            copy_past_caches(from, to);
        } else {
            let cast = &mut memory.bytes_mut()[..to.len()];
            self.cast.run(from, cast);
            copy_past_caches(cast, to);
        }
    }

    /// Fills places of the destination, of which `first` is the first one, counted through all batches and blocks.
    fn write_places(&self, src: &[u8], first: usize, places: &mut [u8], past_caches: bool) {
        let Arrangement { spatial, blocks, lanes, .. } = self.dst;
        let place_bytes = lanes * self.dst_element;
        let width = tile_channels(lanes, self.widest_element());
        let row = tile_row(width, self.widest_element());
        let tiles = &mut Tiles::new();
        let end = first + places.len() / place_bytes;
        let mut at = first;
        while at < end {
            let (block, start) = (at / spatial, at % spatial);
            let (outer, block) = (block / blocks, block % blocks);
            let count = row.min(spatial - start).min(end - at);
            let run = &mut places[(at - first) * place_bytes..][..count * place_bytes];
            for first_lane in (0..lanes).step_by(width) {
                let channel = block * lanes + first_lane;
                let lanes = Lanes { all: lanes, first: first_lane, count: width.min(lanes - first_lane) };
                let real = self.dst.channels.saturating_sub(channel).min(lanes.count);
                let part = Part { outer, channel, count: real, start, places: count };
                self.fill_tile(src, part, row, tiles);
                let row_bytes = row * self.dst_element;
                let Tiles { cast, staged, .. } = &mut *tiles;
                cast.bytes_mut()[real * row_bytes..lanes.count * row_bytes].fill(0);
                scatter(self.dst_element, cast.bytes(), row, lanes, count, staged);
                // What comes next most of the time.
                let next = Ahead::new(self, src, Part { start: start + count, ..part }, past_caches);
                unstage(self.dst_element, staged, lanes, run, |from, to| match past_caches {
                    true => copy_and_ask(from, to, &next),
                    false => to.copy_from_slice(from),
                });
            }
            at += count;
        }
    }

    /// Rows of the destination's type in `tiles.cast`.
    fn fill_tile(&self, src: &[u8], part: Part, row: usize, tiles: &mut Tiles) {
        let Tiles { read, cast, staged } = tiles;
        let to = cast.bytes_mut().chunks_exact_mut(row * self.dst_element).take(part.count);
        let to = to.map(|row| &mut row[..part.places * self.dst_element]);
        let row_bytes = part.places * self.src_element;
        if self.src.lanes > 1 {
            self.gather(src, part, row, read, staged);
            for (from, to) in read.bytes().chunks_exact(row * self.src_element).zip(to) {
                self.cast.run(&from[..row_bytes], to);
            }
            return;
        }
        for (channel, to) in (part.channel..).zip(to) {
            let start = self.src.offset(part.outer, channel, part.start);
            if self.src_int4 && matches!(self.cast, Cast::Copy) {
                int4::unpack_from(src, start, to);
            } else if self.src_int4 {
                let unpacked = &mut read.bytes_mut()[..part.places];
                int4::unpack_from(src, start, unpacked);
                self.cast.run(unpacked, to);
            } else {
                self.cast.run(&src[start * self.src_element..][..row_bytes], to);
            }
        }
    }

    /// Rows of the source's type in `read`, from a source with places.
    fn gather(&self, src: &[u8], part: Part, row: usize, read: &mut Tile, staged: &mut Tile) {
        let all = self.src.lanes;
        let mut done = 0;
        while done < part.count {
            let channel = part.channel + done;
            let first = channel % all;
            let lanes = Lanes { all, first, count: (all - first).min(part.count - done) };
            let start = self.src.offset(part.outer, channel - first, part.start) * self.src_element;
            let places = &src[start..][..part.places * all * self.src_element];
            let tile = &mut read.bytes_mut()[done * row * self.src_element..];
            gather(self.src_element, places, lanes, tile, row, staged);
            done += lanes.count;
        }
    }
}

/// Memory of one task.
struct Tiles {
    read: Tile,
    cast: Tile,
    staged: Tile,
}

impl Tiles {
    fn new() -> Self {
        Tiles { read: Tile::new(), cast: Tile::new(), staged: Tile::new() }
    }
}

/// Some channels at some places of one batch.
#[derive(Clone, Copy)]
struct Part {
    outer: usize,
    channel: usize,
    count: usize,
    start: usize,
    places: usize,
}

/// Copies past the caches, and asks for what is next meanwhile.
fn copy_and_ask(from: &[u8], to: &mut [u8], next: &Ahead<'_>) {
    const STEP: usize = 8 * LINE;
    // All steps but the first begin at a line.
    let head = to.as_ptr().align_offset(LINE).min(to.len());
    let ((from_head, from), (to_head, to)) = (from.split_at(head), to.split_at_mut(head));
    to_head.copy_from_slice(from_head);
    let steps = to.len().div_ceil(STEP);
    for (step, (from, to)) in from.chunks(STEP).zip(to.chunks_mut(STEP)).enumerate() {
        next.ask(step, steps);
        copy_past_caches(from, to);
    }
}

/// What will be read of the source: as many stretches of as many bytes. It comes while what was read is written.
struct Ahead<'a> {
    src: &'a [u8],
    first: usize,
    apart: usize,
    count: usize,
    len: usize,
}

impl<'a> Ahead<'a> {
    fn new(of: &Blocked, src: &'a [u8], part: Part, wanted: bool) -> Self {
        let Part { outer, channel, count, start, places } = part;
        let side = &of.src;
        if !wanted || outer >= side.outer || start >= side.spatial {
            return Ahead { src, first: 0, apart: 0, count: 0, len: 0 };
        }
        let bytes = |elements: usize| if of.src_int4 { elements / 2 } else { elements * of.src_element };
        let block = channel / side.lanes;
        Ahead {
            src,
            first: bytes(side.offset(outer, block * side.lanes, start)),
            apart: bytes(side.spatial * side.lanes),
            count: (channel + count).div_ceil(side.lanes) - block,
            len: bytes(places.min(side.spatial - start) * side.lanes),
        }
    }

    /// Asks for one of so many shares.
    fn ask(&self, share: usize, shares: usize) {
        let share_len = (self.count * self.len).div_ceil(shares).next_multiple_of(LINE);
        let at = share * share_len;
        if self.len == 0 || at >= self.count * self.len {
            return;
        }
        let (stretch, offset) = (at / self.len, at % self.len);
        let begin = self.first + stretch * self.apart + offset;
        prefetch(self.src.get(begin..begin + share_len).unwrap_or_default());
    }
}
