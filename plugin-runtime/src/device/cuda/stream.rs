//! Queues of work, and marks in them.

use std::sync::Arc;

use cudarc::driver::sys::{self, CUevent, CUevent_flags, CUgraph, CUgraphExec, CUresult, CUstream};

use super::driver::check;
use super::gpu::Gpu;
use super::queue::Queue;
use crate::error::Result;

/// A queue of work on a GPU.
#[derive(Debug)]
pub(crate) struct CudaStream {
    gpu: &'static Gpu,
    raw: CUstream,
    /// Owns `raw`, also for memory that its work used.
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
        gpu.bind()?;
        let mut raw = std::ptr::null_mut();
        let flags = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: the pointer is to a local; a context is current.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamCreate(&raw mut raw, flags) }, "cuStreamCreate")?;
        Ok(CudaStream { gpu, raw, queue: Arc::new(Queue::new(gpu, raw)) })
    }

    /// What memory that its work uses keeps of it.
    #[inline]
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    #[inline]
    pub(crate) fn gpu(&self) -> &'static Gpu {
        self.gpu
    }

    #[inline]
    pub(super) fn raw(&self) -> CUstream {
        self.raw
    }

    /// Waits until all work in it is done.
    pub(crate) fn synchronize(&self) -> Result<()> {
        self.gpu.bind()?;
        // SAFETY: the stream lives.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamSynchronize(self.raw) }, "cuStreamSynchronize")
    }

    /// Lets later work in this stream wait for an event.
    pub(crate) fn wait_for(&self, event: &Event) -> Result<()> {
        // SAFETY: stream and event live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamWaitEvent(self.raw, event.raw, 0) }, "cuStreamWaitEvent")
    }

    /// Writes a number to memory that the GPU sees, once the work before is done.
    pub(crate) fn write_word(&self, address: u64, value: u32) -> Result<()> {
        // SAFETY: the stream lives; the caller owns the word at `address`.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuStreamWriteValue32_v2(self.raw, address, value, 0) }, "cuStreamWriteValue32")
    }

    /// Records what `enqueue` puts into this stream instead of running it.
    pub(crate) fn record(&self, enqueue: impl FnOnce() -> Result<()>) -> Result<Recorded> {
        self.gpu.bind()?;
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

/// Recorded work.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(super) raw: CUgraph,
}

impl Recorded {
    /// Makes it ready to run.
    pub(crate) fn instantiate(&self) -> Result<Graph> {
        let mut raw: CUgraphExec = std::ptr::null_mut();
        // SAFETY: the graph lives; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuGraphInstantiateWithFlags(&raw mut raw, self.raw, 0) }, "cuGraphInstantiate")?;
        Ok(Graph { raw })
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: nobody else has it.
            #[expect(unsafe_code, reason = "calls the driver")]
            let _ = unsafe { sys::cuGraphDestroy(self.raw) };
        }
    }
}

/// Recorded work, ready to run.
#[derive(Debug)]
pub(crate) struct Graph {
    raw: CUgraphExec,
}

// SAFETY: a handle that is used by one thread at a time, since launches borrow the context that owns it exclusively.
#[expect(unsafe_code, reason = "a handle of the driver that may change threads")]
unsafe impl Send for Graph {}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: nobody else has it; the driver waits with what still runs.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = unsafe { sys::cuGraphExecDestroy(self.raw) };
    }
}

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
    /// One that other work waits for; with a time only if `timed`.
    pub(crate) fn new(gpu: &'static Gpu, timed: bool) -> Result<Self> {
        gpu.bind()?;
        let flags = if timed { CUevent_flags::CU_EVENT_DEFAULT } else { CUevent_flags::CU_EVENT_DISABLE_TIMING };
        let mut raw = std::ptr::null_mut();
        // SAFETY: the pointer is to a local; a context is current.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventCreate(&raw mut raw, flags as u32) }, "cuEventCreate")?;
        Ok(Event { gpu, raw })
    }

    /// Marks the present end of a stream.
    pub(crate) fn record(&self, stream: &CudaStream) -> Result<()> {
        // SAFETY: event and stream live.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventRecord(self.raw, stream.raw) }, "cuEventRecord")
    }

    /// Waits until the work before the mark is done.
    pub(crate) fn synchronize(&self) -> Result<()> {
        self.gpu.bind()?;
        // SAFETY: the event lives.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuEventSynchronize(self.raw) }, "cuEventSynchronize")
    }

    /// Milliseconds from an earlier mark to this, both passed.
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
