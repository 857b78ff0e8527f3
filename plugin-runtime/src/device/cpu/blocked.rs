//! Layouts that have their channels in the same dimension, tile by tile.

mod ahead;
mod read;
mod shared;

use std::ops::Range;

use super::cast::Cast;
use super::chunks::Parts;
use super::int4;
use super::interleave::{Lanes, Tile, VECTOR, padded, scatter, tile_channels, tile_row, unstage};
use super::lines::{copy_past_caches, wait_for_stores};
use super::tasks::in_parts;
use super::threads::STREAM_BYTES;
use crate::tensor::Arrangement;
use ahead::{Ahead, STEP};

/// Bytes that are cast and written at a time.
const CAST_BYTES: usize = 8 << 10;

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
        self.write_places(src, dst, past_caches);
    }

    /// Elements are cast on the side where they are wider, and turned where they are narrower.
    fn turned_element(&self) -> usize {
        self.src_element.min(self.dst_element)
    }

    /// Whether INT4 is turned as it is packed, as bytes of two places each.
    fn turns_packed(&self) -> bool {
        let lanes = self.src.lanes.max(self.dst.lanes);
        (self.src_int4 || self.dst_int4) && self.dst.spatial.is_multiple_of(2) && lanes >= VECTOR
    }

    fn places_per_turned(&self) -> usize {
        if self.turns_packed() { 2 } else { 1 }
    }

    /// Elements of a tile's row, where one side has so many lanes.
    fn row(&self, lanes: usize) -> usize {
        tile_row(tile_channels(lanes, self.turned_element()), self.turned_element())
    }

    fn cast_before(&self) -> Cast {
        if self.src_element < self.dst_element { Cast::Copy } else { self.cast }
    }

    fn cast_after(&self) -> Cast {
        if self.src_element < self.dst_element { self.cast } else { Cast::Copy }
    }

    /// Fills rows of the destination. Those of one tile are far apart, so a task has some tiles instead of some bytes.
    fn write_rows(&self, src: &[u8], dst: &mut [u8], past_caches: bool) {
        let Arrangement { channels, spatial, outer, .. } = self.dst;
        let width = tile_channels(self.src.lanes, self.turned_element());
        let (row, per_turned) = (self.row(self.src.lanes), self.places_per_turned());
        // Of two tiles that share bytes, the former has one place of the latter.
        let (step, more) = if self.shares_bytes() { (row - 2 * VECTOR, 1) } else { (row * per_turned, 0) };
        let (groups, runs) = (channels.div_ceil(width), spatial.div_ceil(step));
        let all_bytes = src.len() + dst.len();
        let parts = Parts::new(dst);
        in_parts(all_bytes, outer * runs * groups, |tiles| {
            let Tiles { rows, scratch, .. } = &mut Tiles::new();
            // All groups of a run: who reads a part of a place soon reads the rest of it.
            let part_of = |tile: usize| {
                let (outer, run, channel) = (tile / groups / runs, tile / groups % runs, tile % groups * width);
                let (start, count) = (run * step, width.min(channels - channel));
                Part { outer, channel, count, start, places: (step + more).min(spatial - start) }
            };
            for tile in tiles {
                let part = part_of(tile);
                let Part { outer, channel, start, .. } = part;
                self.gather(src, part, row, rows, scratch);
                let steps = if past_caches { part.count } else { 0 };
                let mut next = Ahead::new(self, src, part_of(tile + 1), (0, 1), steps);
                for line in 0..part.count {
                    next.ask();
                    let own = self.own_places(part, line, step);
                    let offset = self.dst.offset(outer, channel + line, start + own.start);
                    let (offset, len) = (self.dst_bytes(offset), self.dst_bytes(own.len()));
                    // SAFETY: elements of the destination, since the arrangement is its own. No other tile has this channel
                    // at these places, and these bytes hold nothing else.
                    #[expect(unsafe_code, reason = "the runs are disjoint, which the compiler can't see")]
                    let to = unsafe { parts.part(offset, len) };
                    let from = &rows.bytes()[(line * row + own.start) * self.turned_element()..];
                    let from = &from[..own.len() / per_turned * self.turned_element()];
                    self.write_run(from, to, &mut scratch.cast, past_caches);
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
        let after = self.cast_after();
        if self.dst_int4 && !self.turns_packed() {
            let packed = &mut memory.bytes_mut()[..to.len()];
            int4::pack(from, packed);
            if past_caches { copy_past_caches(packed, to) } else { to.copy_from_slice(packed) }
        } else if !past_caches {
            after.run(from, to);
        } else if let Cast::Copy = after {
            copy_past_caches(from, to);
        } else {
            let cast = &mut memory.bytes_mut()[..to.len()];
            after.run(from, cast);
            copy_past_caches(cast, to);
        }
    }

    /// Fills places of the destination.
    fn write_places(&self, src: &[u8], dst: &mut [u8], past_caches: bool) {
        let Arrangement { channels, spatial, outer, blocks, lanes } = self.dst;
        let place_bytes = lanes * self.dst_element;
        let width = tile_channels(lanes, self.turned_element());
        let row = self.row(lanes) * self.places_per_turned();
        let runs = spatial.div_ceil(row);
        // Where the source's places belong to several blocks, those follow each other: what is read for one is soon read
        // for the others.
        let shares = if self.src.lanes > lanes { blocks } else { 1 };
        let part_of = |index: usize| {
            let (rest, run, block) = match shares {
                1 => (index / runs / blocks, index % runs, index / runs % blocks),
                _ => (index / blocks / runs, index / blocks % runs, index % blocks),
            };
            let (channel, start) = (block * lanes, run * row);
            Part { outer: rest, channel, count: lanes, start, places: row.min(spatial - start) }
        };
        let all_bytes = src.len() + dst.len();
        let parts = Parts::new(dst);
        in_parts(all_bytes, outer * runs * blocks, |units| {
            let memory = &mut Tiles::new();
            for index in units {
                let part = part_of(index);
                let Part { outer, channel, start, places, .. } = part;
                let offset = self.dst.offset(outer, channel, start) * self.dst_element;
                // SAFETY: places of the destination, since the arrangement is its own. No other unit has this block at
                // these places.
                #[expect(unsafe_code, reason = "the runs are disjoint, which the compiler can't see")]
                let run = unsafe { parts.part(offset, places * place_bytes) };
                let next = part_of(index + shares);
                for first in (0..lanes).step_by(width) {
                    let channel = channel + first;
                    let lanes = Lanes { all: lanes, first, count: width.min(lanes - first) };
                    let count = channels.saturating_sub(channel).min(lanes.count);
                    let next = Part { channel: next.channel + first, count, ..next };
                    let steps = if past_caches { run.len().div_ceil(STEP) } else { 0 };
                    let mut next = Ahead::new(self, src, next, (index % shares, shares), steps);
                    let part = Part { channel, count, ..part };
                    let run = Run { part, lanes, places: &mut *run };
                    self.write_lanes(src, run, memory, past_caches.then_some(&mut next));
                }
            }
            wait_for_stores();
        });
    }

    /// Fills some lanes of a run of places; past the caches if there is something to ask for meanwhile.
    fn write_lanes(&self, src: &[u8], run: Run<'_>, memory: &mut Tiles, mut next: Option<&mut Ahead<'_>>) {
        let Run { part, lanes, places: run } = run;
        let (row, per_turned) = (self.row(lanes.all), self.places_per_turned());
        let Tiles { rows, turned, scratch } = memory;
        let (keeps_pieces, element) = (self.keeps_pieces(), self.turned_element());
        let lanes_there = if keeps_pieces { lanes.count } else { padded(lanes.count, element) };
        if !keeps_pieces {
            self.read_rows(src, part, row, rows, scratch);
            let row_bytes = row * element;
            rows.bytes_mut()[part.count * row_bytes..lanes.count * row_bytes].fill(0);
            scatter(element, rows.bytes(), row, lanes, part.places / per_turned, turned);
        }
        let place_bytes = lanes.all * self.dst_element;
        let is_as_turned = !keeps_pieces && !self.turns_packed() && matches!(self.cast_after(), Cast::Copy);
        // Places are at most pieces of the narrower type, so there are several.
        let at_once = CAST_BYTES / (lanes_there * self.src_element.max(self.dst_element)) / per_turned * per_turned;
        let at_once = if is_as_turned { part.places } else { at_once };
        for (index, run) in run.chunks_mut(at_once * place_bytes).enumerate() {
            let (at, places) = (index * at_once, run.len() / place_bytes);
            let from = if keeps_pieces {
                self.fill_places(src, Part { start: part.start + at, places, ..part }, lanes_there, scratch);
                scratch.staged.bytes()
            } else {
                let bytes = |places: usize| places / per_turned * lanes_there * element;
                let mut turned = &turned.bytes()[bytes(at)..][..bytes(places)];
                let mut after = self.cast_after();
                if self.turns_packed() {
                    let unpacked = &mut scratch.staged.bytes_mut()[..places * lanes_there];
                    int4::unpack_places(turned, lanes_there, unpacked);
                    (turned, after) = (unpacked, self.cast);
                }
                if let Cast::Copy = after {
                    turned
                } else {
                    let cast = &mut scratch.cast.bytes_mut()[..places * lanes_there * self.dst_element];
                    after.run(turned, cast);
                    cast
                }
            };
            unstage(self.dst_element, from, lanes_there, lanes, run, |from, to| match &mut next {
                Some(next) => next.copy_and_ask(from, to),
                None => to.copy_from_slice(from),
            });
        }
    }
}

/// Memory of one task.
struct Tiles {
    rows: Tile,
    turned: Tile,
    scratch: Scratch,
}

impl Tiles {
    fn new() -> Self {
        Tiles { rows: Tile::new(), turned: Tile::new(), scratch: Scratch::new() }
    }
}

/// What holds nothing from one step to the next.
struct Scratch {
    pieces: Tile,
    cast: Tile,
    packed: Tile,
    staged: Tile,
}

impl Scratch {
    fn new() -> Self {
        Scratch { pieces: Tile::new(), cast: Tile::new(), packed: Tile::new(), staged: Tile::new() }
    }
}

/// Some lanes of a run of places of the destination, and what belongs to them.
struct Run<'a> {
    part: Part,
    lanes: Lanes,
    places: &'a mut [u8],
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
