//! Layouts that have their channels in different dimensions, tile by tile.
//!
//! A tile has a row of places for each pair of a channel of the source and one of the destination. Places of the source are
//! gathered to rows once for each of the destination's channels, rows are scattered to places of the destination once for
//! each of the source's.

use std::ops::Range;

use super::cast::Cast;
use super::chunks::Parts;
use super::interleave::{Lanes, PIECE_BYTES, TILE_BYTES, Tile, VECTOR, gather, padded, scatter, unstage};
use super::lines::{LINE, copy_past_caches, wait_for_stores};
use super::tasks::in_parts;
use super::threads::STREAM_BYTES;
use super::vector::prefetch;
use crate::tensor::Arrangement;

/// Bytes of a tile: with a vector in each row, pairs of as many channels as fill lines on both sides.
const ROWS_BYTES: usize = 64 << 10;

/// The sides' channels are in two dimensions that follow each other: what one side has as channels, the other has among its
/// batches or places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossed {
    cast: Cast,
    src: Side,
    dst: Side,
    /// Of the dimensions before both.
    batches: usize,
    /// Of the dimensions behind both.
    places: usize,
    sizes: Sizes,
}

/// Where a side has its elements. Distances are bytes.
#[derive(Clone, Copy, Debug)]
struct Side {
    channels: usize,
    blocks: usize,
    lanes: usize,
    element: usize,
    batch_apart: usize,
    block_apart: usize,
    /// Of the other side's channels.
    other_apart: usize,
}

impl Side {
    fn new(of: Arrangement, element: usize, other: Arrangement) -> Side {
        let block_apart = of.spatial * of.lanes * element;
        let all_apart = of.blocks * block_apart;
        let Arrangement { channels, blocks, lanes, .. } = of;
        if of.outer > other.outer || of.spatial < other.spatial {
            // The other side's channels are outside of this one's.
            let batch_apart = other.channels * all_apart;
            Side { channels, blocks, lanes, element, batch_apart, block_apart, other_apart: all_apart }
        } else {
            let other_apart = block_apart / other.channels.max(1);
            Side { channels, blocks, lanes, element, batch_apart: all_apart, block_apart, other_apart }
        }
    }

    fn place_bytes(&self) -> usize {
        self.lanes * self.element
    }

    /// The places of one block, for one channel of the other side.
    fn run(&self, batch: usize, block: usize, other: usize, places: &Run) -> Range<usize> {
        let first = batch * self.batch_apart + block * self.block_apart + other * self.other_apart;
        let start = first + places.start * self.place_bytes();
        start..start + places.count * self.place_bytes()
    }
}

/// Some of the places.
struct Run {
    start: usize,
    count: usize,
}

/// How large a tile is.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    src_lanes: usize,
    dst_lanes: usize,
    /// Rows of all pairs with one channel of the destination, some of which may be padding.
    rows: usize,
    row: usize,
}

impl Sizes {
    fn new(src_lanes: usize, dst_lanes: usize, places: usize, element: usize) -> Sizes {
        // Narrower elements are padded to more lanes.
        let padded = |lanes: usize| padded(lanes, 1);
        let pairs = ROWS_BYTES / (VECTOR * element);
        let least_src = src_lanes.min(LINE / element);
        let dst_lanes = dst_lanes.min(PIECE_BYTES / element).min(pairs / padded(least_src));
        let most_src = (pairs / padded(dst_lanes) / VECTOR * VECTOR).min(TILE_BYTES / (VECTOR * element));
        let src_lanes = src_lanes.min(most_src);
        let (rows, columns) = (padded(src_lanes), padded(dst_lanes));
        let room = (ROWS_BYTES / (rows * columns)).min(TILE_BYTES / rows.max(columns)) / element;
        Sizes { src_lanes, dst_lanes, rows, row: (room / VECTOR * VECTOR).min(places.next_multiple_of(VECTOR)) }
    }
}

impl Crossed {
    pub(super) fn new(
        cast: Cast,
        (src, src_element): (Arrangement, usize),
        (dst, dst_element): (Arrangement, usize),
    ) -> Crossed {
        let places = src.spatial.min(dst.spatial);
        Crossed {
            cast,
            src: Side::new(src, src_element, dst),
            dst: Side::new(dst, dst_element, src),
            batches: src.outer.min(dst.outer),
            places,
            sizes: Sizes::new(src.lanes, dst.lanes, places, src_element.max(dst_element)),
        }
    }

    pub(super) fn run(&self, src: &[u8], dst: &mut [u8]) {
        self.run_by(src, dst, dst.len() >= STREAM_BYTES);
    }

    /// Through the caches or past them. There is something to write.
    pub(super) fn run_by(&self, src: &[u8], dst: &mut [u8], past_caches: bool) {
        let all_bytes = src.len() + dst.len();
        let parts = Parts::new(dst);
        in_parts(all_bytes, self.batches * self.dst.blocks * self.runs() * self.src_groups(), |units| {
            let memory = &mut Memory::new();
            for index in units {
                self.run_unit(src, &self.unit(index), memory, |range, from, lanes| {
                    // SAFETY: elements of the destination, since the side is its own. No other unit has this block at
                    // these places for any of these channels of the source.
                    #[expect(unsafe_code, reason = "the runs are disjoint, which the compiler can't see")]
                    let to = unsafe { parts.part(range.start, range.len()) };
                    let lanes_there = padded(lanes.count, self.dst.element);
                    unstage(self.dst.element, from.bytes(), lanes_there, lanes, to, |from, to| match past_caches {
                        true => copy_past_caches(from, to),
                        false => to.copy_from_slice(from),
                    });
                });
            }
            wait_for_stores();
        });
    }

    fn runs(&self) -> usize {
        self.places.div_ceil(self.sizes.row)
    }

    /// In how many groups tiles have the lanes of all blocks of the source.
    fn src_groups(&self) -> usize {
        self.src.blocks * self.src.lanes.div_ceil(self.sizes.src_lanes)
    }

    /// All groups of a run follow each other: who reads a part of a place soon reads the rest of it.
    fn unit(&self, index: usize) -> Unit {
        let Sizes { src_lanes, row, .. } = self.sizes;
        let (all_groups, runs) = (self.src_groups(), self.runs());
        let (group, rest) = (index % all_groups, index / all_groups);
        let (run, rest) = (rest % runs, rest / runs);
        let groups = self.src.lanes.div_ceil(src_lanes);
        let (start, first) = (run * row, group % groups * src_lanes);
        Unit {
            batch: rest / self.dst.blocks,
            dst_block: rest % self.dst.blocks,
            src_block: group / groups,
            src_lanes: Lanes { all: self.src.lanes, first, count: src_lanes.min(self.src.lanes - first) },
            run: Run { start, count: row.min(self.places - start) },
        }
    }

    /// Calls `write` with each run of the destination and what belongs to some lanes of it.
    fn run_unit(&self, src: &[u8], unit: &Unit, memory: &mut Memory, write: impl Fn(Range<usize>, &Tile, Lanes)) {
        let Sizes { dst_lanes: width, rows, row, .. } = self.sizes;
        let Unit { batch, dst_block, src_block, src_lanes, ref run } = *unit;
        let src_channel = src_block * self.src.lanes + src_lanes.first;
        let src_channels = src_channel..self.src.channels.min(src_channel + src_lanes.count);
        let row_bytes = row * self.dst.element;
        // A line more, so that rows to be scattered together don't take the same places of the caches.
        let (rows_bytes, rows_apart) = (rows * row_bytes, rows * row_bytes + LINE);
        for first in (0..self.dst.lanes).step_by(width) {
            let lanes = Lanes { all: self.dst.lanes, first, count: width.min(self.dst.lanes - first) };
            let dst_channel = dst_block * self.dst.lanes + first;
            let real = self.dst.channels.saturating_sub(dst_channel).min(lanes.count);
            for (index, rows) in memory.rows.0.chunks_exact_mut(rows_apart).take(real).enumerate() {
                let places = &src[self.src.run(batch, src_block, dst_channel + index, run)];
                if index + 1 < real {
                    prefetch(&src[self.src.run(batch, src_block, dst_channel + index + 1, run)]);
                }
                self.read(places, src_lanes, &mut rows[..rows_bytes], &mut memory.read, &mut memory.staged);
            }
            memory.rows.0[real * rows_apart..lanes.count * rows_apart].fill(0);
            for (index, src_channel) in src_channels.clone().enumerate() {
                let rows = &memory.rows.0[index * row_bytes..];
                scatter(self.dst.element, rows, rows_apart / self.dst.element, lanes, run.count, &mut memory.staged);
                write(self.dst.run(batch, dst_block, src_channel, run), &memory.staged, lanes);
            }
        }
    }

    /// Rows of the destination's type from places of the source.
    fn read(&self, places: &[u8], lanes: Lanes, rows: &mut [u8], read: &mut Tile, staged: &mut Tile) {
        let (element, row) = (self.src.element, self.sizes.row);
        if let Cast::Copy = self.cast {
            gather(element, places, lanes, rows, row, staged);
            return;
        }
        let read = &mut read.bytes_mut()[..self.sizes.rows * row * element];
        gather(element, places, lanes, read, row, staged);
        self.cast.run(read, rows);
    }
}

/// What is written at once: one block of the destination at some places, for some channels of the source.
struct Unit {
    batch: usize,
    dst_block: usize,
    src_block: usize,
    src_lanes: Lanes,
    run: Run,
}

/// Memory of one task.
struct Memory {
    rows: Rows,
    read: Tile,
    staged: Tile,
}

#[repr(C, align(64))]
struct Rows([u8; ROWS_BYTES + PIECE_BYTES * LINE]);

impl Memory {
    fn new() -> Self {
        Memory { rows: Rows([0; ROWS_BYTES + PIECE_BYTES * LINE]), read: Tile::new(), staged: Tile::new() }
    }
}
