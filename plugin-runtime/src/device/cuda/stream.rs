//! Queues of work.

use std::sync::Arc;

use super::sys::{self, CUstream};

use super::driver::check;
use super::event::Event;
use super::gpu::Gpu;
use super::graph::{Graph, Recorded};
use super::queue::Queue;
use crate::error::Result;

/// A queue of work on a GPU.
#[derive(Debug)]
pub(crate) struct CudaStream {
    gpu: &'static Gpu,
    raw: CUstream,
    /// Owns `raw` if it was created here; memory that its work used shares the ownership.
    queue: Arc<Queue>,
}

// SAFETY: the driver allows every thread to use a stream.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Send for CudaStream {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a driver that locks by itself")]
unsafe impl Sync for CudaStream {}

impl CudaStream {
    pub(crate) fn new(gpu: &'static Gpu) -> Result<Self> {
        let _bound = gpu.bind()?;
        let mut raw = std::ptr::null_mut();
        let flags = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: the pointer is to a local; a context is current.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamCreate(&raw mut raw, flags) }, "cuStreamCreate")?;
        Ok(CudaStream { gpu, raw, queue: Arc::new(Queue::own(gpu, raw)) })
    }

    /// Borrows a stream, which is never destroyed here.
    ///
    /// # Errors
    /// When the driver doesn't know it.
    pub(crate) fn borrow(gpu: &'static Gpu, raw: CUstream) -> Result<Self> {
        let _bound = gpu.bind()?;
        Ok(CudaStream { gpu, raw, queue: Queue::borrow(gpu, raw)? })
    }

    /// The part that memory used by its work keeps.
    #[inline]
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    #[inline]
    pub(crate) fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    #[inline]
    pub(crate) fn raw(&self) -> CUstream {
        self.raw
    }

    /// The address of the part that memory keeps: no other queue of work has it while this is there.
    #[inline]
    pub(crate) fn queue_address(&self) -> usize {
        Arc::as_ptr(&self.queue).addr()
    }

    /// Whether work in both is one queue of work.
    #[inline]
    pub(crate) fn is(&self, other: &CudaStream) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue)
    }

    #[inline]
    pub(crate) fn is_borrowed(&self) -> bool {
        self.queue.is_borrowed()
    }

    /// Whether its owner is capturing it.
    #[inline]
    pub(crate) fn is_captured(&self) -> Result<bool> {
        self.queue.is_captured()
    }

    /// Records an event after the work that was put into it, for others to wait for: `captured` as
    /// [`CudaStream::is_captured`] says.
    #[inline]
    pub(crate) fn ran(&self, captured: bool) -> Result<()> {
        self.queue.ran(captured)
    }

    /// Waits until all work in it is done.
    pub(crate) fn synchronize(&self) -> Result<()> {
        let _bound = self.gpu.bind()?;
        // SAFETY: the stream lives.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamSynchronize(self.raw) }, "cuStreamSynchronize")
    }

    /// Waits until the work that was put into it here is done; the stream itself may be gone, if it was borrowed.
    pub(crate) fn finish(&self) -> Result<()> {
        self.queue.synchronize()
    }

    /// Orders later work in this stream after the work that is in another one now.
    pub(crate) fn wait_for(&self, other: &CudaStream) -> Result<()> {
        if self.is(other) { Ok(()) } else { self.queue.wait_for(&other.queue) }
    }

    /// Marks its present end.
    #[inline]
    pub(crate) fn record_event(&self, event: &Event) -> Result<()> {
        event.record_raw(self.raw)
    }

    /// Writes a number to memory that the GPU sees, once the work before is done.
    pub(crate) fn write_word(&self, address: u64, value: u32) -> Result<()> {
        // SAFETY: the stream lives; the caller owns the word at `address`.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamWriteValue32_v2(self.raw, address, value, 0) }, "cuStreamWriteValue32")
    }

    /// Captures what `enqueue` puts into this stream instead of running it.
    pub(crate) fn record(&self, enqueue: impl FnOnce() -> Result<()>) -> Result<Recorded> {
        let _bound = self.gpu.bind()?;
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        let recording = self.queue.begin_recording(|| {
            // SAFETY: the stream lives.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuStreamBeginCapture_v2(self.raw, mode) }, "cuStreamBeginCapture")
        })?;
        let enqueued = enqueue();
        let mut recorded = Recorded { raw: std::ptr::null_mut() };
        // SAFETY: the stream is being captured; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        let ended = check(unsafe { sys::cuStreamEndCapture(self.raw, &raw mut recorded.raw) }, "cuStreamEndCapture");
        drop(recording);
        enqueued.and(ended).map(|()| recorded)
    }

    /// Runs what was recorded.
    #[inline]
    pub(crate) fn launch(&self, graph: &Graph) -> Result<()> {
        // SAFETY: graph and stream live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuGraphLaunch(graph.raw, self.raw) }, "cuGraphLaunch")
    }
}

impl Drop for CudaStream {
    fn drop(&mut self) {
        self.queue.close();
    }
}
