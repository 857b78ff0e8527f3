//! What is kept of a stream by memory that its work used: enough to wait for that work, and no more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cudarc::driver::sys::{self, CUresult, CUstream};

use super::driver::check;
use super::gpu::Gpu;
use super::stream::Event;
use crate::error::Result;

/// A stream of the driver. It lives as long as somebody may have to wait for its work.
#[derive(Debug)]
pub(super) struct Queue {
    gpu: &'static Gpu,
    raw: CUstream,
    /// Whether nobody can put work into it any more.
    closed: AtomicBool,
    /// While what is put into it is recorded, a mark before that.
    recording: Mutex<Option<Event>>,
}

// SAFETY: the driver allows every thread to use a stream.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Send for Queue {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Sync for Queue {}

impl Queue {
    /// Takes over a stream that was just made.
    pub(super) fn new(gpu: &'static Gpu, raw: CUstream) -> Self {
        Queue { gpu, raw, closed: AtomicBool::new(false), recording: Mutex::new(None) }
    }

    /// Is told that nobody puts work into it any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether nothing runs in it, and nothing ever will.
    pub(super) fn is_over(&self) -> bool {
        // SAFETY: the stream lives; nothing is recorded from it, as nobody else has it.
        #[expect(unsafe_code, reason = "calls the driver")]
        let is_idle = || self.gpu.bind().is_ok() && unsafe { sys::cuStreamQuery(self.raw) } == CUresult::CUDA_SUCCESS;
        self.closed.load(Ordering::Acquire) && is_idle()
    }

    /// Lets later work here wait for what is in another queue now. While that is being recorded, nothing of it runs: what
    /// was there before is waited for.
    pub(super) fn wait_for(&self, other: &Queue) -> Result<()> {
        let recording = other.recording();
        match &*recording {
            Some(before) => self.wait_for_event(before)?,
            None => self.wait_for_event(&other.mark()?)?,
        }
        // Another GPU's context may be the thread's now.
        self.gpu.bind()
    }

    /// Waits until all that is in it now is done.
    pub(super) fn synchronize(&self) -> Result<()> {
        let mark = match &*self.recording() {
            Some(before) => return before.synchronize(),
            None => self.mark()?,
        };
        mark.synchronize()
    }

    /// A mark at its end.
    fn mark(&self) -> Result<Event> {
        let event = Event::new(self.gpu, false)?;
        // SAFETY: event and stream live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventRecord(event.raw, self.raw) }, "cuEventRecord")?;
        Ok(event)
    }

    fn wait_for_event(&self, event: &Event) -> Result<()> {
        // SAFETY: stream and event live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamWaitEvent(self.raw, event.raw, 0) }, "cuStreamWaitEvent")
    }

    fn recording(&self) -> MutexGuard<'_, Option<Event>> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets what is put into it be recorded from here on, until what is returned is dropped.
    pub(super) fn begin_recording(&self, begin: impl FnOnce() -> Result<()>) -> Result<Recording<'_>> {
        let mut recording = self.recording();
        let before = self.mark()?;
        begin()?;
        *recording = Some(before);
        Ok(Recording(self))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: nobody else has it. The driver destroys it once its work is done; what it answers can't be acted upon.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = self.gpu.bind().map(|()| unsafe { sys::cuStreamDestroy_v2(self.raw) });
    }
}

/// A stretch of work that is recorded instead of run.
pub(super) struct Recording<'q>(&'q Queue);

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        *self.0.recording() = None;
    }
}
