//! Page-locked host memory, and copies through it.

use std::ptr::NonNull;

use super::sys;

use super::driver::check;
use super::event::Event;
use super::gpu::Gpu;
use super::stream::CudaStream;
use crate::error::{Error, Result};

/// Page-locked host memory, which the GPU reads and writes by itself.
#[derive(Debug)]
pub(crate) struct PinnedMemory {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it owns what it points to.
#[expect(unsafe_code, reason = "memory that is owned")]
unsafe impl Send for PinnedMemory {}

impl PinnedMemory {
    /// `len` zeros.
    pub(crate) fn zeroed(gpu: &Gpu, len: usize) -> Result<Self> {
        let _bound = gpu.bind()?;
        let mut start = std::ptr::null_mut();
        let flags = sys::CU_MEMHOSTALLOC_PORTABLE | sys::CU_MEMHOSTALLOC_DEVICEMAP;
        // SAFETY: the pointer is to a local; a context is current.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuMemHostAlloc(&raw mut start, len.max(1), flags) }, "cuMemHostAlloc")?;
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(|| Error::invalid("no page-locked memory"))?;
        // SAFETY: the bytes were just allocated.
        #[expect(unsafe_code, reason = "initializes new memory")]
        unsafe {
            start.as_ptr().write_bytes(0, len.max(1));
        }
        Ok(PinnedMemory { start, len })
    }

    /// Its device address: with unified addressing, the host's address.
    pub(crate) fn address(&self) -> u64 {
        self.start.as_ptr().expose_provenance() as u64
    }

    /// Pointer to `len` bytes from `offset`.
    pub(super) fn place(&self, offset: usize, len: usize) -> Option<*mut u8> {
        let fits = offset.checked_add(len).is_some_and(|end| end <= self.len);
        fits.then(|| self.start.as_ptr().wrapping_add(offset))
    }

    /// The 8 bytes at `offset` as they are now, also while the GPU writes.
    pub(crate) fn read_word(&self, offset: usize) -> Option<i64> {
        if !offset.is_multiple_of(8) || offset.checked_add(8)? > self.len {
            return None;
        }
        // SAFETY: inside, aligned, initialized; volatile, since the GPU may write at any time.
        #[expect(unsafe_code, reason = "reads what a device writes")]
        Some(unsafe { self.start.as_ptr().add(offset).cast::<i64>().read_volatile() })
    }

    /// Puts a value at `offset`, which no pending work of the GPU uses.
    pub(crate) fn write_word(&mut self, offset: usize, value: i64) {
        if offset.is_multiple_of(8) && offset.checked_add(8).is_some_and(|end| end <= self.len) {
            // SAFETY: inside and aligned.
            #[expect(unsafe_code, reason = "writes what a device reads")]
            unsafe {
                self.start.as_ptr().add(offset).cast::<i64>().write_volatile(value);
            }
        }
    }

    /// The bytes, while no work of the GPU that uses them is pending.
    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: initialized, owned, borrowed exclusively; the callers here wait for the GPU first.
        #[expect(unsafe_code, reason = "a slice of owned memory")]
        unsafe {
            std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len)
        }
    }
}

impl Drop for PinnedMemory {
    fn drop(&mut self) {
        // SAFETY: nobody else has it; the driver waits for work that uses it.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = unsafe { sys::cuMemFreeHost(self.start.as_ptr().cast()) };
    }
}

/// Two page-locked buffers: one is filled or emptied by the host while the GPU copies the other.
#[derive(Debug)]
pub(crate) struct Staging {
    buffers: [(PinnedMemory, Event); 2],
}

const BUFFER_BYTES: usize = 8 << 20;

impl Staging {
    pub(super) fn new(gpu: &'static Gpu) -> Result<Self> {
        let buffer = || -> Result<_> { Ok((PinnedMemory::zeroed(gpu, BUFFER_BYTES)?, Event::new(gpu, false)?)) };
        Ok(Staging { buffers: [buffer()?, buffer()?] })
    }

    pub(super) fn upload(&mut self, stream: &CudaStream, address: u64, bytes: &[u8]) -> Result<()> {
        for (index, chunk) in bytes.chunks(BUFFER_BYTES).enumerate() {
            let (buffer, copied) = &mut self.buffers[index % 2];
            copied.synchronize()?;
            buffer.bytes()[..chunk.len()].copy_from_slice(chunk);
            let to = address + (index * BUFFER_BYTES) as u64;
            let from = buffer.start.as_ptr().cast_const().cast();
            // SAFETY: the buffer holds the chunk and isn't touched before `copied`; the caller owns the target.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuMemcpyHtoDAsync_v2(to, from, chunk.len(), stream.raw()) }, "cuMemcpyHtoDAsync")?;
            stream.record_event(copied)?;
        }
        self.settle()
    }

    pub(super) fn download(&mut self, stream: &CudaStream, address: u64, bytes: &mut [u8]) -> Result<()> {
        let mut pending: Option<(usize, &mut [u8])> = None;
        for (index, chunk) in bytes.chunks_mut(BUFFER_BYTES).enumerate() {
            let (buffer, copied) = &self.buffers[index % 2];
            let from = address + (index * BUFFER_BYTES) as u64;
            let to = buffer.start.as_ptr().cast();
            // SAFETY: the buffer is as large as the chunk, and was emptied; the caller may read the source.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuMemcpyDtoHAsync_v2(to, from, chunk.len(), stream.raw()) }, "cuMemcpyDtoHAsync")?;
            stream.record_event(copied)?;
            if let Some((index, chunk)) = pending.replace((index, chunk)) {
                self.empty(index, chunk)?;
            }
        }
        match pending {
            Some((index, chunk)) => self.empty(index, chunk),
            None => stream.synchronize(),
        }
    }

    fn empty(&mut self, index: usize, chunk: &mut [u8]) -> Result<()> {
        let (buffer, copied) = &mut self.buffers[index % 2];
        copied.synchronize()?;
        chunk.copy_from_slice(&buffer.bytes()[..chunk.len()]);
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        self.buffers.iter().try_for_each(|(_, copied)| copied.synchronize())
    }
}
