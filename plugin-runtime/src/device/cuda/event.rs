//! Marks in streams.

use super::sys::{self, CUevent, CUevent_flags, CUresult, CUstream};

use super::driver::check;
use super::gpu::Gpu;
use crate::error::Result;

/// A mark in a stream.
#[derive(Debug)]
pub(crate) struct Event {
    gpu: &'static Gpu,
    pub(super) raw: CUevent,
}

// SAFETY: the driver allows every thread to use an event.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Send for Event {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Sync for Event {}

impl Event {
    /// An event that other work waits for; it takes a time only if `timed`.
    pub(crate) fn new(gpu: &'static Gpu, timed: bool) -> Result<Self> {
        let _bound = gpu.bind()?;
        let flags = if timed { CUevent_flags::CU_EVENT_DEFAULT } else { CUevent_flags::CU_EVENT_DISABLE_TIMING };
        let mut raw = std::ptr::null_mut();
        // SAFETY: the pointer is to a local; a context is current.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventCreate(&raw mut raw, flags as u32) }, "cuEventCreate")?;
        Ok(Event { gpu, raw })
    }

    /// Records the event at the present end of a stream that lives.
    pub(super) fn record_raw(&self, stream: CUstream) -> Result<()> {
        // SAFETY: event and stream live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventRecord(self.raw, stream) }, "cuEventRecord")
    }

    /// Orders later work in a stream that lives after the event.
    pub(super) fn hold_back_raw(&self, stream: CUstream) -> Result<()> {
        // SAFETY: event and stream live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamWaitEvent(stream, self.raw, 0) }, "cuStreamWaitEvent")
    }

    /// Waits until the work before the event is done.
    pub(crate) fn synchronize(&self) -> Result<()> {
        let _bound = self.gpu.bind()?;
        // SAFETY: the event lives.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventSynchronize(self.raw) }, "cuEventSynchronize")
    }

    /// Whether the work before the event is done; true where it was never recorded.
    pub(super) fn has_passed(&self) -> bool {
        // SAFETY: the event lives.
        #[expect(unsafe_code, reason = "calls the driver")]
        let code = unsafe { sys::cuEventQuery(self.raw) };
        code == CUresult::CUDA_SUCCESS
    }

    /// Milliseconds from an earlier event to this, both passed.
    pub(crate) fn milliseconds_since(&self, start: &Event) -> Result<f32> {
        let mut milliseconds = 0.0;
        // SAFETY: both events live; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        let code: CUresult = unsafe { sys::cuEventElapsedTime_v2(&raw mut milliseconds, start.raw, self.raw) };
        check(code, "cuEventElapsedTime").map(|()| milliseconds)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = unsafe { sys::cuEventDestroy_v2(self.raw) };
    }
}
