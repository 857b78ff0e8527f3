//! How a tensor's elements, with their bits as they are, get from one layout to another.

use bytemuck::{Pod, Zeroable};

use super::work::{Divider, Layout, NARROW};

/// Bytes of a word.
const WORD: u64 = 4;
/// Words of a tile at most, and with what keeps its rows apart.
const TILE_WORDS: u64 = 2048;
const STORED_TILE_WORDS: u64 = 3072;
/// Channels of a tile, where they have places enough to fill it.
const CHANNELS: u64 = 64;
/// With fewer words than this in each tile, most threads would have nothing to do.
const FEWEST_WORDS: u64 = TILE_WORDS / 4;
/// Words that one instruction moves at most.
const VECTOR: u64 = 4;
/// Words of a sector of memory.
const SECTOR: u64 = 8;

/// As in `transpose.cuh`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Transposition {
    source: Side,
    target: Side,
    channels: u32,
    channel_words: u32,
    tile_channels: u32,
    row_words: u32,
    row_step: u32,
    unused: u32,
    by_row_words: Divider,
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
    by_group_words: Divider,
}

/// Channels and words of a row that a tile has.
#[derive(Clone, Copy)]
struct Tile {
    channels: u64,
    row_words: u64,
}

impl Transposition {
    /// With the number of blocks, for elements of 1, 2 or 4 bytes. `None` where words of four bytes aren't whole elements
    /// of one channel on the one side and of one place on the other, or would leave too much of each tile empty.
    pub(super) fn new(source: &Layout, target: &Layout, bytes: u64) -> Option<(Transposition, u32)> {
        let per_word = WORD / bytes;
        let is_whole = |side: &Layout| side.lanes == 1 || side.lanes.is_multiple_of(per_word);
        if !target.spatial.is_multiple_of(per_word) || !is_whole(source) || !is_whole(target) {
            return None;
        }
        let channel_words = target.spatial / per_word;
        let padded = source.channels.max(target.blocks * target.lanes);
        let tile = Tile::new(unit(source, per_word)?.max(unit(target, per_word)?), padded, channel_words);
        let (channel_tiles, place_tiles) = (padded.div_ceil(tile.channels), channel_words.div_ceil(tile.row_words));
        let blocks = channel_tiles.checked_mul(place_tiles)?.checked_mul(target.outer)?;
        if blocks >= NARROW || target.outer * padded * channel_words < blocks * FEWEST_WORDS {
            return None;
        }
        let work = Transposition {
            source: Side::new(source, tile.channels, per_word)?,
            target: Side::new(target, tile.channels, per_word)?,
            channels: source.channels as u32,
            channel_words: channel_words as u32,
            tile_channels: tile.channels as u32,
            row_words: tile.row_words as u32,
            row_step: tile.row_step() as u32,
            unused: 0,
            by_row_words: Divider::new(tile.row_words),
            by_place_tiles: Divider::new(place_tiles),
            by_channel_tiles: Divider::new(channel_tiles),
        };
        Some((work, blocks as u32))
    }
}

/// What the channels of a tile are a multiple of, for a side. `None` where that is more than a tile has.
fn unit(side: &Layout, per_word: u64) -> Option<u64> {
    match side {
        Layout { lanes: 1, .. } => Some(1),
        Layout { blocks: 1, .. } => Some(per_word),
        Layout { lanes, .. } => Some(*lanes).filter(|&lanes| lanes <= CHANNELS && CHANNELS.is_multiple_of(lanes)),
    }
}

impl Tile {
    fn new(unit: u64, padded: u64, channel_words: u64) -> Tile {
        let even = |all: u64, most: u64| all.div_ceil(all.div_ceil(most));
        // Where places are few, more channels fill the tile.
        let most_channels = (TILE_WORDS / channel_words.max(1)).max(CHANNELS);
        let most_channels = most_channels.min(padded.next_multiple_of(unit));
        let mut channels = even(padded, most_channels).next_multiple_of(unit);
        if channels * channel_words > TILE_WORDS && channels > CHANNELS {
            channels = CHANNELS;
        }
        let most_words = TILE_WORDS / channels;
        let mut row_words = even(channel_words, most_words);
        if row_words < channel_words && row_words.next_multiple_of(SECTOR) <= most_words {
            row_words = row_words.next_multiple_of(SECTOR);
        }
        let tile = Tile { channels, row_words };
        debug_assert!(tile.channels * tile.row_words <= TILE_WORDS);
        debug_assert!(tile.channels * tile.row_step() <= STORED_TILE_WORDS);
        tile
    }

    /// Odd, so that the words of a column are in different banks.
    fn row_step(self) -> u64 {
        self.row_words | 1
    }
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
        let at_once = place_words * per_word;
        let is_vector = whole && at_once <= VECTOR && matches!(at_once, 2 | 4);
        Some(Side {
            outer_words: u32::try_from(blocks * block_words).ok()?,
            block_words: u32::try_from(block_words).ok()?,
            place_words: place_words as u32,
            blocks: blocks as u32,
            groups: (tile_channels / group_channels) as u32,
            group_channels: group_channels as u32,
            partial: u32::from(!whole),
            vector: if is_vector { at_once as u32 } else { 0 },
            by_group_words: Divider::new((group_channels / per_word).max(1)),
        })
    }
}
