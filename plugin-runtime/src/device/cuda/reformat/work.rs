//! Parameters of reformats: layouts, conversions and tiles, as kernels read them.

use bytemuck::{Pod, Zeroable};

use crate::tensor::{Arrangement, DataType, Format, Representation};

/// Elements per thread.
pub(super) const COUNT: u64 = 8;
/// Threads per block.
pub(super) const THREADS: u32 = 256;
/// Elements per tile.
const TILE_ELEMENTS: u64 = COUNT * THREADS as u64;
/// The most channels per tile.
const TILE_CHANNELS: u64 = 32;
/// The most tiles per block.
pub(super) const MOST_AT_ONCE: u64 = 4;
/// Fewer elements than this can be counted and divided in 32 bits.
pub(super) const NARROW: u64 = 1 << 31;

/// Bytes of a word, which addresses have to be a multiple of where words are moved.
pub(super) const WORD_BYTES: u64 = 4;

/// As in `reformat.cuh`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Work {
    conversion: Conversion,
    elements: u64,
    nesting: u64,
    source: Layout,
    target: Layout,
    by_source_lanes: Divider,
    by_target_lanes: Divider,
    by_target_spatial: Divider,
    by_target_blocks: Divider,
    by_nested: Divider,
    by_quarter_row: Divider,
    pub(super) tiling: Tiling,
    extents: u64,
    rank: u64,
}

impl Work {
    /// `elements` of the target, padding counted.
    pub(super) fn new(conversion: Conversion, elements: u64, nesting: Nesting, source: Layout, target: Layout) -> Work {
        let nested = if nesting == Nesting::SourceDeeper { source.channels } else { source.spatial };
        Work {
            conversion,
            elements,
            nesting: nesting as u64,
            source,
            target,
            by_source_lanes: Divider::new(source.lanes),
            by_target_lanes: Divider::new(target.lanes),
            by_target_spatial: Divider::new(target.spatial),
            by_target_blocks: Divider::new(target.blocks),
            by_nested: Divider::new(nested),
            by_quarter_row: Divider::new(quarter_row(nesting, &source, &target).unwrap_or(0)),
            tiling: Tiling::zeroed(),
            extents: 0,
            rank: 0,
        }
    }

    /// Converts only up to the true extents, which the device has at an address. Both sides are LINEAR.
    pub(super) fn up_to(&mut self, extents: u64, rank: usize) {
        (self.extents, self.rank) = (extents, rank as u64);
    }
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Conversion {
    from: u32,
    to: u32,
    multiply: f32,
    divide: f32,
    pub(super) copies: u32,
    pub(super) scales: u32,
    rounds: u32,
    pub(super) source_bytes: u32,
    pub(super) target_bytes: u32,
    unused: u32,
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Layout {
    pub(super) outer: u64,
    pub(super) channels: u64,
    pub(super) spatial: u64,
    pub(super) blocks: u64,
    pub(super) lanes: u64,
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Divider {
    divisor: u64,
    multiplier: u32,
    shift: u32,
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Tiling {
    channels: u32,
    places: u32,
    source_lanes: u32,
    target_lanes: u32,
    pub(super) at_once: u32,
    unused: u32,
    by_places: Divider,
    by_source_lanes: Divider,
    by_target_lanes: Divider,
    by_place_groups: Divider,
    by_channel_tiles: Divider,
}

/// How the channels of the two sides relate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    Same = 0,
    /// The source has a depth behind its channels, which are a part of the target's batch.
    SourceDeeper = 1,
    TargetDeeper = 2,
}

impl Nesting {
    pub(super) fn of(from: Format, to: Format, source: &Arrangement, target: &Arrangement) -> Nesting {
        let axes = |side: &Arrangement| (side.outer, side.channels, side.spatial);
        match (from.spatial_dims(), to.spatial_dims()) {
            (Some(from), Some(to)) if from != to && axes(source) != axes(target) => {
                if from > to {
                    Nesting::SourceDeeper
                } else {
                    Nesting::TargetDeeper
                }
            }
            _ => Nesting::Same,
        }
    }
}

/// A quarter of the groups of elements that the target has from one of the source's channels to the next, where that is all that
/// eight neighbouring channels have.
fn quarter_row(nesting: Nesting, source: &Layout, target: &Layout) -> Option<u64> {
    let elements = match nesting {
        Nesting::Same => return None,
        Nesting::SourceDeeper => target.blocks * target.spatial * target.lanes,
        Nesting::TargetDeeper => source.spatial * target.lanes,
    };
    let whole = source.channels.is_multiple_of(COUNT) && elements.is_multiple_of(4 * COUNT);
    whole.then_some(elements / (4 * COUNT))
}

impl Conversion {
    pub(super) fn new(from: Representation, to: Representation) -> Conversion {
        let scales = from.scale != 1.0 || to.scale != 1.0;
        Conversion {
            from: code(from.dtype),
            to: code(to.dtype),
            multiply: from.scale,
            divide: to.scale,
            copies: u32::from(from.dtype == to.dtype && from.scale == to.scale),
            scales: u32::from(scales),
            rounds: u32::from(to.dtype == DataType::Int8),
            source_bytes: from.dtype.bits() / 8,
            target_bytes: to.dtype.bits() / 8,
            unused: 0,
        }
    }
}

fn code(dtype: DataType) -> u32 {
    match dtype {
        DataType::Float32 => 0,
        DataType::Float16 => 1,
        DataType::BFloat16 => 2,
        DataType::Float8 => 3,
        DataType::Int64 => 4,
        DataType::Int32 => 5,
        DataType::Int8 => 6,
        DataType::UInt8 => 7,
        DataType::Int4 => 8,
        DataType::Bool => 9,
    }
}

impl Layout {
    pub(super) fn new(arrangement: &Arrangement) -> Layout {
        let Arrangement { outer, channels, spatial, blocks, lanes } = *arrangement;
        let [outer, channels, spatial, blocks, lanes] = [outer, channels, spatial, blocks, lanes].map(|n| n as u64);
        Layout { outer, channels, spatial, blocks, lanes }
    }
}

impl Divider {
    pub(super) fn new(divisor: u64) -> Divider {
        if divisor == 0 || divisor >= NARROW {
            return Divider { divisor, multiplier: 0, shift: 0 };
        }
        // With 2^shift >= divisor, n * multiplier / 2^(31 + shift) is n / divisor and less than 1 / divisor more, for all
        // n below 2^31.
        let shift = u64::BITS - (divisor - 1).leading_zeros();
        let multiplier = (1u64 << (31 + shift)).div_ceil(divisor) as u32;
        Divider { divisor, multiplier, shift }
    }
}

impl Tiling {
    /// With the number of blocks. `None` where too much of each tile would be empty.
    pub(super) fn new(source: &Layout, target: &Layout, most_at_once: u64) -> Option<(Tiling, u32)> {
        let padded = target.blocks * target.lanes;
        let unit = |lanes: u64| if lanes > 1 && TILE_CHANNELS.is_multiple_of(lanes) { lanes } else { 8 };
        let channels = if padded <= TILE_CHANNELS {
            padded
        } else {
            let even = padded.div_ceil(padded.div_ceil(TILE_CHANNELS));
            even.next_multiple_of(unit(source.lanes).max(unit(target.lanes)))
        };
        let most_places = TILE_ELEMENTS / channels / 8 * 8;
        let places = target.spatial.div_ceil(target.spatial.div_ceil(most_places)).next_multiple_of(8);
        let (channel_tiles, place_tiles) = (padded.div_ceil(channels), target.spatial.div_ceil(places));
        let tiles = channel_tiles.checked_mul(place_tiles)?.checked_mul(target.outer)?;
        let elements = target.outer * padded * target.spatial;
        if tiles >= NARROW || elements < tiles * (TILE_ELEMENTS / 2) {
            return None;
        }
        let at_once = place_tiles.min(most_at_once);
        let place_groups = place_tiles.div_ceil(at_once);
        let lanes = |all: u64| if channels.is_multiple_of(all) { all } else { channels };
        let tiling = Tiling {
            channels: channels as u32,
            places: places as u32,
            source_lanes: lanes(source.lanes) as u32,
            target_lanes: lanes(target.lanes) as u32,
            at_once: at_once as u32,
            unused: 0,
            by_places: Divider::new(places),
            by_source_lanes: Divider::new(lanes(source.lanes)),
            by_target_lanes: Divider::new(lanes(target.lanes)),
            by_place_groups: Divider::new(place_groups),
            by_channel_tiles: Divider::new(channel_tiles),
        };
        Some((tiling, (channel_tiles * place_groups * target.outer) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividers_divide() {
        let divide = |n: u64, by: &Divider| (2 * n * u64::from(by.multiplier)) >> 32 >> by.shift;
        let largest = NARROW - 1;
        let divisors = (1..2000).chain((0..31).flat_map(|p| [(1 << p) + 1, 1 << p])).chain(largest - 5..=largest);
        for divisor in divisors.filter(|&divisor| divisor <= largest) {
            let by = Divider::new(divisor);
            let multiples = [1, 2, 3, largest / divisor / 2, largest / divisor].map(|n| n * divisor);
            let numbers = multiples.into_iter().flat_map(|n| [n.saturating_sub(1), n, n + 1]);
            for n in numbers.chain([0, 7, 1 << 30, largest - 1, largest]).filter(|&n| n <= largest) {
                assert_eq!(divide(n, &by), n / divisor, "{n} / {divisor}");
            }
        }
    }
}
