//! Kernel, launch dimensions and parameters of a reformat, from types, layouts and extents.

use bytemuck::{Pod, Zeroable};

use super::transposition::{ElementBytes, Transposition};
use crate::device::cuda::LaunchConfig;
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{Arrangement, DataType, Format, Representation};

/// Elements per thread.
const COUNT: u64 = 8;
/// Threads per block.
const THREADS: u32 = 256;
/// Elements per tile.
const TILE_ELEMENTS: u64 = COUNT * THREADS as u64;
/// The most channels per tile.
const TILE_CHANNELS: u64 = 32;
/// The most tiles per block.
const MOST_AT_ONCE: u64 = 4;
/// Fewer elements than this can be counted and divided in 32 bits.
pub(super) const NARROW: u64 = 1 << 31;

/// Which kernel runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kernel {
    /// Elements lie in the same order on both sides.
    Flat,
    /// The same, of elements of at most 2 bytes on both sides: twice as many each thread.
    FlatSmall,
    /// Each element of the target is looked up in the source.
    Any { wide: bool },
    /// Tile by tile through shared memory.
    Tiles { wide: bool },
    /// Several tiles per block, of elements of 1 or 2 bytes.
    SeveralTiles,
}

/// A reformat of some elements by a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReformatLaunch {
    pub(super) kernel: Kernel,
    pub(super) launch: LaunchConfig,
    pub(super) work: Work,
}

/// How a reformat is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// There are no elements.
    Nothing,
    /// The bytes stay what they are and where they are.
    Copy,
    Launch(ReformatLaunch),
    /// The bits stay what they are, but not where they are.
    Transpose(TransposeLaunch),
    /// Neither bits nor places stay what they are.
    Cast(CastLaunch),
}

/// A change of layout by words of four bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransposeLaunch {
    pub(super) element_bytes: u32,
    pub(super) launch: LaunchConfig,
    pub(super) work: Transposition,
}

/// A change of layout by words of four bytes, and of type.
#[derive(Clone, Copy, Debug)]
pub(super) struct CastLaunch {
    pub(super) bytes: ElementBytes,
    pub(super) launch: LaunchConfig,
    pub(super) work: CastTransposition,
}

/// As in `transpose_cast.cuh`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct CastTransposition {
    moves: Transposition,
    conversion: Conversion,
}

/// Bytes of a word, which addresses have to be a multiple of for [`Way::Transpose`] and [`Way::Cast`].
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
    tiling: Tiling,
    extents: u64,
    rank: u64,
}

impl Work {
    /// Converts only up to the true extents, which the device has at an address. Both sides are LINEAR.
    pub(super) fn up_to(&mut self, extents: u64, rank: usize) {
        (self.extents, self.rank) = (extents, rank as u64);
    }
}

#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
struct Conversion {
    from: u32,
    to: u32,
    multiply: f32,
    divide: f32,
    copies: u32,
    scales: u32,
    rounds: u32,
    source_bytes: u32,
    target_bytes: u32,
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
struct Tiling {
    channels: u32,
    places: u32,
    source_lanes: u32,
    target_lanes: u32,
    at_once: u32,
    unused: u32,
    by_places: Divider,
    by_source_lanes: Divider,
    by_target_lanes: Divider,
    by_place_groups: Divider,
    by_channel_tiles: Divider,
}

/// How the channels of the two sides relate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Same = 0,
    /// The source has a depth behind its channels, which are a part of the target's batch.
    SourceDeeper = 1,
    TargetDeeper = 2,
}

impl Way {
    /// For types and layouts that were checked. `narrow_below` is the number of elements from which on 64 bits are used;
    /// `words` says whether both sides lie at multiples of [`WORD_BYTES`].
    fn new(from: Representation, to: Representation, dims: &Dims, narrow_below: u64, words: bool) -> Result<Way> {
        if dims.contains(&0) {
            return Ok(Way::Nothing);
        }
        let spatial_dims = from.format.spatial_dims().or(to.format.spatial_dims()).unwrap_or(0);
        let arrange = |format: Format| match format.arrange_like(dims, spatial_dims) {
            Some(arrangement) => Ok(in_order(arrangement)),
            None => Err(Error::invalid(format_args!("{dims} can't be laid out as {format}"))),
        };
        let (source, target) = (arrange(from.format)?, arrange(to.format)?);
        let conversion = Conversion::new(from, to);
        let int4 = from.dtype == DataType::Int4 || to.dtype == DataType::Int4;
        let flat = target.padding() == 0 && (source == target || (source.lanes == 1 && target.lanes == 1));
        let elements = target.storage() as u64;
        // The half byte behind an odd number of INT4 is to be zero.
        if flat && conversion.copies == 1 && !(int4 && elements % 2 == 1) {
            return Ok(Way::Copy);
        }
        let nesting = nesting(from.format, to.format, &source, &target);
        let wide = elements.max(source.storage() as u64) >= narrow_below;
        let (source, target) = (Layout::new(&source), Layout::new(&target));
        let nested = if nesting == Nesting::SourceDeeper { source.channels } else { source.spatial };
        let mut work = Work {
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
        };
        let moved = !flat && nesting == Nesting::Same && source.lanes != target.lanes;
        if moved
            && words
            && !wide
            && let Some(way) = Way::by_words(&conversion, &source, &target)
        {
            return Ok(way);
        }
        let tiled = moved && !int4;
        let most_at_once = if conversion.source_bytes <= 2 && !wide { MOST_AT_ONCE } else { 1 };
        if let Some((tiling, blocks)) = tiled.then(|| Tiling::new(&source, &target, most_at_once)).flatten() {
            work.tiling = tiling;
            let launch = LaunchConfig { grid: [blocks, 1, 1], block: [THREADS, 1, 1], ..LaunchConfig::default() };
            let kernel = if tiling.at_once > 1 { Kernel::SeveralTiles } else { Kernel::Tiles { wide } };
            return Ok(Way::Launch(ReformatLaunch { kernel, launch, work }));
        }
        let kernel = match flat {
            true if conversion.source_bytes.max(conversion.target_bytes) <= 2 => Kernel::FlatSmall,
            true => Kernel::Flat,
            false => Kernel::Any { wide },
        };
        let of_thread = if kernel == Kernel::FlatSmall { 2 * COUNT } else { COUNT };
        let launch = LaunchConfig::for_elements(elements.div_ceil(of_thread) as usize, THREADS)?;
        Ok(Way::Launch(ReformatLaunch { kernel, launch, work }))
    }

    /// `None` where that would take more than it saves, or can't be.
    fn by_words(conversion: &Conversion, source: &Layout, target: &Layout) -> Option<Way> {
        let copies = conversion.copies == 1;
        let [source_bytes, target_bytes] = [conversion.source_bytes, conversion.target_bytes].map(u64::from);
        let shares_bytes = |bytes: u64, layout: &Layout| bytes == 0 && !layout.spatial.is_multiple_of(2);
        if source_bytes.max(target_bytes) > WORD_BYTES
            || shares_bytes(source_bytes, source)
            || shares_bytes(target_bytes, target)
        {
            return None;
        }
        let bytes = ElementBytes { source: source_bytes.max(1), target: target_bytes.max(1), copies };
        let (work, blocks) = Transposition::new(source, target, bytes)?;
        let launch = LaunchConfig { grid: [blocks, 1, 1], block: [THREADS, 1, 1], ..LaunchConfig::default() };
        Some(match copies {
            true => Way::Transpose(TransposeLaunch { element_bytes: conversion.source_bytes, launch, work }),
            false => Way::Cast(CastLaunch {
                bytes,
                launch,
                work: CastTransposition { moves: work, conversion: *conversion },
            }),
        })
    }

    /// For types and layouts that were checked.
    ///
    /// # Errors
    /// When there are more elements than a launch can have.
    pub(super) fn of(from: Representation, to: Representation, dims: &Dims) -> Result<Way> {
        Way::new(from, to, dims, NARROW, true)
    }

    /// As [`Way::of`], for memory that lies at multiples of its elements' size only.
    ///
    /// # Errors
    /// As [`Way::of`].
    pub(super) fn of_elements(from: Representation, to: Representation, dims: &Dims) -> Result<Way> {
        Way::new(from, to, dims, NARROW, false)
    }

    /// As for very large tensors.
    #[cfg(test)]
    pub(super) fn wide(from: Representation, to: Representation, dims: &Dims) -> Result<Way> {
        Way::new(from, to, dims, 0, true)
    }
}

/// Whether tensors of up to these extents can have too many elements to be counted in 32 bits.
///
/// # Errors
/// When the extents don't fit a layout.
pub(super) fn may_be_wide(from: Representation, to: Representation, largest: &Dims) -> Result<bool> {
    let elements =
        |side: Representation| Ok::<_, Error>(8 * side.bytes(largest)? as u128 / u128::from(side.dtype.bits()));
    Ok(elements(from)?.max(elements(to)?) >= NARROW.into())
}

/// An arrangement whose elements lie in row-major order after all is one of single lanes.
fn in_order(arrangement: Arrangement) -> Arrangement {
    if arrangement.spatial == 1 && arrangement.padding() == 0 {
        Arrangement { blocks: arrangement.channels, lanes: 1, ..arrangement }
    } else {
        arrangement
    }
}

fn nesting(from: Format, to: Format, source: &Arrangement, target: &Arrangement) -> Nesting {
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
    fn new(from: Representation, to: Representation) -> Conversion {
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
    fn new(arrangement: &Arrangement) -> Layout {
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
    fn new(source: &Layout, target: &Layout, most_at_once: u64) -> Option<(Tiling, u32)> {
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

    fn way(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Way {
        let representation = |(dtype, format)| Representation::new(dtype, format);
        Way::of(representation(from), representation(to), &Dims::new(dims).unwrap()).unwrap()
    }

    fn kernel(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<Kernel> {
        match way(from, to, dims) {
            Way::Launch(run) => Some(run.kernel),
            Way::Nothing | Way::Copy | Way::Transpose(_) | Way::Cast(_) => None,
        }
    }

    fn transposed(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<u32> {
        match way(from, to, dims) {
            Way::Transpose(run) => Some(run.element_bytes),
            Way::Nothing | Way::Copy | Way::Launch(_) | Way::Cast(_) => None,
        }
    }

    fn cast(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<[u64; 2]> {
        match way(from, to, dims) {
            Way::Cast(run) => Some([run.bytes.source, run.bytes.target]),
            Way::Nothing | Way::Copy | Way::Launch(_) | Way::Transpose(_) => None,
        }
    }

    #[test]
    fn each_way_is_taken() {
        use DataType::*;
        use Format::*;
        let image = [8, 64, 56, 56];
        assert!(matches!(way((Float16, Hwc8), (Float16, Hwc8), &image), Way::Copy));
        assert!(matches!(way((Float32, Linear), (Float16, Chw4), &[2, 0, 3, 3]), Way::Nothing));
        assert_eq!(kernel((Float32, Linear), (Float16, Linear), &image), Some(Kernel::Flat));
        assert_eq!(cast((Float32, Linear), (Float16, Hwc), &image), Some([4, 2]));
        assert_eq!(cast((Int8, Chw32), (Int4, Linear), &image), Some([1, 1]));
        assert_eq!(kernel((Int64, Linear), (Float16, Hwc), &image), Some(Kernel::Tiles { wide: false }));
        let odd = [8, 64, 57, 57];
        assert_eq!(kernel((Float16, Chw32), (BFloat16, Linear), &odd), Some(Kernel::SeveralTiles));
        // Two channels share a byte.
        assert_eq!(kernel((Int8, Chw32), (Int4, Linear), &odd), Some(Kernel::Any { wide: false }));
        assert_eq!(transposed((Float16, Chw32), (Float16, Linear), &image), Some(2));
        assert_eq!(transposed((Float32, Hwc), (Float32, Chw4), &image), Some(4));
        assert_eq!(transposed((Int8, Linear), (Int8, Chw32), &image), Some(1));
        // Rows of 49 bytes don't begin at words.
        assert_eq!(kernel((Int8, Linear), (Int8, Chw32), &[8, 512, 7, 7]), Some(Kernel::Tiles { wide: false }));
        assert_eq!(kernel((Float16, Chw32), (Float16, Cdhw32), &image), Some(Kernel::Any { wide: false }));
        assert_eq!(kernel((Float16, Linear), (Float16, Hwc), &[1, 3, 4, 4]), Some(Kernel::Any { wide: false }));
        assert_eq!(kernel((Float16, Linear), (BFloat16, Hwc), &[64, 32, 7, 9]), Some(Kernel::Tiles { wide: false }));
        assert_eq!(kernel((Int8, Linear), (Int8, Chw32), &[1 << 16, 64, 32, 32]), Some(Kernel::Tiles { wide: true }));
        // Padding is to be zero even where the bytes stay what they are.
        assert_eq!(kernel((Float16, Chw4), (Float16, Chw4), &[1, 3, 4, 4]), Some(Kernel::Any { wide: false }));
        assert_eq!(kernel((Int4, Linear), (Int4, Linear), &[5]), Some(Kernel::FlatSmall));
        assert!(matches!(way((Int4, Linear), (Int4, Linear), &[6]), Way::Copy));
    }
}
