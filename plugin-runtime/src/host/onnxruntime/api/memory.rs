//! Memory of the runtime.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::Context;
use crate::error::{Error, Result};
use crate::host::onnxruntime::abi::{Api, OrtAllocator};

/// An allocator of the runtime.
#[derive(Debug)]
pub(in crate::host::onnxruntime) struct Allocator {
    api: Api,
    raw: *mut OrtAllocator,
    owned: bool,
}

// SAFETY: the runtime's allocators lock by themselves.
#[expect(unsafe_code, reason = "a handle of a runtime that locks by itself")]
unsafe impl Send for Allocator {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a runtime that locks by itself")]
unsafe impl Sync for Allocator {}

#[expect(unsafe_code, reason = "calls the runtime; each call's arguments are the allocator, and locals")]
impl Allocator {
    pub(super) fn own(api: Api, raw: *mut OrtAllocator) -> Allocator {
        Allocator { api, raw, owned: true }
    }

    /// That of host memory, which all share.
    pub(in crate::host::onnxruntime) fn of_host(api: Api) -> Result<Allocator> {
        let mut raw = ptr::null_mut();
        // SAFETY: a local.
        unsafe { api.default_allocator(&raw mut raw)? };
        Ok(Allocator { api, raw, owned: false })
    }

    pub(super) fn raw(&self) -> *mut OrtAllocator {
        self.raw
    }

    /// The number of the device whose memory it is.
    pub(in crate::host::onnxruntime) fn device(&self) -> Result<usize> {
        let (mut memory, mut id): (_, c_int) = (ptr::null(), 0);
        // SAFETY: the memory's description lives as long as the allocator.
        unsafe {
            self.api.allocator_memory(self.raw, &raw mut memory)?;
            self.api.memory_id(memory, &raw mut id)?;
        }
        usize::try_from(id).map_err(|_| Error::invalid(format_args!("the node's memory is on device {id}")))
    }

    /// Host memory for one run.
    ///
    /// # Errors
    /// When there isn't as much.
    pub(in crate::host::onnxruntime) fn host(&self, bytes: usize) -> Result<Scratch<'_>> {
        let mut start = ptr::null_mut();
        // SAFETY: a local.
        unsafe { self.api.allocate(self.raw, bytes, &raw mut start)? };
        self.scratch(start, bytes)
    }

    /// Memory of the node's device for one run, in the order of the run's stream.
    ///
    /// # Errors
    /// When there isn't as much.
    pub(in crate::host::onnxruntime) fn device_scratch(
        &self,
        context: Context<'_>,
        bytes: usize,
    ) -> Result<Scratch<'_>> {
        let (mut memory, mut start) = (ptr::null(), ptr::null_mut());
        // SAFETY: the memory's description lives as long as the allocator.
        unsafe {
            self.api.allocator_memory(self.raw, &raw mut memory)?;
            self.api.scratch(context.raw(), memory, bytes, &raw mut start)?;
        }
        self.scratch(start, bytes)
    }

    fn scratch(&self, start: *mut c_void, bytes: usize) -> Result<Scratch<'_>> {
        match start.is_null() && bytes > 0 {
            true => Err(Error::new(
                crate::ErrorKind::OutOfMemory,
                format_args!("ONNX Runtime has no {bytes} bytes of memory left"),
            )),
            false => Ok(Scratch { allocator: self, start }),
        }
    }

    /// # Safety
    /// The memory is of this allocator, and used no more.
    pub(super) unsafe fn free(&self, memory: *mut c_void) {
        // SAFETY: as the caller says. That it fails is nothing that could be acted upon.
        let _ = unsafe { self.api.free(self.raw, memory) };
    }
}

impl Drop for Allocator {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: it is ours.
            #[expect(unsafe_code, reason = "calls the runtime")]
            unsafe {
                self.api.release_allocator(self.raw);
            }
        }
    }
}

/// Memory for one run.
#[derive(Debug)]
pub(in crate::host::onnxruntime) struct Scratch<'a> {
    allocator: &'a Allocator,
    start: *mut c_void,
}

impl Scratch<'_> {
    pub(in crate::host::onnxruntime) fn start(&self) -> *mut c_void {
        self.start
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // SAFETY: it came from this allocator; what the run enqueued is before it in the stream.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            self.allocator.free(self.start);
        }
    }
}
