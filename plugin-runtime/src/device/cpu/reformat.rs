//! Tensors from one type and layout to another.

#[cfg(test)]
mod tests;

use super::blocked::Blocked;
use super::cast::{Cast, unpacked_bytes};
use super::crossed::Crossed;
use super::int4;
use super::tasks::in_tasks;
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{Arrangement, DataType, Format, Representation};

/// A change of type and layout for tensors of one shape, worked out ahead: to run it allocates nothing.
///
/// Padding of the destination is zeroed. For what happens to values see [`Cast`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reformat {
    src_bytes: usize,
    dst_bytes: usize,
    way: Way,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// Elements lie in the same order on both sides.
    Flat { cast: Cast, src: usize, dst: usize, padding: Option<Arrangement> },
    /// The same with INT4 on either side.
    FlatInt4(int4::FlatInt4),
    /// Both sides have their channels in the same dimension.
    Blocked(Blocked),
    /// The sides have their channels in different dimensions.
    Crossed(Crossed),
}

impl Reformat {
    /// From one representation to another.
    ///
    /// # Errors
    /// When the extents don't fit a layout, a scale isn't positive and finite, or INT4 isn't LINEAR.
    pub(crate) fn new(from: Representation, to: Representation, dims: &Dims) -> Result<Reformat> {
        for side in [&from, &to] {
            side.check_scale()?;
            if side.dtype == DataType::Int4 && side.format != Format::Linear {
                return Err(Error::invalid(format_args!("INT4 data is LINEAR, but {} was asked for", side.format)));
            }
        }
        let (src_bytes, dst_bytes) = (from.bytes(dims)?, to.bytes(dims)?);
        Ok(Reformat { src_bytes, dst_bytes, way: Way::new(from, to, dims)? })
    }

    /// Bytes of the source and of the destination.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        (self.src_bytes, self.dst_bytes)
    }

    /// Fills `dst` from `src`.
    ///
    /// # Errors
    /// When one of them isn't as long as [`Reformat::bytes`] says.
    pub(crate) fn run(&self, src: &[u8], dst: &mut [u8]) -> Result<()> {
        if (src.len(), dst.len()) != self.bytes() {
            return Err(Error::invalid(format_args!(
                "a reformat from {} to {} bytes was given {} and {}",
                self.src_bytes,
                self.dst_bytes,
                src.len(),
                dst.len()
            )));
        }
        if dst.is_empty() {
            return Ok(());
        }
        match &self.way {
            Way::Flat { cast, src: src_element, dst: dst_element, padding } => {
                in_tasks(src.len(), dst, *dst_element, |first, dst| {
                    let src = &src[first * src_element..][..dst.len() / dst_element * src_element];
                    cast.run(src, dst);
                });
                if let Some(arrangement) = padding {
                    zero_padding(arrangement, *dst_element, dst);
                }
            }
            Way::FlatInt4(flat) => flat.run(src, dst),
            Way::Blocked(blocked) => blocked.run(src, dst),
            Way::Crossed(crossed) => crossed.run(src, dst),
        }
        Ok(())
    }
}

impl Way {
    fn new(from: Representation, to: Representation, dims: &Dims) -> Result<Way> {
        let cast = Cast::new((from.dtype, from.scale), (to.dtype, to.scale));
        let arrange = |format: Format| {
            format
                .arrange(dims)
                .map(in_order)
                .ok_or_else(|| Error::invalid(format_args!("{dims} can't be laid out as {format}")))
        };
        let (src, dst) = alike(arrange(from.format)?, arrange(to.format)?);
        let int4 = from.dtype == DataType::Int4 || to.dtype == DataType::Int4;
        let same_channels = dst.spatial == src.spatial && dst.channels == src.channels && dst.outer == src.outer;
        let flat = src == dst;
        if flat && int4 {
            let elements = src.storage();
            return Ok(Way::FlatInt4(int4::FlatInt4 { cast, from: from.dtype, to: to.dtype, elements }));
        }
        let (src_element, dst_element) = (unpacked_bytes(from.dtype), unpacked_bytes(to.dtype));
        if flat {
            let padding = (dst.padding() > 0).then_some(dst);
            return Ok(Way::Flat { cast, src: src_element, dst: dst_element, padding });
        }
        let (src_int4, dst_int4) = (from.dtype == DataType::Int4, to.dtype == DataType::Int4);
        if !same_channels {
            return Ok(Way::Crossed(Crossed::new(cast, (src, src_element), (dst, dst_element))));
        }
        Ok(Way::Blocked(Blocked { cast, src, dst, src_element, dst_element, src_int4, dst_int4 }))
    }
}

/// An arrangement whose elements lie in row-major order after all is one of single lanes.
fn in_order(arrangement: Arrangement) -> Arrangement {
    if arrangement.spatial == 1 && arrangement.padding() == 0 {
        Arrangement { blocks: arrangement.channels, lanes: 1, ..arrangement }
    } else {
        arrangement
    }
}

/// What lies in row-major order has its channels where the other side has them.
fn alike(src: Arrangement, dst: Arrangement) -> (Arrangement, Arrangement) {
    let in_order_as = |other: Arrangement| Arrangement { blocks: other.channels, lanes: 1, ..other };
    match (src.lanes, dst.lanes) {
        (1, _) => (in_order_as(dst), dst),
        (_, 1) => (src, in_order_as(src)),
        _ => (src, dst),
    }
}

fn zero_padding(arrangement: &Arrangement, element: usize, dst: &mut [u8]) {
    let Arrangement { channels, spatial, blocks, lanes, .. } = *arrangement;
    let real = channels - (blocks - 1) * lanes;
    for batch in dst.chunks_exact_mut(blocks * spatial * lanes * element) {
        let last_block = batch.len() - spatial * lanes * element;
        for place in batch[last_block..].chunks_exact_mut(lanes * element) {
            place[real * element..].fill(0);
        }
    }
}

/// Reads `src` as one representation and fills `dst` with the other.
///
/// # Errors
/// As [`Reformat::new`] and [`Reformat::run`].
pub(crate) fn reformat(
    from: Representation,
    src: &[u8],
    to: Representation,
    dst: &mut [u8],
    dims: &Dims,
) -> Result<()> {
    Reformat::new(from, to, dims)?.run(src, dst)
}
