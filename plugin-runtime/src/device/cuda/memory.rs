//! Memory of a GPU, allocated and freed in the order of a stream.

use std::any::Any;
use std::sync::Arc;

use super::sys::{self, CUresult};

use super::driver::{DeviceError, check, relaxed};
use super::services;
use super::staging::PinnedMemory;
use super::stream::CudaStream;
use crate::error::{Error, Result};

/// A piece of a GPU's memory, freed in the order of the stream that it was allocated on.
#[derive(Debug)]
pub(crate) struct DeviceMemory {
    stream: Arc<CudaStream>,
    address: u64,
    len: usize,
    /// Set for borrowed memory, which isn't freed here.
    lender: Option<Lender>,
}

#[derive(Debug)]
struct Lender {
    read_only: bool,
    #[expect(dead_code, reason = "gives the memory back when it is dropped")]
    owner: Box<dyn Any + Send + Sync>,
}

/// Borrowed memory, which its owner keeps until `owner` is dropped.
pub(in crate::device) struct Lent {
    pub(in crate::device) address: u64,
    /// In bytes.
    pub(in crate::device) len: usize,
    /// Whether it may not be written.
    pub(in crate::device) read_only: bool,
    pub(in crate::device) owner: Box<dyn Any + Send + Sync>,
}

impl DeviceMemory {
    /// Memory of unspecified content, to be used in `stream`'s order, or anywhere once `stream` was synchronized.
    pub(crate) fn new(stream: &Arc<CudaStream>, len: usize) -> Result<Self> {
        let gpu = stream.gpu();
        if stream.is_borrowed() {
            // It may be gone when the memory is freed.
            return DeviceMemory::anywhere(gpu, len);
        }
        let _bound = gpu.bind()?;
        let pool = gpu.pool()?;
        let mut address = 0;
        let mut allocate = || {
            // SAFETY: pool and stream live; the pointer is to a local.
            #[expect(unsafe_code, reason = "calls the driver")]
            unsafe {
                sys::cuMemAllocFromPoolAsync(&raw mut address, len.max(1), pool, stream.raw())
            }
        };
        let mut code = allocate();
        if code == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            // What was freed may still belong to streams that have work left. To wait for the whole context would spoil
            // what other threads record.
            let settled = stream.synchronize().and_then(|()| services::stream(gpu)?.synchronize());
            // SAFETY: the pool lives.
            #[expect(unsafe_code, reason = "calls the driver")]
            let _ = settled.map(|()| unsafe { sys::cuMemPoolTrimTo(pool, 0) });
            code = allocate();
        }
        check(code, "cuMemAllocFromPoolAsync").map_err(|error| explained(error, gpu, len))?;
        Ok(DeviceMemory { stream: stream.clone(), address, len, lender: None })
    }

    /// Memory that is given back when this is dropped, by when nothing uses it any more.
    pub(super) fn lent(gpu: &'static super::Gpu, lent: Lent) -> Result<Self> {
        let Lent { address, len, read_only, owner } = lent;
        let lender = Some(Lender { read_only, owner });
        Ok(DeviceMemory { stream: services::stream(gpu)?, address, len, lender })
    }

    /// As [`DeviceMemory::new`], to be used anywhere.
    pub(crate) fn anywhere(gpu: &'static super::Gpu, len: usize) -> Result<Self> {
        let stream = services::stream(gpu)?;
        let memory = DeviceMemory::new(&stream, len)?;
        stream.synchronize()?;
        Ok(memory)
    }

    /// The stream whose order it is freed in.
    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Whether it is borrowed.
    #[inline]
    pub(super) fn is_lent(&self) -> bool {
        self.lender.is_some()
    }

    #[inline]
    pub(super) fn is_read_only(&self) -> bool {
        self.lender.as_ref().is_some_and(|lender| lender.read_only)
    }

    /// Leaks it, as work that can't be waited for may still use it.
    pub(super) fn leak(&mut self) {
        self.address = 0;
        std::mem::forget(self.lender.take());
    }

    #[inline]
    pub(crate) fn address(&self) -> u64 {
        self.address
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn gpu(&self) -> &'static super::Gpu {
        self.stream.gpu()
    }

    /// Copies bytes from the host to `offset`, after the work before in `stream`. Returns when it is done.
    pub(crate) fn upload(&self, stream: &CudaStream, offset: usize, bytes: &[u8]) -> Result<()> {
        self.check_range(offset, bytes.len())?;
        upload(stream, self.address + offset as u64, bytes)
    }

    /// Copies bytes from `offset` to the host, after the work before in `stream`. Returns when it is done.
    pub(crate) fn download(&self, stream: &CudaStream, offset: usize, bytes: &mut [u8]) -> Result<()> {
        self.check_range(offset, bytes.len())?;
        download(stream, self.address + offset as u64, bytes)
    }

    fn check_range(&self, offset: usize, len: usize) -> Result<()> {
        if offset.checked_add(len).is_some_and(|end| end <= self.len) {
            return Ok(());
        }
        Err(Error::invalid(format_args!("{len} bytes from {offset} don't lie in device memory of {}", self.len)))
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        if self.address == 0 || self.is_lent() {
            return;
        }
        // SAFETY: nobody else has it, and it isn't used after what is in the stream now.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = self.gpu().bind().map(|_bound| unsafe { sys::cuMemFreeAsync(self.address, self.stream.raw()) });
    }
}

fn explained(error: Error, gpu: &super::Gpu, len: usize) -> Error {
    match error.downcast_ref::<DeviceError>() {
        Some(e) if e.is_out_of_memory() => {
            let left = match gpu.memory() {
                Ok((free, total)) => format!("; {free} of {total} bytes are free"),
                Err(_) => String::new(),
            };
            DeviceError { call: format!("allocating {len} bytes on the GPU{left}"), ..e.clone() }.into()
        }
        _ => error,
    }
}

/// Copies bytes from the host. Returns when they were read.
pub(crate) fn upload(stream: &CudaStream, address: u64, bytes: &[u8]) -> Result<()> {
    let _bound = stream.gpu().bind()?;
    relaxed(|| services::with_staging(stream.gpu(), |staging| staging.upload(stream, address, bytes)))
}

/// Copies bytes to the host, after the work before. Returns when they were written. Another thread's capture isn't disturbed.
pub(crate) fn download(stream: &CudaStream, address: u64, bytes: &mut [u8]) -> Result<()> {
    let _bound = stream.gpu().bind()?;
    relaxed(|| services::with_staging(stream.gpu(), |staging| staging.download(stream, address, bytes)))
}

/// Sets bytes of device memory, in the stream's order.
pub(crate) fn fill(stream: &CudaStream, address: u64, len: usize, value: u8) -> Result<()> {
    if len == 0 {
        return Ok(());
    }
    // SAFETY: the caller owns the bytes at `address`.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuMemsetD8Async(address, value, len, stream.raw()) }, "cuMemsetD8Async")
}

/// Copies bytes within device memory, in the stream's order.
pub(crate) fn copy(stream: &CudaStream, from: u64, to: u64, len: usize) -> Result<()> {
    if len == 0 {
        return Ok(());
    }
    // SAFETY: the caller may read `from` and owns `to`.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuMemcpyDtoDAsync_v2(to, from, len, stream.raw()) }, "cuMemcpyDtoDAsync")
}

/// Copies up to 8 bytes to page-locked memory, in the stream's order.
pub(crate) fn copy_to_pinned(
    stream: &CudaStream,
    from: u64,
    to: &PinnedMemory,
    offset: usize,
    len: usize,
) -> Result<()> {
    let Some(target) = to.place(offset, len) else {
        return Err(Error::invalid(format_args!("no {len} bytes at {offset} of page-locked memory")));
    };
    // SAFETY: the target has the bytes and is only read as words that may change; the caller may read `from`.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuMemcpyDtoHAsync_v2(target.cast(), from, len, stream.raw()) }, "cuMemcpyDtoHAsync")
}
