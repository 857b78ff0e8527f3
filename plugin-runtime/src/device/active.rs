//! The memory of a context while it runs.

use std::ptr::NonNull;

use super::Stream;
use super::binding::BasePointer;
use super::captured::Captured;
use super::cuda::{CudaStream, DeviceMemory, Recorded, memory};
use super::region::{Base, Region};
use super::step::PlacedTensor;
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// The table of extents that only the device knows, in its memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceExtents<'f>(pub(super) &'f DeviceMemory);

impl DeviceExtents<'_> {
    #[inline]
    pub(super) fn of(self, tensor: &PlacedTensor) -> Option<u64> {
        tensor.extents.map(|offset| self.0.address() + offset as u64)
    }
}

/// The memory of a context while it runs: every pointer in it is borrowed for as long as this lives.
#[derive(Debug)]
pub(crate) struct Active<'f> {
    pub(super) bases: &'f [BasePointer],
    pub(super) constants: usize,
    /// `None` where the memory is the host's.
    pub(super) device: Option<DeviceExtents<'f>>,
    pub(super) captured: &'f mut Option<Captured>,
}

impl Active<'_> {
    #[inline]
    fn base(&self, base: Base) -> Option<&BasePointer> {
        match base {
            Base::Arena => self.bases.first(),
            Base::Constant(i) if i < self.constants => self.bases.get(1 + i),
            Base::Constant(_) => None,
            Base::Binding(i) => self.bases.get(1 + self.constants + i),
        }
    }

    #[inline]
    pub(super) fn locate(&self, region: &Region, write: bool) -> Result<NonNull<u8>> {
        let base = self.base(region.base).filter(|b| {
            region.offset.checked_add(region.len).is_some_and(|end| end <= b.len) && (b.writable || !write)
        });
        let start = base.and_then(|base| NonNull::new(base.start.as_ptr().wrapping_add(region.offset)));
        start.ok_or_else(|| self.unreachable(region))
    }

    /// `None` where the memory is the host's.
    #[inline]
    pub(super) fn device(&self) -> Option<DeviceExtents<'_>> {
        self.device
    }

    /// The table of extents that only the device knows.
    #[inline]
    pub(crate) fn extents_table(&self) -> Option<&DeviceMemory> {
        self.device.map(|extents| extents.0)
    }

    /// Address of a region in the device's memory.
    pub(crate) fn device_address(&self, region: Region, write: bool) -> Result<u64> {
        Ok(self.locate(&region, write)?.addr().get() as u64)
    }

    #[cold]
    fn unreachable(&self, region: &Region) -> Error {
        let given = self.base(region.base).map_or(0, |b| b.len);
        Error::invalid(format_args!(
            "{} bytes are needed, but the memory given holds {given}",
            region.offset.saturating_add(region.len)
        ))
    }

    /// Replays the graph that was captured with just this memory, if one was. Returns whether one was.
    #[inline]
    pub(crate) fn replay(&self, stream: &CudaStream) -> Result<bool> {
        match &*self.captured {
            Some(captured) => captured.replay(self.bases, stream),
            None => Ok(false),
        }
    }

    /// Captures what `enqueue` puts into the stream, instead of running it. An earlier graph is dropped.
    pub(crate) fn record(
        &mut self,
        stream: &CudaStream,
        enqueue: impl FnOnce(&mut Active<'_>) -> Result<()>,
    ) -> Result<Recorded> {
        *self.captured = None;
        stream.record(|| enqueue(self))
    }

    /// Keeps a captured graph, to be replayed with this memory.
    pub(crate) fn keep(&mut self, recorded: &Recorded) -> Result<()> {
        *self.captured = Some(Captured::new(recorded, self.bases)?);
        Ok(())
    }

    /// Reads a size tensor, after the work before in `stream`.
    pub(crate) fn read_size(&mut self, tensor: &PlacedTensor, stream: &Stream) -> Result<i64> {
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..tensor.region.len.min(8)];
        self.copy_out(tensor.region, bytes, stream)?;
        Ok(match tensor.info.dtype {
            DataType::Int64 => bytes.first_chunk().map_or(-1, |b| i64::from_ne_bytes(*b)),
            _ => bytes.first_chunk().map_or(-1, |b| i64::from(i32::from_ne_bytes(*b))),
        })
    }

    /// Fills a size tensor with -1, which means not written.
    pub(crate) fn clear_size(&mut self, tensor: &PlacedTensor, stream: &Stream) -> Result<()> {
        self.fill(tensor.region, 0xff, stream)
    }

    /// Sets every byte of a region.
    pub(crate) fn fill(&mut self, region: Region, byte: u8, stream: &Stream) -> Result<()> {
        if self.device.is_none() {
            self.bytes_mut(region)?.fill(byte);
            return Ok(());
        }
        let _bound = stream.bind()?;
        memory::fill(stream.cuda()?, self.device_address(region, true)?, region.len, byte)
    }

    /// Copies from host memory to the front of a region, after the work before in `stream`.
    pub(crate) fn copy_in(&mut self, region: Region, bytes: &[u8], stream: &Stream) -> Result<()> {
        let region = Region { len: bytes.len(), ..region };
        if self.device.is_none() {
            self.bytes_mut(region)?.copy_from_slice(bytes);
            return Ok(());
        }
        memory::upload(stream.cuda()?, self.device_address(region, true)?, bytes)
    }

    /// Copies the front of a region to host memory, after the work before in `stream`.
    pub(crate) fn copy_out(&mut self, region: Region, bytes: &mut [u8], stream: &Stream) -> Result<()> {
        let region = Region { len: bytes.len(), ..region };
        if self.device.is_none() {
            bytes.copy_from_slice(self.bytes(region)?);
            return Ok(());
        }
        memory::download(stream.cuda()?, self.device_address(region, false)?, bytes)
    }

    /// Whether the front of a region holds these bytes, after the work before in `stream`.
    pub(crate) fn holds(&mut self, region: Region, bytes: &[u8], stream: &Stream) -> Result<bool> {
        /// So much of a GPU's memory is looked at at a time: to have room for all of it would take longer than to copy it.
        const PIECE: usize = 1 << 20;
        let region = Region { len: bytes.len(), ..region };
        if self.device.is_none() {
            return Ok(self.bytes(region)? == bytes);
        }
        let mut piece = vec![0; PIECE.min(bytes.len())];
        for (index, expected) in bytes.chunks(PIECE).enumerate() {
            let found = &mut piece[..expected.len()];
            let offset = region.offset + index * PIECE;
            self.copy_out(Region { offset, len: found.len(), ..region }, found, stream)?;
            if found != expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The bytes of a region in host memory.
    pub(crate) fn bytes(&mut self, region: Region) -> Result<&[u8]> {
        let start = self.locate_on_host(region, false)?;
        // SAFETY: `locate` checked the range; the base is borrowed while `self` lives, and `&mut self` keeps every
        // other view away while the slice lives.
        #[expect(unsafe_code, reason = "a slice of a borrowed base")]
        let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), region.len) };
        Ok(bytes)
    }

    /// The bytes of a region in host memory.
    pub(crate) fn bytes_mut(&mut self, region: Region) -> Result<&mut [u8]> {
        let start = self.locate_on_host(region, true)?;
        // SAFETY: as in `bytes`; `locate` checked that the base may be written.
        #[expect(unsafe_code, reason = "a slice of a borrowed base")]
        let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), region.len) };
        Ok(bytes)
    }

    fn locate_on_host(&self, region: Region, write: bool) -> Result<NonNull<u8>> {
        match self.device {
            None => self.locate(&region, write),
            Some(_) => Err(Error::invalid("memory of a GPU can't be borrowed by the host")),
        }
    }
}
