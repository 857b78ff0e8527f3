//! The part of a stream that memory keeps after the stream's work used it: enough to wait for that work.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::sys::{self, CUresult, CUstream};

use super::driver::{check, relaxed};
use super::event::Event;
use super::gpu::Gpu;
use crate::error::Result;

/// A stream of the driver.
#[derive(Debug)]
pub(super) struct Queue {
    gpu: &'static Gpu,
    raw: CUstream,
    origin: Origin,
    /// How many `CudaStream`s can put work into it.
    users: AtomicUsize,
    /// While it is being captured here, an event before the capture.
    recording: Mutex<Option<Event>>,
}

/// Whose a stream is.
#[derive(Debug)]
enum Origin {
    /// Made here: it lives as long as somebody may have to wait for its work.
    Own,
    /// Borrowed: its owner may destroy it as soon as a run returned. It is used during runs only; later work that has
    /// to wait waits for `ran`, an event that each run records.
    Borrowed { id: Option<u64>, ran: Event },
}

// SAFETY: the driver allows every thread to use a stream.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Send for Queue {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Sync for Queue {}

/// The borrowed streams that somebody may have to wait for, by GPU and by the number that the driver gives no stream
/// twice: a handle may come again for another stream, and that of the per-thread stream is one for all threads.
static BORROWED: Mutex<Option<BorrowedQueues>> = Mutex::new(None);

type BorrowedQueues = HashMap<(usize, u64), Weak<Queue>>;

impl Queue {
    /// Takes over a stream that was just made.
    pub(super) fn own(gpu: &'static Gpu, raw: CUstream) -> Self {
        Queue::new(gpu, raw, Origin::Own)
    }

    fn new(gpu: &'static Gpu, raw: CUstream, origin: Origin) -> Self {
        Queue { gpu, raw, origin, users: AtomicUsize::new(1), recording: Mutex::new(None) }
    }

    /// Borrows a stream. Two borrows of one stream are one queue.
    ///
    /// # Errors
    /// When the driver doesn't know the stream.
    pub(super) fn borrow(gpu: &'static Gpu, raw: CUstream) -> Result<Arc<Self>> {
        if is_captured(raw)? {
            // It doesn't tell its number then, and being asked would end the capture. Nothing waits for its work.
            let ran = relaxed(|| Event::new(gpu, false))?;
            return Ok(Arc::new(Queue::new(gpu, raw, Origin::Borrowed { id: None, ran })));
        }
        let mut id = 0;
        // SAFETY: whoever lends the stream says that it lives; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamGetId(raw, &raw mut id) }, "cuStreamGetId")?;
        let mut borrowed = BORROWED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = borrowed.get_or_insert_default();
        if let Some(queue) = known.get(&(gpu.ordinal(), id)).and_then(Weak::upgrade) {
            queue.users.fetch_add(1, Ordering::AcqRel);
            return Ok(queue);
        }
        let ran = Event::new(gpu, false)?;
        let queue = Arc::new(Queue::new(gpu, raw, Origin::Borrowed { id: Some(id), ran }));
        known.insert((gpu.ordinal(), id), Arc::downgrade(&queue));
        Ok(queue)
    }

    #[inline]
    pub(super) fn is_borrowed(&self) -> bool {
        matches!(self.origin, Origin::Borrowed { .. })
    }

    /// Whether its owner is capturing it.
    #[inline]
    pub(super) fn is_captured(&self) -> Result<bool> {
        match &self.origin {
            Origin::Own => Ok(false),
            Origin::Borrowed { .. } => is_captured(self.raw),
        }
    }

    /// Records an event at the end of a run, where the stream is borrowed. A captured run doesn't run now: its order is
    /// the business of whoever launches the graph.
    #[inline]
    pub(super) fn ran(&self, captured: bool) -> Result<()> {
        match &self.origin {
            Origin::Borrowed { ran, .. } if !captured => ran.record_raw(self.raw),
            Origin::Own | Origin::Borrowed { .. } => Ok(()),
        }
    }

    /// Drops one user, who puts no more work into it.
    pub(super) fn close(&self) {
        self.users.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether nothing runs in it, and nothing ever will.
    pub(super) fn is_over(&self) -> bool {
        if self.users.load(Ordering::Acquire) > 0 {
            return false;
        }
        let Ok(_bound) = self.gpu.bind() else { return false };
        match &self.origin {
            // SAFETY: the stream lives; nothing is recorded from it, as nobody else has it.
            #[expect(unsafe_code, reason = "calls the driver")]
            Origin::Own => unsafe { sys::cuStreamQuery(self.raw) == CUresult::CUDA_SUCCESS },
            Origin::Borrowed { ran, .. } => ran.has_passed(),
        }
    }

    /// Orders later work here after the work that is in another queue now. While that is being captured, nothing of it
    /// runs: what was there before is waited for. Work that is captured can't wait for what isn't: the host waits then.
    pub(super) fn wait_for(&self, other: &Queue) -> Result<()> {
        let _bound = self.gpu.bind()?;
        if self.is_captured()? {
            return relaxed(|| other.synchronize());
        }
        let recording = other.recording();
        match (&*recording, &other.origin) {
            (Some(before), _) => before.hold_back_raw(self.raw),
            (None, Origin::Borrowed { ran, .. }) => ran.hold_back_raw(self.raw),
            (None, Origin::Own) => other.mark()?.hold_back_raw(self.raw),
        }
    }

    /// Waits until all that is in it now is done.
    pub(super) fn synchronize(&self) -> Result<()> {
        let mark = match (&*self.recording(), &self.origin) {
            (Some(before), _) => return before.synchronize(),
            (None, Origin::Borrowed { ran, .. }) => return ran.synchronize(),
            (None, Origin::Own) => self.mark()?,
        };
        mark.synchronize()
    }

    /// An event at its end, while it lives.
    fn mark(&self) -> Result<Event> {
        let _bound = self.gpu.bind()?;
        let event = Event::new(self.gpu, false)?;
        event.record_raw(self.raw)?;
        Ok(event)
    }

    fn recording(&self) -> MutexGuard<'_, Option<Event>> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a capture of it, which lasts until the guard is dropped.
    pub(super) fn begin_recording(&self, begin: impl FnOnce() -> Result<()>) -> Result<Recording<'_>> {
        let mut recording = self.recording();
        let before = self.mark()?;
        begin()?;
        *recording = Some(before);
        Ok(Recording(self))
    }
}

fn is_captured(stream: CUstream) -> Result<bool> {
    let mut status = sys::CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_NONE;
    // SAFETY: the stream lives while it is used; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    check(unsafe { sys::cuStreamIsCapturing(stream, &raw mut status) }, "cuStreamIsCapturing")?;
    Ok(status != sys::CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_NONE)
}

impl Drop for Queue {
    fn drop(&mut self) {
        match &self.origin {
            Origin::Own => {
                let Ok(_bound) = self.gpu.bind() else { return };
                // SAFETY: nobody else has it. The driver destroys it once its work is done; what it answers can't be
                // acted upon.
                #[expect(unsafe_code, reason = "calls the driver")]
                let _ = unsafe { sys::cuStreamDestroy_v2(self.raw) };
            }
            Origin::Borrowed { id: None, .. } => {}
            Origin::Borrowed { id: Some(id), .. } => {
                let mut borrowed = BORROWED.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(known) = &mut *borrowed else { return };
                let key = (self.gpu.ordinal(), *id);
                // Another may have taken its place meanwhile.
                if known.get(&key).is_some_and(|queue| queue.strong_count() == 0) {
                    known.remove(&key);
                }
            }
        }
    }
}

/// A capture in progress.
pub(super) struct Recording<'q>(&'q Queue);

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        *self.0.recording() = None;
    }
}
