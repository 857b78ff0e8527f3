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
    gpu: &'static Gpu,
    buffers: [Buffer; 2],
}

/// A page-locked buffer, as large as what went through it needed: to lock pages takes the driver longer than to copy as many.
#[derive(Debug)]
struct Buffer {
    memory: Option<PinnedMemory>,
    /// Marks the end of the GPU's last copy.
    copied: Event,
}

/// A buffer has at most so many bytes, and at least so many.
const MOST_BYTES: usize = 8 << 20;
const FEWEST_BYTES: usize = 64 << 10;

impl Buffer {
    /// The first `len` bytes, at most [`MOST_BYTES`], once the GPU doesn't use them any more.
    fn room(&mut self, gpu: &'static Gpu, len: usize) -> Result<&mut [u8]> {
        self.copied.synchronize()?;
        if self.memory.as_ref().is_none_or(|memory| memory.len < len) {
            self.memory = None;
            self.memory = Some(PinnedMemory::zeroed(gpu, len.next_power_of_two().clamp(FEWEST_BYTES, MOST_BYTES))?);
        }
        let room = self.memory.as_mut().and_then(|memory| memory.bytes().get_mut(..len));
        room.ok_or_else(|| Error::invalid("too little page-locked memory"))
    }
}

impl Staging {
    pub(super) fn new(gpu: &'static Gpu) -> Result<Self> {
        let buffer = || -> Result<_> { Ok(Buffer { memory: None, copied: Event::new(gpu, false)? }) };
        Ok(Staging { gpu, buffers: [buffer()?, buffer()?] })
    }

    pub(super) fn upload(&mut self, stream: &CudaStream, address: u64, bytes: &[u8]) -> Result<()> {
        for (index, chunk) in bytes.chunks(MOST_BYTES).enumerate() {
            let buffer = &mut self.buffers[index % 2];
            let room = buffer.room(self.gpu, chunk.len())?;
            room.copy_from_slice(chunk);
            let from = room.as_ptr().cast();
            let to = address + (index * MOST_BYTES) as u64;
            // SAFETY: the buffer holds the chunk and isn't touched before `copied`; the caller owns the target.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuMemcpyHtoDAsync_v2(to, from, chunk.len(), stream.raw()) }, "cuMemcpyHtoDAsync")?;
            stream.record_event(&buffer.copied)?;
        }
        self.settle()
    }

    pub(super) fn download(&mut self, stream: &CudaStream, address: u64, bytes: &mut [u8]) -> Result<()> {
        let mut pending: Option<(usize, &mut [u8])> = None;
        for (index, chunk) in bytes.chunks_mut(MOST_BYTES).enumerate() {
            let buffer = &mut self.buffers[index % 2];
            let to = buffer.room(self.gpu, chunk.len())?.as_mut_ptr().cast();
            let from = address + (index * MOST_BYTES) as u64;
            // SAFETY: the buffer is as large as the chunk, and was emptied; the caller may read the source.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuMemcpyDtoHAsync_v2(to, from, chunk.len(), stream.raw()) }, "cuMemcpyDtoHAsync")?;
            stream.record_event(&buffer.copied)?;
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
        chunk.copy_from_slice(self.buffers[index % 2].room(self.gpu, chunk.len())?);
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        self.buffers.iter().try_for_each(|buffer| buffer.copied.synchronize())
    }
}
