//! Tensors that own their data in a GPU's memory.

use super::memory::{DeviceMemory, Lent, fill};
use super::stream::CudaStream;
use super::uses::Uses;
use crate::device::{Device, Stream};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DataType, HostTensor, Representation};

/// A tensor in a GPU's memory, row-major, that owns its data, or borrows it from another library
/// ([`from_dlpack`](Self::from_dlpack)).
///
/// It may be used in any streams, and dropped at any time: what writes or frees it is ordered after the work of other
/// streams that uses it, and what reads it after what wrote it, by events that the host doesn't wait for. That holds
/// for runs that it was bound for and for the functions here; not for kernels that are given its
/// [`address`](Self::address) as a number.
#[derive(Debug)]
pub struct DeviceTensor {
    uses: Uses,
    memory: DeviceMemory,
    device: Device,
    dtype: DataType,
    dims: Dims,
}

impl DeviceTensor {
    /// A tensor of unspecified content.
    ///
    /// # Errors
    /// When the extents are more than 8, negative, or need more memory than there is; on a CPU's stream.
    pub fn uninit(stream: &Stream, dtype: DataType, dims: &[i64]) -> Result<Self> {
        let not_a_shape = || Error::invalid(format_args!("{dtype} {dims:?} isn't a shape that memory can hold"));
        let dims = Dims::new(dims).filter(|dims| dims.iter().all(|&extent| extent >= 0)).ok_or_else(not_a_shape)?;
        let bytes = Representation::linear(dtype).bytes(&dims)?;
        let memory = DeviceMemory::new(stream.cuda()?, bytes)?;
        Ok(DeviceTensor { uses: Uses::new(stream.cuda()?), memory, device: stream.device().clone(), dtype, dims })
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// As [`DeviceTensor::uninit`].
    pub fn zeros(stream: &Stream, dtype: DataType, dims: &[i64]) -> Result<Self> {
        let mut tensor = DeviceTensor::uninit(stream, dtype, dims)?;
        tensor.fill(stream, 0)?;
        Ok(tensor)
    }

    /// A copy of a tensor in host memory.
    ///
    /// # Errors
    /// As [`DeviceTensor::uninit`].
    pub fn from_host(stream: &Stream, tensor: &HostTensor) -> Result<Self> {
        let copy = DeviceTensor::uninit(stream, tensor.dtype(), tensor.shape())?;
        copy.memory.upload(stream.cuda()?, 0, tensor.bytes())?;
        Ok(copy)
    }

    /// A tensor in memory of somebody else, which what was put into `stream` before may write.
    pub(in crate::device) fn lent(stream: &Stream, dtype: DataType, dims: Dims, lent: Lent) -> Result<Self> {
        let queue = stream.cuda()?;
        let memory = DeviceMemory::lent(queue.gpu(), lent)?;
        let _bound = stream.bind()?;
        queue.ran(queue.is_captured()?)?;
        Ok(DeviceTensor { uses: Uses::new(queue), memory, device: stream.device().clone(), dtype, dims })
    }

    /// Replaces the data, after the work before in `stream` and whatever else uses it.
    ///
    /// # Errors
    /// When type or extents differ, on the stream of another device, or where it is lent read-only.
    pub fn copy_from_host(&mut self, stream: &Stream, tensor: &HostTensor) -> Result<()> {
        if (tensor.dtype(), tensor.extents()) != (self.dtype, self.dims) {
            return Err(Error::invalid(format_args!(
                "{} {} can't be copied into {} {}",
                tensor.dtype(),
                tensor.extents(),
                self.dtype,
                self.dims
            )));
        }
        self.write_in(stream)?;
        self.memory.upload(stream.cuda()?, 0, tensor.bytes())
    }

    /// A copy in host memory, made when the work before in `stream`, and that of other streams that writes it, is done.
    ///
    /// # Errors
    /// When the host has no memory left, on the stream of another device, or when that work failed.
    pub fn to_host(&self, stream: &Stream) -> Result<HostTensor> {
        self.on(stream)?;
        self.uses.read_at_once(stream.cuda()?)?;
        let mut copy = HostTensor::zeros(self.dtype, &self.dims)?;
        self.memory.download(stream.cuda()?, 0, copy.bytes_mut())?;
        Ok(copy)
    }

    /// A copy of the first elements in host memory, as a tensor of smaller extents.
    pub(crate) fn to_host_truncated(&self, stream: &Stream, dims: &[i64]) -> Result<HostTensor> {
        let mut copy = HostTensor::zeros(self.dtype, dims)?;
        self.uses.read_at_once(stream.cuda()?)?;
        self.memory.download(stream.cuda()?, 0, copy.bytes_mut())?;
        Ok(copy)
    }

    /// Sets every byte, in the order of `stream`, after whatever else uses it.
    ///
    /// # Errors
    /// On the stream of another device, or where it is lent read-only.
    pub fn fill(&mut self, stream: &Stream, byte: u8) -> Result<()> {
        let _bound = stream.bind()?;
        self.write_in(stream)?;
        fill(stream.cuda()?, self.memory.address(), self.memory.len(), byte)?;
        let queue = stream.cuda()?;
        queue.ran(queue.is_captured()?)
    }

    /// Element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// Extents in elements.
    pub fn shape(&self) -> &[i64] {
        &self.dims
    }

    /// The GPU that holds it.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Device address of the first element.
    pub fn address(&self) -> u64 {
        self.memory.address()
    }

    /// How many bytes it has.
    pub fn byte_len(&self) -> usize {
        self.memory.len()
    }

    /// Whether another library lends it, only to be read.
    #[inline]
    pub fn is_read_only(&self) -> bool {
        self.memory.is_read_only()
    }

    /// Whether the memory is another library's, so that other tensors may lie in it too.
    #[inline]
    pub(in crate::device) fn is_lent(&self) -> bool {
        self.memory.is_lent()
    }

    /// Orders `stream` after what uses it, for somebody who uses it there from now on.
    pub(in crate::device) fn hand_over(&mut self, stream: &Stream) -> Result<()> {
        self.on(stream)?;
        self.uses.write(stream.cuda()?)
    }

    /// Orders a stream of its device for work that reads it.
    #[inline]
    pub(in crate::device) fn use_for_reading(&self, stream: &CudaStream) -> Result<()> {
        self.uses.read(stream)
    }

    /// Orders a stream of its device for work that writes it.
    #[inline]
    pub(in crate::device) fn use_for_writing(&mut self, stream: &CudaStream) -> Result<()> {
        if self.is_read_only() {
            return Err(read_only());
        }
        self.uses.write(stream)
    }

    /// As [`DeviceTensor::use_for_writing`], where the stream may be another device's.
    fn write_in(&mut self, stream: &Stream) -> Result<()> {
        self.on(stream)?;
        self.use_for_writing(stream.cuda()?)
    }

    pub(super) fn on(&self, stream: &Stream) -> Result<()> {
        if *stream.device() == self.device {
            return Ok(());
        }
        Err(Error::invalid(format_args!("a tensor on `{}` was used on a stream of `{}`", self.device, stream.device())))
    }
}

impl Drop for DeviceTensor {
    fn drop(&mut self) {
        let unused = match self.memory.is_lent() {
            true => self.uses.finish(),
            false => self.uses.free(self.memory.stream()),
        };
        if !unused {
            self.memory.leak();
        }
    }
}

#[cold]
fn read_only() -> Error {
    Error::invalid("a tensor that is lent read-only can't be written: copy it first")
}
