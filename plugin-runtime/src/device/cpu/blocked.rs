//! Layouts that have their channels in the same dimension, tile by tile.

use super::cast::Cast;
use super::interleave::{Lanes, Tile, gather, scatter, tile_channels, tile_row};
use super::tasks::in_tasks;
use crate::tensor::Arrangement;

/// A tile is rows of one channel each, which are contiguous on a side of single lanes and otherwise gathered from places
/// or scattered to them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    pub(super) cast: Cast,
    pub(super) src: Arrangement,
    pub(super) dst: Arrangement,
    pub(super) src_element: usize,
    pub(super) dst_element: usize,
}

impl Blocked {
    pub(super) fn run(&self, src: &[u8], dst: &mut [u8]) {
        if self.dst.lanes == 1 {
            // Threads that share a group of channels would each read all of it.
            let group = tile_channels(self.src.lanes).min(self.dst.channels);
            let group_bytes = group * self.dst.spatial * self.dst_element;
            in_tasks(src.len(), dst, group_bytes, |first, rows| self.write_rows(src, first * group, rows));
        } else {
            let place_bytes = self.dst.lanes * self.dst_element;
            in_tasks(src.len(), dst, place_bytes, |first, places| self.write_places(src, first, places));
        }
    }

    /// Fills rows of the destination, of which `first` is the first one, counted through all batches.
    fn write_rows(&self, src: &[u8], first: usize, rows: &mut [u8]) {
        let Arrangement { channels, spatial, .. } = self.dst;
        let row_bytes = spatial * self.dst_element;
        let width = tile_channels(self.src.lanes);
        let places = tile_row(width, self.src_element);
        let Tiles { read, zipped, .. } = &mut Tiles::new();
        let end = first + rows.len() / row_bytes;
        let mut at = first;
        while at < end {
            let (outer, channel) = (at / channels, at % channels);
            let count = (width - channel % width).min(channels - channel).min(end - at);
            let group = &mut rows[(at - first) * row_bytes..][..count * row_bytes];
            for start in (0..spatial).step_by(places) {
                let part = Part { outer, channel, count, start, places: places.min(spatial - start) };
                self.gather(src, part, places, read, zipped);
                let gathered = read.bytes().chunks_exact(places * self.src_element);
                for (row, gathered) in group.chunks_exact_mut(row_bytes).zip(gathered) {
                    let to = &mut row[start * self.dst_element..][..part.places * self.dst_element];
                    self.cast.run(&gathered[..part.places * self.src_element], to);
                }
            }
            at += count;
        }
    }

    /// Fills places of the destination, of which `first` is the first one, counted through all batches and blocks.
    fn write_places(&self, src: &[u8], first: usize, places: &mut [u8]) {
        let Arrangement { spatial, blocks, lanes, .. } = self.dst;
        let place_bytes = lanes * self.dst_element;
        let width = tile_channels(lanes);
        let row = tile_row(width, self.src_element.max(self.dst_element));
        let mut tiles = Tiles::new();
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
                self.fill_tile(src, part, row, &mut tiles);
                let row_bytes = row * self.dst_element;
                tiles.cast.bytes_mut()[real * row_bytes..lanes.count * row_bytes].fill(0);
                scatter(self.dst_element, tiles.cast.bytes(), row, lanes, run, &mut tiles.zipped);
            }
            at += count;
        }
    }

    /// Rows of the destination's type in `tiles.cast`.
    fn fill_tile(&self, src: &[u8], part: Part, row: usize, tiles: &mut Tiles) {
        let Tiles { read, cast, zipped } = tiles;
        let to = cast.bytes_mut().chunks_exact_mut(row * self.dst_element).take(part.count);
        let to = to.map(|row| &mut row[..part.places * self.dst_element]);
        let row_bytes = part.places * self.src_element;
        if self.src.lanes == 1 {
            for (channel, to) in (part.channel..).zip(to) {
                let start = self.src.offset(part.outer, channel, part.start) * self.src_element;
                self.cast.run(&src[start..][..row_bytes], to);
            }
            return;
        }
        self.gather(src, part, row, read, zipped);
        for (from, to) in read.bytes().chunks_exact(row * self.src_element).zip(to) {
            self.cast.run(&from[..row_bytes], to);
        }
    }

    /// Rows of the source's type in `read`, from a source with places.
    fn gather(&self, src: &[u8], part: Part, row: usize, read: &mut Tile, zipped: &mut Tile) {
        let all = self.src.lanes;
        let mut done = 0;
        while done < part.count {
            let channel = part.channel + done;
            let first = channel % all;
            let lanes = Lanes { all, first, count: (all - first).min(part.count - done) };
            let start = self.src.offset(part.outer, channel - first, part.start) * self.src_element;
            let places = &src[start..][..part.places * all * self.src_element];
            let tile = &mut read.bytes_mut()[done * row * self.src_element..];
            gather(self.src_element, places, lanes, tile, row, zipped);
            done += lanes.count;
        }
    }
}

/// Memory of one task.
struct Tiles {
    read: Tile,
    cast: Tile,
    zipped: Tile,
}

impl Tiles {
    fn new() -> Self {
        Tiles { read: Tile::new(), cast: Tile::new(), zipped: Tile::new() }
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
