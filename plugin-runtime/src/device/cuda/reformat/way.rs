//! How a reformat is done, from types, layouts and extents: kernel, launch dimensions and parameters.

use bytemuck::{Pod, Zeroable};

use super::crossing::Crossing;
use super::eights::Eights;
use super::transposition::{ElementBytes, Tiled, Transposition};
use super::work::{COUNT, Conversion, Layout, MOST_AT_ONCE, NARROW, Nesting, THREADS, Tiling, WORD_BYTES, Work};
use crate::device::cuda::LaunchConfig;
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{Arrangement, DataType, Format, Representation};

/// How often a thread converts eight elements in [`Kernel::FlatShort`]. As in `reformat_short.cu`.
const SHORT_TIMES: u64 = 2;

/// Which kernel runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kernel {
    /// Elements lie in the same order on both sides.
    Flat,
    /// The same, of elements of at most 2 bytes on both sides: twice as many each thread.
    FlatSmall,
    /// The same, between FP16, INT8 and INT4.
    FlatShort(Short),
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
    /// The same, between FP16, INT8 and INT4.
    Short(ShortLaunch),
    /// The same, between INT8 of eights of lanes and INT4.
    Eights(EightsLaunch),
    /// Channels in one dimension and in another change places.
    Cross(CrossLaunch),
}

/// Between FP16, INT8 and INT4, where nothing is scaled: bits of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Short {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Short {
    pub(super) fn of(from: Representation, to: Representation) -> Option<Short> {
        let is_short = |dtype: DataType| matches!(dtype, DataType::Float16 | DataType::Int8 | DataType::Int4);
        let converts = is_short(from.dtype) && is_short(to.dtype) && from.dtype != to.dtype;
        let scales = from.scale != 1.0 || to.scale != 1.0;
        (converts && !scales).then(|| Short { from: from.dtype.bits(), to: to.dtype.bits() })
    }
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

/// A change of layout by words of four bytes, and between FP16, INT8 and INT4.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortLaunch {
    pub(super) short: Short,
    pub(super) launch: LaunchConfig,
    pub(super) work: Transposition,
}

/// A change between INT8 of eights of lanes and rows of INT4.
#[derive(Clone, Copy, Debug)]
pub(super) struct EightsLaunch {
    pub(super) widens: bool,
    pub(super) launch: LaunchConfig,
    pub(super) work: Eights,
}

/// A change of the dimension in which channels have their lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct CrossLaunch {
    pub(super) element_bytes: u32,
    pub(super) launch: LaunchConfig,
    pub(super) work: Crossing,
}

/// As in `transpose_cast.cuh`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct CastTransposition {
    moves: Transposition,
    conversion: Conversion,
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
        let nesting = Nesting::of(from.format, to.format, &source, &target);
        let wide = elements.max(source.storage() as u64) >= narrow_below;
        let (source, target) = (Layout::new(&source), Layout::new(&target));
        let mut work = Work::new(conversion, elements, nesting, source, target);
        let short = Short::of(from, to);
        let moved = !flat && nesting == Nesting::Same && source.lanes != target.lanes;
        if words && !wide {
            let way = match nesting {
                Nesting::Same if moved => Way::by_eights(short, &source, &target)
                    .or_else(|| Way::by_words(&conversion, short, &source, &target)),
                Nesting::Same => None,
                Nesting::SourceDeeper | Nesting::TargetDeeper => Way::crossing(&conversion, &source, &target)?,
            };
            if let Some(way) = way {
                return Ok(way);
            }
        }
        let tiled = moved && !int4;
        let most_at_once = if conversion.source_bytes <= 2 && !wide { MOST_AT_ONCE } else { 1 };
        if let Some((tiling, blocks)) = tiled.then(|| Tiling::new(&source, &target, most_at_once)).flatten() {
            work.tiling = tiling;
            let launch = of_blocks(blocks);
            let kernel = if tiling.at_once > 1 { Kernel::SeveralTiles } else { Kernel::Tiles { wide } };
            return Ok(Way::Launch(ReformatLaunch { kernel, launch, work }));
        }
        let kernel = match (flat, short) {
            (true, Some(short)) => Kernel::FlatShort(short),
            (true, None) if conversion.source_bytes.max(conversion.target_bytes) <= 2 => Kernel::FlatSmall,
            (true, None) => Kernel::Flat,
            (false, _) => Kernel::Any { wide },
        };
        let of_thread = match kernel {
            Kernel::FlatShort(_) => SHORT_TIMES * COUNT,
            Kernel::FlatSmall => 2 * COUNT,
            _ => COUNT,
        };
        let launch = LaunchConfig::for_elements(elements.div_ceil(of_thread) as usize, THREADS)?;
        Ok(Way::Launch(ReformatLaunch { kernel, launch, work }))
    }

    /// `None` where that would take more than it saves, or can't be.
    fn by_words(conversion: &Conversion, short: Option<Short>, source: &Layout, target: &Layout) -> Option<Way> {
        let copies = conversion.copies == 1;
        let [source_bytes, target_bytes] = [conversion.source_bytes, conversion.target_bytes].map(u64::from);
        let shares_bytes = |bytes: u64, layout: &Layout| bytes == 0 && !layout.spatial.is_multiple_of(2);
        if source_bytes.max(target_bytes) > WORD_BYTES
            || shares_bytes(source_bytes, source)
            || shares_bytes(target_bytes, target)
        {
            return None;
        }
        let bytes = ElementBytes::new(source_bytes, target_bytes);
        if let Some(short) = short
            && let Some((work, blocks)) = Transposition::new(source, target, bytes, Tiled::Int8)
        {
            return Some(Way::Short(ShortLaunch { short, launch: of_blocks(blocks), work }));
        }
        let tiled = if copies { Tiled::Copied } else { Tiled::Source };
        let (work, blocks) = Transposition::new(source, target, bytes, tiled)?;
        let launch = of_blocks(blocks);
        Some(match copies {
            true => Way::Transpose(TransposeLaunch { element_bytes: conversion.source_bytes, launch, work }),
            false => Way::Cast(CastLaunch {
                bytes,
                launch,
                work: CastTransposition { moves: work, conversion: *conversion },
            }),
        })
    }

    /// `None` where that can't be.
    fn by_eights(short: Option<Short>, source: &Layout, target: &Layout) -> Option<Way> {
        let (widens, (work, blocks)) = match short? {
            Short { from: 8, to: 4 } => (false, Eights::new(source, target)?),
            Short { from: 4, to: 8 } => (true, Eights::new(target, source)?),
            _ => return None,
        };
        Some(Way::Eights(EightsLaunch { widens, launch: of_blocks(blocks), work }))
    }

    /// `None` where that can't be.
    ///
    /// # Errors
    /// When there are more elements than a launch can have.
    fn crossing(conversion: &Conversion, source: &Layout, target: &Layout) -> Result<Option<Way>> {
        let element_bytes = conversion.source_bytes;
        if conversion.copies != 1 || !matches!(element_bytes, 1 | 2 | 4) {
            return Ok(None);
        }
        let Some((work, threads)) = Crossing::new(source, target) else { return Ok(None) };
        let launch = LaunchConfig::for_elements(threads as usize, THREADS)?;
        Ok(Some(Way::Cross(CrossLaunch { element_bytes, launch, work })))
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

fn of_blocks(blocks: u32) -> LaunchConfig {
    LaunchConfig { grid: [blocks, 1, 1], block: [THREADS, 1, 1], ..LaunchConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Way {
        let representation = |(dtype, format)| Representation::new(dtype, format);
        Way::of(representation(from), representation(to), &Dims::new(dims).unwrap()).unwrap()
    }

    fn kernel(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<Kernel> {
        match way(from, to, dims) {
            Way::Launch(run) => Some(run.kernel),
            _ => None,
        }
    }

    fn transposed(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<u32> {
        match way(from, to, dims) {
            Way::Transpose(run) => Some(run.element_bytes),
            _ => None,
        }
    }

    fn cast(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<[u64; 2]> {
        match way(from, to, dims) {
            Way::Cast(run) => Some([run.bytes.source, run.bytes.target]),
            _ => None,
        }
    }

    fn short(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Option<(u32, u32)> {
        match way(from, to, dims) {
            Way::Short(run) => Some((run.short.from, run.short.to)),
            _ => None,
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
        assert_eq!(cast((UInt8, Chw32), (Int4, Linear), &image), Some([1, 1]));
        assert_eq!(short((Int8, Chw4), (Int4, Linear), &image), Some((8, 4)));
        assert!(matches!(way((Int8, Chw32), (Int4, Linear), &image), Way::Eights(run) if !run.widens));
        assert!(matches!(way((Int4, Linear), (Int8, Hwc8), &image), Way::Eights(run) if run.widens));
        assert!(matches!(way((Int8, Chw32), (Int4, Linear), &[8, 64, 56, 57]), Way::Eights(_)));
        assert_eq!(short((Int8, Hwc8), (Int4, Linear), &[8, 72, 56, 56]), Some((8, 4)), "nine eights");
        assert_eq!(short((Int8, Chw32), (Int4, Linear), &[8, 64, 6, 58]), Some((8, 4)), "not words of eight places");
        assert_eq!(short((Float16, Hwc8), (Int8, Chw2), &image), Some((16, 8)));
        assert_eq!(cast((Float16, Hwc8), (Int8, Chw4), &[8, 64, 56, 57 * 2]), None);
        assert_eq!(cast((Float16, Hwc8), (Int8, Chw4), &[8, 64, 57, 58]), Some([2, 1]), "not words of four places");
        assert_eq!(
            kernel((Int4, Linear), (Float16, Linear), &image),
            Some(Kernel::FlatShort(Short { from: 4, to: 16 }))
        );
        let volume = [2, 16, 24, 7, 9];
        assert!(matches!(way((Float16, Hwc8), (Float16, Dhwc8), &volume), Way::Cross(_)));
        assert!(matches!(way((Float32, Dhwc8), (Float32, Hwc8), &volume), Way::Cross(_)));
        assert_eq!(kernel((Float16, Hwc8), (Float16, Dhwc8), &[2, 16, 23, 7, 9]), Some(Kernel::Any { wide: false }));
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
