//! Tensors of a GPU from one type and layout to another.

mod crossing;
mod eights;
#[cfg(test)]
mod tests;
mod transposition;
mod way;
mod work;

use super::{LaunchConfig, Source, memory};
use crate::device::Stream;
use crate::device::cpu::reformat::Reformat;
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DataType, Format, Representation};
use crate::tensor::{DeviceSlice, DeviceSliceMut};
use crossing::Crossing;
use declared::*;
use eights::Eights;
use transposition::Transposition;
use way::{
    CastLaunch, CastTransposition, CrossLaunch, EightsLaunch, Kernel, ReformatLaunch, Short, ShortLaunch,
    TransposeLaunch, Way, may_be_wide,
};
use work::{WORD_BYTES, Work};

#[expect(unsafe_code, reason = "kernels are listed in a section of the binary")]
mod declared {
    use super::{CastTransposition, Crossing, Eights, Transposition, Work};
    use crate::kernels;
    use crate::tensor::{DeviceSlice, DeviceSliceMut};

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_FLAT = "reformat_flat.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh"];
        pub(super) fn reformat_flat(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_flat_small(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_ANY = "reformat_any.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh"];
        pub(super) fn reformat_any(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_TILES = "reformat_tiles.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh"];
        pub(super) fn reformat_tiles(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_several_tiles(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_TRANSPOSE = "reformat_transpose.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/transpose.cuh"];
        pub(super) fn reformat_transpose_1(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_transpose_2(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_transpose_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_CAST_1 = "reformat_cast_1.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/int4_rows.cuh", "reformat/short.cuh", "reformat/transpose.cuh", "reformat/transpose_cast.cuh"];
        pub(super) fn reformat_cast_1_1(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
        pub(super) fn reformat_cast_1_2(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
        pub(super) fn reformat_cast_1_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_CAST_2 = "reformat_cast_2.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/int4_rows.cuh", "reformat/short.cuh", "reformat/transpose.cuh", "reformat/transpose_cast.cuh"];
        pub(super) fn reformat_cast_2_1(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
        pub(super) fn reformat_cast_2_2(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
        pub(super) fn reformat_cast_2_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_CAST_4 = "reformat_cast_4.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/int4_rows.cuh", "reformat/short.cuh", "reformat/transpose.cuh", "reformat/transpose_cast.cuh"];
        pub(super) fn reformat_cast_4_1(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
        pub(super) fn reformat_cast_4_2(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
        pub(super) fn reformat_cast_4_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: CastTransposition);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_SHORT = "reformat_short.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/short.cuh"];
        pub(super) fn reformat_short_16_8(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_short_16_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_short_8_16(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_short_8_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_short_4_16(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_short_4_8(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_SHORT_TILES = "reformat_short_tiles.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/int4_rows.cuh", "reformat/short.cuh", "reformat/transpose.cuh", "reformat/transpose_short.cuh"];
        pub(super) fn reformat_short_tiles_16_8(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_short_tiles_16_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_short_tiles_8_16(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_short_tiles_8_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_short_tiles_4_16(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
        pub(super) fn reformat_short_tiles_4_8(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Transposition);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_EIGHTS = "reformat_eights.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/short.cuh", "reformat/transpose.cuh"];
        pub(super) fn reformat_eights_8_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Eights);
        pub(super) fn reformat_eights_4_8(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Eights);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_CROSSED = "reformat_crossed.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh", "reformat/transpose.cuh"];
        pub(super) fn reformat_crossed_1(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Crossing);
        pub(super) fn reformat_crossed_2(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Crossing);
        pub(super) fn reformat_crossed_4(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Crossing);
    }

    kernels! {
        pub(in crate::device::cuda) source REFORMAT_WIDE = "reformat_wide.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh"];
        pub(super) fn reformat_any_wide(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_tiles_wide(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
    }
}

/// Enqueues the conversion of `source` from one representation to another in `target`, which doesn't overlap it. The
/// result is that of the CPU's reformat. Where `dims` are upper bounds, `extents` are the true ones, which only the device
/// knows. Allocates nothing.
///
/// # Errors
/// When the extents don't fit a layout, a scale isn't positive and finite, INT4 isn't LINEAR, one side isn't as long as
/// its representation says or doesn't lie at a multiple of its elements' size, or the launch fails.
pub(crate) fn reformat(
    stream: &Stream,
    (from, source): (Representation, DeviceSlice<'_, u8>),
    (to, target): (Representation, DeviceSliceMut<'_, u8>),
    dims: &Dims,
    extents: Option<DeviceSlice<'_, i64>>,
) -> Result<()> {
    let (source_bytes, target_bytes) = Reformat::new(from, to, dims)?.bytes();
    if (source.len(), target.len()) != (source_bytes, target_bytes) {
        return Err(Error::invalid(format_args!(
            "a reformat from {source_bytes} to {target_bytes} bytes was given {} and {}",
            source.len(),
            target.len()
        )));
    }
    check_address(source.address(), from.dtype)?;
    check_address(target.address(), to.dtype)?;
    let are_words = [source.address(), target.address()].iter().all(|address| address.is_multiple_of(WORD_BYTES));
    let way = if are_words { Way::of(from, to, dims)? } else { Way::of_elements(from, to, dims)? };
    match way {
        Way::Nothing => Ok(()),
        Way::Copy => memory::copy(stream.cuda()?, source.address(), target.address(), target_bytes),
        Way::Launch(mut run) => {
            if let (Some(extents), Kernel::Flat | Kernel::FlatSmall | Kernel::FlatShort(_)) = (extents, run.kernel) {
                run.work.up_to(extents.address(), extents.len());
            }
            launch(stream, run, source, target)
        }
        Way::Transpose(run) => transpose(stream, run, source, target),
        Way::Cast(run) => cast(stream, run, source, target),
        Way::Short(run) => short_tiles(stream, run, source, target),
        Way::Eights(run) => eights(stream, run, source, target),
        Way::Cross(run) => cross(stream, run, source, target),
    }
}

/// The sources of the kernels that reformats of extents up to `largest` can need; `fixed` when all have just those.
///
/// # Errors
/// As [`reformat`], for `largest`.
pub(crate) fn sources(
    from: Representation,
    to: Representation,
    largest: &Dims,
    fixed: bool,
) -> Result<Vec<&'static Source>> {
    if fixed {
        return Ok(match Way::of(from, to, largest)? {
            Way::Nothing | Way::Copy => Vec::new(),
            Way::Launch(run) => vec![run.kernel.source()],
            Way::Transpose(_) => vec![&REFORMAT_TRANSPOSE],
            Way::Cast(run) => vec![cast_source(run.bytes.source)],
            Way::Short(_) => vec![&REFORMAT_SHORT_TILES],
            Way::Eights(_) => vec![&REFORMAT_EIGHTS],
            Way::Cross(_) => vec![&REFORMAT_CROSSED],
        });
    }
    // At other extents there can be padding, or an order of elements, that these don't have.
    let is_linear = from.format == Format::Linear && to.format == Format::Linear;
    let copies = from.dtype == to.dtype && from.scale == to.scale;
    let short = Short::of(from, to).is_some();
    if is_linear {
        let nothing = copies && from.dtype != DataType::Int4;
        return Ok(match short {
            true => vec![&REFORMAT_SHORT],
            false if nothing => Vec::new(),
            false => vec![&REFORMAT_FLAT],
        });
    }
    let mut sources = vec![if short { &REFORMAT_SHORT } else { &REFORMAT_FLAT }, &REFORMAT_ANY];
    if from.format != to.format {
        sources.push(&REFORMAT_TILES);
        if copies {
            sources.push(&REFORMAT_TRANSPOSE);
            let depths = [from, to].map(|side| side.format.spatial_dims());
            if matches!(depths, [Some(from), Some(to)] if from != to) {
                sources.push(&REFORMAT_CROSSED);
            }
        } else if from.dtype.bits().max(to.dtype.bits()) <= 32 {
            sources.push(cast_source(u64::from(from.dtype.bits() / 8)));
        }
        if short {
            sources.push(&REFORMAT_SHORT_TILES);
            if from.dtype.bits() + to.dtype.bits() == 12 {
                sources.push(&REFORMAT_EIGHTS);
            }
        }
    }
    if may_be_wide(from, to, largest)? {
        sources.push(&REFORMAT_WIDE);
    }
    Ok(sources)
}

/// All sources of reformats.
pub(super) fn all_sources() -> [&'static Source; 12] {
    [
        &REFORMAT_ANY,
        &REFORMAT_FLAT,
        &REFORMAT_TILES,
        &REFORMAT_TRANSPOSE,
        &REFORMAT_CAST_1,
        &REFORMAT_CAST_2,
        &REFORMAT_CAST_4,
        &REFORMAT_SHORT,
        &REFORMAT_SHORT_TILES,
        &REFORMAT_EIGHTS,
        &REFORMAT_CROSSED,
        &REFORMAT_WIDE,
    ]
}

/// Where elements of so many bytes come from; 0 stands for half a byte.
fn cast_source(bytes: u64) -> &'static Source {
    match bytes {
        0 | 1 => &REFORMAT_CAST_1,
        2 => &REFORMAT_CAST_2,
        _ => &REFORMAT_CAST_4,
    }
}

impl Kernel {
    fn source(self) -> &'static Source {
        match self {
            Kernel::Flat | Kernel::FlatSmall => &REFORMAT_FLAT,
            Kernel::FlatShort(_) => &REFORMAT_SHORT,
            Kernel::Any { wide: false } => &REFORMAT_ANY,
            Kernel::Tiles { wide: false } | Kernel::SeveralTiles => &REFORMAT_TILES,
            Kernel::Any { wide: true } | Kernel::Tiles { wide: true } => &REFORMAT_WIDE,
        }
    }
}

fn launch(
    stream: &Stream,
    ReformatLaunch { kernel, launch, work }: ReformatLaunch,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
) -> Result<()> {
    match kernel {
        Kernel::Flat => reformat_flat(stream, launch, source, target, work),
        Kernel::FlatSmall => reformat_flat_small(stream, launch, source, target, work),
        Kernel::FlatShort(short) => flat_short(stream, short, launch, source, target, work),
        Kernel::Any { wide: false } => reformat_any(stream, launch, source, target, work),
        Kernel::Any { wide: true } => reformat_any_wide(stream, launch, source, target, work),
        Kernel::Tiles { wide: false } => reformat_tiles(stream, launch, source, target, work),
        Kernel::Tiles { wide: true } => reformat_tiles_wide(stream, launch, source, target, work),
        Kernel::SeveralTiles => reformat_several_tiles(stream, launch, source, target, work),
    }
}

fn transpose(
    stream: &Stream,
    TransposeLaunch { element_bytes, launch, work }: TransposeLaunch,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
) -> Result<()> {
    match element_bytes {
        1 => reformat_transpose_1(stream, launch, source, target, work),
        2 => reformat_transpose_2(stream, launch, source, target, work),
        _ => reformat_transpose_4(stream, launch, source, target, work),
    }
}

fn cast(
    stream: &Stream,
    CastLaunch { bytes, launch, work }: CastLaunch,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
) -> Result<()> {
    let kernel = match (bytes.source, bytes.target) {
        (1, 1) => reformat_cast_1_1,
        (1, 2) => reformat_cast_1_2,
        (1, _) => reformat_cast_1_4,
        (2, 1) => reformat_cast_2_1,
        (2, 2) => reformat_cast_2_2,
        (2, _) => reformat_cast_2_4,
        (_, 1) => reformat_cast_4_1,
        (_, 2) => reformat_cast_4_2,
        _ => reformat_cast_4_4,
    };
    kernel(stream, launch, source, target, work)
}

fn flat_short(
    stream: &Stream,
    short: Short,
    launch: LaunchConfig,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
    work: Work,
) -> Result<()> {
    let kernel = match (short.from, short.to) {
        (16, 8) => reformat_short_16_8,
        (16, _) => reformat_short_16_4,
        (8, 16) => reformat_short_8_16,
        (8, _) => reformat_short_8_4,
        (_, 16) => reformat_short_4_16,
        _ => reformat_short_4_8,
    };
    kernel(stream, launch, source, target, work)
}

fn short_tiles(
    stream: &Stream,
    ShortLaunch { short, launch, work }: ShortLaunch,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
) -> Result<()> {
    let kernel = match (short.from, short.to) {
        (16, 8) => reformat_short_tiles_16_8,
        (16, _) => reformat_short_tiles_16_4,
        (8, 16) => reformat_short_tiles_8_16,
        (8, _) => reformat_short_tiles_8_4,
        (_, 16) => reformat_short_tiles_4_16,
        _ => reformat_short_tiles_4_8,
    };
    kernel(stream, launch, source, target, work)
}

fn eights(
    stream: &Stream,
    EightsLaunch { widens, launch, work }: EightsLaunch,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
) -> Result<()> {
    match widens {
        true => reformat_eights_4_8(stream, launch, source, target, work),
        false => reformat_eights_8_4(stream, launch, source, target, work),
    }
}

fn cross(
    stream: &Stream,
    CrossLaunch { element_bytes, launch, work }: CrossLaunch,
    source: DeviceSlice<'_, u8>,
    target: DeviceSliceMut<'_, u8>,
) -> Result<()> {
    match element_bytes {
        1 => reformat_crossed_1(stream, launch, source, target, work),
        2 => reformat_crossed_2(stream, launch, source, target, work),
        _ => reformat_crossed_4(stream, launch, source, target, work),
    }
}

fn check_address(address: u64, dtype: DataType) -> Result<()> {
    let bytes = u64::from(dtype.bits().div_ceil(8));
    if address.is_multiple_of(bytes) {
        return Ok(());
    }
    Err(Error::invalid(format_args!(
        "{dtype} data lies at {address:#x} on the GPU, which isn't a multiple of {bytes} bytes"
    )))
}
