//! How a tensor's elements get from one layout to another, with their bits as they are or converted.

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
/// Elements that a thread converts at a time.
const CONVERTED: u64 = 8;

/// Bytes of an element on both sides. Those of half a byte count as one, which they have in a tile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ElementBytes {
    pub(super) source: u64,
    pub(super) target: u64,
}

impl ElementBytes {
    /// 0 stands for half a byte.
    pub(super) fn new(source: u64, target: u64) -> ElementBytes {
        ElementBytes { source: source.max(1), target: target.max(1) }
    }
}

/// What a tile has of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tiled {
    /// What both sides have.
    Copied,
    /// What the source has; it is converted on its way out, several at a time.
    Source,
    /// A byte, whatever the sides have.
    Int8,
}

/// As in `transpose.cuh`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Transposition {
    source: Side,
    target: Side,
    channels: u32,
    channel_words: u32,
    places: u32,
    tile_channels: u32,
    row_bits: u32,
    row_step: u32,
    by_place_tiles: Divider,
    by_channel_tiles: Divider,
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
struct Side {
    outer_words: u32,
    block_words: u32,
    place_words: u32,
    pairs: u32,
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
    /// of one channel on the one side and of one place or two on the other, or would leave too much of each tile empty.
    pub(super) fn new(
        source: &Layout,
        target: &Layout,
        bytes: ElementBytes,
        tiled: Tiled,
    ) -> Option<(Transposition, u32)> {
        let (source_per_word, target_per_word) = (WORD_BYTES / bytes.source, WORD_BYTES / bytes.target);
        let per_word = if tiled == Tiled::Int8 { WORD_BYTES } else { source_per_word };
        let most_written = match tiled {
            Tiled::Source => most_converted(per_word, target_per_word),
            Tiled::Copied | Tiled::Int8 => most_words(target_per_word),
        };
        let sides = [(source, source_per_word, most_words(source_per_word)), (target, target_per_word, most_written)];
        let sides = sides.map(|(layout, per_word, most_words)| Words { layout, per_word, most_words });
        let can_be = |side: &Words| side.are_of_rows() || side.are_of_places() || side.are_pairs();
        if !target.spatial.is_multiple_of(per_word)
            || !sides.iter().all(can_be)
            || (tiled == Tiled::Source && sides[1].are_pairs())
        {
            return None;
        }
        let channel_words = target.spatial / per_word;
        let padded = source.channels.max(target.blocks * target.lanes);
        let unit = sides[0].unit()?.max(sides[1].unit()?);
        // Where places are few, more channels fill the tile.
        let most_channels = TILE_WORDS / channel_words.next_power_of_two().min(TILE_WORDS);
        let most_channels = most_channels.clamp(CHANNELS, padded.next_multiple_of(unit).max(CHANNELS));
        let tile_channels = padded.div_ceil(padded.div_ceil(most_channels)).next_multiple_of(unit);
        let rows = tile_channels.max(sides[0].rows(tile_channels)?).max(sides[1].rows(tile_channels)?);
        let fewest_words = if tiled == Tiled::Copied { 1 } else { CONVERTED / per_word };
        let row_words = channel_words.next_power_of_two().clamp(fewest_words, MOST_ROW_WORDS);
        let row_words = row_words.min(previous_power_of_two(TILE_WORDS / rows)?);
        let (channel_tiles, place_tiles) = (padded.div_ceil(tile_channels), channel_words.div_ceil(row_words));
        let blocks = channel_tiles.checked_mul(place_tiles)?.checked_mul(target.outer)?;
        // Odd, so that the words of a column are in different banks.
        let row_step = row_words | 1;
        if blocks >= NARROW
            || row_words < fewest_words
            || tile_channels * row_step > STORED_TILE_WORDS
            || target.outer * padded * channel_words < blocks * FEWEST_WORDS
        {
            return None;
        }
        let work = Transposition {
            source: sides[0].side(tile_channels)?,
            target: sides[1].side(tile_channels)?,
            channels: source.channels as u32,
            channel_words: channel_words as u32,
            places: u32::try_from(target.spatial).ok()?,
            tile_channels: tile_channels as u32,
            row_bits: row_words.ilog2(),
            row_step: row_step as u32,
            by_place_tiles: Divider::new(place_tiles),
            by_channel_tiles: Divider::new(channel_tiles),
        };
        Some((work, blocks as u32))
    }
}

fn previous_power_of_two(n: u64) -> Option<u64> {
    Some(1 << n.checked_ilog2()?)
}

/// Words that a thread moves with one instruction, at most, of so many elements each.
fn most_words(per_word: u64) -> u64 {
    // More words of single bytes would leave half as many to be read or written at a time.
    if per_word == WORD_BYTES { 1 } else { VECTOR }
}

/// Words that a thread writes with one instruction: all of what it converts at a time. As in `transpose_cast.cuh`.
fn most_converted(per_word: u64, target_per_word: u64) -> u64 {
    (CONVERTED / (per_word * target_per_word)).clamp(1, VECTOR)
}

/// The words of a side.
struct Words<'l> {
    layout: &'l Layout,
    per_word: u64,
    most_words: u64,
}

impl Words<'_> {
    /// Whether a word has neighbouring places of one channel.
    fn are_of_rows(&self) -> bool {
        self.layout.lanes == 1
    }

    /// Whether a word has neighbouring channels of one place.
    fn are_of_places(&self) -> bool {
        self.layout.lanes.is_multiple_of(self.per_word)
    }

    /// Whether a word has two channels of two places.
    fn are_pairs(&self) -> bool {
        self.layout.lanes == 2 && self.per_word == 4
    }

    /// What the channels of a tile are a multiple of. `None` where that is more than a tile has.
    fn unit(&self) -> Option<u64> {
        match *self.layout {
            Layout { lanes: 1, .. } => Some(1),
            Layout { blocks: 1, .. } if !self.are_pairs() => Some(self.per_word * self.vector()),
            Layout { lanes, .. } => Some(lanes).filter(|&lanes| lanes <= CHANNELS && CHANNELS.is_multiple_of(lanes)),
        }
    }

    /// Words of a place, or of two.
    fn of_place(&self) -> u64 {
        match self.layout.lanes {
            1 => 0,
            lanes => lanes.div_ceil(self.per_word),
        }
    }

    /// Neighbouring words of a place that a thread moves at once.
    fn vector(&self) -> u64 {
        let fits = |&words: &u64| words <= self.most_words && self.of_place().is_multiple_of(words);
        [4, 2].into_iter().find(fits).unwrap_or(1)
    }

    /// `None` where the channels of a tile are neither whole blocks nor part of the only one.
    fn side(&self, tile_channels: u64) -> Option<Side> {
        let Layout { lanes, spatial, blocks, .. } = *self.layout;
        let block_words = spatial * lanes / self.per_word;
        let whole = tile_channels.is_multiple_of(lanes);
        if !whole && blocks > 1 {
            return None;
        }
        let group_channels = if whole { lanes } else { tile_channels };
        let vector = self.vector();
        let vectors = (group_channels / self.per_word / vector).max(1);
        Some(Side {
            outer_words: u32::try_from(blocks * block_words).ok()?,
            block_words: u32::try_from(block_words).ok()?,
            place_words: self.of_place() as u32,
            pairs: u32::from(self.are_pairs()),
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
    fn rows(&self, tile_channels: u64) -> Option<u64> {
        let side = self.side(tile_channels)?;
        let of_unit = if self.are_pairs() { 2 } else { self.per_word * u64::from(side.vector) };
        Some(if self.are_of_rows() { 0 } else { u64::from(side.groups) * (of_unit << side.vector_bits) })
    }
}
