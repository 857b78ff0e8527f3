//! How a tensor's elements, with their bits as they are, get from one layout to another.

use bytemuck::{Pod, Zeroable};

use super::work::{Divider, Layout, NARROW, WORD_BYTES};

/// Words of a tile at most, and with what keeps its rows apart.
const TILE_WORDS: u64 = 2048;
const STORED_TILE_WORDS: u64 = 3072;
/// Channels of a tile, where they have places enough to fill it.
const CHANNELS: u64 = 64;
/// With fewer words than this in each tile, most threads would have nothing to do.
const FEWEST_WORDS: u64 = TILE_WORDS / 4;
/// Words that a thread moves with one instruction, at most.
const VECTOR: u64 = 4;
/// The most words of a row: one a thread of a block.
const MOST_ROW_WORDS: u64 = 256;

/// As in `transpose.cuh`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Transposition {
    source: Side,
    target: Side,
    channels: u32,
    channel_words: u32,
    tile_channels: u32,
    row_bits: u32,
    row_step: u32,
    unused: u32,
    by_place_tiles: Divider,
    by_channel_tiles: Divider,
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
struct Side {
    outer_words: u32,
    block_words: u32,
    place_words: u32,
    blocks: u32,
    groups: u32,
    group_channels: u32,
    partial: u32,
    vector: u32,
    vectors: u32,
    vector_bits: u32,
}

impl Transposition {
    /// With the number of blocks, for elements of 1, 2 or 4 bytes. `None` where words of four bytes aren't whole elements
    /// of one channel on the one side and of one place on the other, or would leave too much of each tile empty.
    pub(super) fn new(source: &Layout, target: &Layout, bytes: u64) -> Option<(Transposition, u32)> {
        let per_word = WORD_BYTES / bytes;
        let is_whole = |side: &Layout| side.lanes == 1 || side.lanes.is_multiple_of(per_word);
        if !target.spatial.is_multiple_of(per_word) || !is_whole(source) || !is_whole(target) {
            return None;
        }
        let channel_words = target.spatial / per_word;
        let padded = source.channels.max(target.blocks * target.lanes);
        let unit = unit(source, per_word)?.max(unit(target, per_word)?);
        // Where places are few, more channels fill the tile.
        let most_channels = TILE_WORDS / channel_words.next_power_of_two().min(TILE_WORDS);
        let most_channels = most_channels.clamp(CHANNELS, padded.next_multiple_of(unit).max(CHANNELS));
        let tile_channels = padded.div_ceil(padded.div_ceil(most_channels)).next_multiple_of(unit);
        let sides = [Side::new(source, tile_channels, per_word)?, Side::new(target, tile_channels, per_word)?];
        let rows = sides.iter().map(|side| side.rows(per_word)).fold(tile_channels, u64::max);
        let row_words =
            channel_words.next_power_of_two().min(MOST_ROW_WORDS).min(previous_power_of_two(TILE_WORDS / rows)?);
        let (channel_tiles, place_tiles) = (padded.div_ceil(tile_channels), channel_words.div_ceil(row_words));
        let blocks = channel_tiles.checked_mul(place_tiles)?.checked_mul(target.outer)?;
        // Odd, so that the words of a column are in different banks.
        let row_step = row_words | 1;
        if blocks >= NARROW
            || tile_channels * row_step > STORED_TILE_WORDS
            || target.outer * padded * channel_words < blocks * FEWEST_WORDS
        {
            return None;
        }
        let [source_side, target_side] = sides;
        let work = Transposition {
            source: source_side,
            target: target_side,
            channels: source.channels as u32,
            channel_words: channel_words as u32,
            tile_channels: tile_channels as u32,
            row_bits: row_words.ilog2(),
            row_step: row_step as u32,
            unused: 0,
            by_place_tiles: Divider::new(place_tiles),
            by_channel_tiles: Divider::new(channel_tiles),
        };
        Some((work, blocks as u32))
    }
}

fn previous_power_of_two(n: u64) -> Option<u64> {
    Some(1 << n.checked_ilog2()?)
}

/// What the channels of a tile are a multiple of, for a side. `None` where that is more than a tile has.
fn unit(side: &Layout, per_word: u64) -> Option<u64> {
    match side {
        Layout { lanes: 1, .. } => Some(1),
        Layout { blocks: 1, lanes, .. } => Some(per_word * vector(lanes / per_word, per_word)),
        Layout { lanes, .. } => Some(*lanes).filter(|&lanes| lanes <= CHANNELS && CHANNELS.is_multiple_of(lanes)),
    }
}

/// Neighbouring words of a place that a thread moves at once, of so many that a place has.
fn vector(place_words: u64, per_word: u64) -> u64 {
    // More words of single bytes would leave half as many to be read or written at a time.
    let most = if per_word == WORD_BYTES { 1 } else { VECTOR };
    [4, 2].into_iter().find(|&words| words <= most && place_words.is_multiple_of(words)).unwrap_or(1)
}

impl Side {
    /// `None` where the channels of a tile are neither whole blocks nor part of the only one.
    fn new(layout: &Layout, tile_channels: u64, per_word: u64) -> Option<Side> {
        let Layout { lanes, spatial, blocks, .. } = *layout;
        let place_words = lanes / per_word;
        let channel_words = spatial / per_word;
        let (block_words, place_words) =
            if lanes == 1 { (channel_words, 0) } else { (spatial * place_words, place_words) };
        let whole = tile_channels.is_multiple_of(lanes);
        if !whole && blocks > 1 {
            return None;
        }
        let group_channels = if whole { lanes } else { tile_channels };
        let vector = vector(place_words, per_word);
        let vectors = (group_channels / per_word / vector).max(1);
        Some(Side {
            outer_words: u32::try_from(blocks * block_words).ok()?,
            block_words: u32::try_from(block_words).ok()?,
            place_words: place_words as u32,
            blocks: blocks as u32,
            groups: (tile_channels / group_channels) as u32,
            group_channels: group_channels as u32,
            partial: u32::from(!whole),
            vector: vector as u32,
            vectors: vectors as u32,
            vector_bits: vectors.next_power_of_two().ilog2(),
        })
    }

    /// Rows of a tile, as many as threads count in it.
    fn rows(&self, per_word: u64) -> u64 {
        match self.place_words {
            0 => 0,
            _ => u64::from(self.groups) * ((per_word * u64::from(self.vector)) << self.vector_bits),
        }
    }
}
