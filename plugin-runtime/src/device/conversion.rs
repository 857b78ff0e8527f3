//! Conversions between types and layouts by themselves, for benchmarks.

use super::Stream;
use super::cpu::reformat::Reformat;
use super::cuda::{DeviceTensor, convert};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DataType, Format, Representation};

/// A change of type and layout, as engines insert it between layers.
#[derive(Clone, Copy, Debug)]
pub struct Conversion {
    from: Representation,
    to: Representation,
    dims: Dims,
    on_cpu: Reformat,
}

impl Conversion {
    /// From one type and layout to another, for tensors of these extents.
    ///
    /// # Errors
    /// When the extents don't fit a layout, or INT4 isn't LINEAR.
    pub fn new(from: (DataType, Format), to: (DataType, Format), dims: &[i64]) -> Result<Self> {
        let dims = Dims::new(dims).ok_or_else(|| Error::invalid(format_args!("{dims:?} has too many dimensions")))?;
        let [from, to] = [from, to].map(|(dtype, format)| Representation::new(dtype, format));
        Ok(Conversion { from, to, dims, on_cpu: Reformat::new(from, to, &dims)? })
    }

    /// Bytes of the source and of the target.
    pub fn bytes(&self) -> (usize, usize) {
        self.on_cpu.bytes()
    }

    /// Converts on the CPU.
    ///
    /// # Errors
    /// When one side hasn't as many bytes as [`Conversion::bytes`] says.
    pub fn run(&self, source: &[u8], target: &mut [u8]) -> Result<()> {
        self.on_cpu.run(source, target)
    }

    /// Converts the bytes of a tensor on a GPU to those of another, in the order of `stream`.
    ///
    /// # Errors
    /// When one side hasn't as many bytes as [`Conversion::bytes`] says or is on another device, or the launch fails.
    pub fn enqueue(&self, stream: &Stream, source: &DeviceTensor, target: &mut DeviceTensor) -> Result<()> {
        convert(stream, (self.from, source), (self.to, target), &self.dims)
    }
}
