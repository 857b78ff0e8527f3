//! Tensors of a GPU from one type and layout to another.

#[cfg(test)]
mod tests;
mod work;

use super::{Source, memory};
use crate::device::Stream;
use crate::device::cpu::reformat::Reformat;
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DataType, Format, Representation};
use crate::tensor::{DeviceSlice, DeviceSliceMut};
pub(super) use declared::{REFORMAT, REFORMAT_WIDE};
use declared::{
    reformat_any, reformat_any_wide, reformat_flat, reformat_several_tiles, reformat_tiles, reformat_tiles_wide,
};
use work::{Kernel, ReformatLaunch, Way, Work, may_be_wide};

#[expect(unsafe_code, reason = "kernels are listed in a section of the binary")]
mod declared {
    use super::Work;
    use crate::kernels;
    use crate::tensor::{DeviceSlice, DeviceSliceMut};

    kernels! {
        pub(in crate::device::cuda) source REFORMAT = "reformat.cu", headers ["reformat.cuh", "reformat/convert.cuh", "reformat/elements.cuh"];
        pub(super) fn reformat_flat(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_any(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_tiles(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
        pub(super) fn reformat_several_tiles(source: DeviceSlice<u8>, target: DeviceSliceMut<u8>, work: Work);
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
    match Way::of(from, to, dims)? {
        Way::Nothing => Ok(()),
        Way::Copy => memory::copy(stream.cuda()?, source.address(), target.address(), target_bytes),
        Way::Launch(mut run) => {
            if let (Some(extents), Kernel::Flat) = (extents, run.kernel) {
                run.work.up_to(extents.address(), extents.len());
            }
            launch(stream, run, source, target)
        }
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
            Way::Launch(ReformatLaunch {
                kernel: Kernel::Any { wide: true } | Kernel::Tiles { wide: true }, ..
            }) => {
                vec![&REFORMAT_WIDE]
            }
            Way::Launch(_) => vec![&REFORMAT],
        });
    }
    // At other extents there can be padding, or an order of elements, that these don't have.
    let same = from == to && from.format == Format::Linear && from.dtype != DataType::Int4;
    match (same, may_be_wide(from, to, largest)?) {
        (true, _) => Ok(Vec::new()),
        (false, true) => Ok(vec![&REFORMAT, &REFORMAT_WIDE]),
        (false, false) => Ok(vec![&REFORMAT]),
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
        Kernel::Any { wide: false } => reformat_any(stream, launch, source, target, work),
        Kernel::Any { wide: true } => reformat_any_wide(stream, launch, source, target, work),
        Kernel::Tiles { wide: false } => reformat_tiles(stream, launch, source, target, work),
        Kernel::Tiles { wide: true } => reformat_tiles_wide(stream, launch, source, target, work),
        Kernel::SeveralTiles => reformat_several_tiles(stream, launch, source, target, work),
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
