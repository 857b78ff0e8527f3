//! Queues of work on a device.

use std::ffi::c_void;
use std::sync::Arc;

use super::Device;
use super::cuda::{Bound, CudaStream, memory};
use crate::error::{Error, Result};
use crate::tensor::{DeviceSlice, DeviceSliceMut, Element};

/// A queue of work on a device. On the CPU, work is done when it is enqueued; on a GPU later, in the order in which it
/// was enqueued.
#[derive(Clone, Debug)]
pub struct Stream {
    device: Device,
    /// `None` on the CPU.
    pub(super) queue: Option<Arc<CudaStream>>,
}

/// Streams are equal where work in both is one queue of work: by the driver's stream, not by object.
impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        match (&self.queue, &other.queue) {
            (Some(queue), Some(other)) => queue.is(other),
            (None, None) => self.device == other.device,
            _ => false,
        }
    }
}

impl Eq for Stream {}

impl Stream {
    pub(super) fn new(device: Device, queue: Option<CudaStream>) -> Self {
        Stream { device, queue: queue.map(Arc::new) }
    }

    /// Borrows another library's stream: a `cudaStream_t` or `CUstream`, 0 (the legacy default stream), 1 and 2 (the
    /// thread's own) included. It is never destroyed here; two borrows of one stream are equal. Each run records an
    /// event, which later work is ordered after, so that the stream may be gone by then.
    ///
    /// Runs in a stream that its owner captures become part of the owner's graph: they wait for nothing and load nothing
    /// once an equal run was done before, and the order of the graph's launches is the owner's business.
    ///
    /// # Safety
    /// The stream belongs to the primary context of `device`, and lives whenever this, or what is made from it, is given
    /// work, waits or is asked to wait. 2 stands for the stream of the thread that borrows it, and is used there only.
    ///
    /// # Errors
    /// When the device isn't a GPU, or the driver doesn't know the stream.
    #[expect(unsafe_code, reason = "takes a handle on trust")]
    pub unsafe fn borrow_cuda(device: &Device, raw: *mut c_void) -> Result<Stream> {
        let Some(gpu) = device.gpu() else {
            return Err(Error::invalid(format_args!("a stream of CUDA can't be one of device `{device}`")));
        };
        Ok(Stream::new(device.clone(), Some(CudaStream::borrow(gpu, raw.cast())?)))
    }

    /// The driver's stream, a `CUstream` or `cudaStream_t`, for libraries such as cuBLAS and CUTLASS; `None` on a CPU. It
    /// lives as long as this does.
    pub fn as_raw_cuda(&self) -> Option<*mut c_void> {
        self.queue.as_ref().map(|queue| queue.raw().cast())
    }

    /// Sets every byte of memory on the GPU, in the order of the stream.
    ///
    /// # Errors
    /// On a CPU, or when the driver refuses.
    pub fn fill<T: Element>(&self, target: DeviceSliceMut<'_, T>, byte: u8) -> Result<()> {
        memory::fill(self.cuda()?, target.address(), target.len() * size_of::<T>(), byte)
    }

    /// Copies elements within the memory of the GPU, in the order of the stream.
    ///
    /// # Errors
    /// When there are more or fewer than there is room for, on a CPU, or when the driver refuses.
    pub fn copy<T: Element>(&self, from: DeviceSlice<'_, T>, to: DeviceSliceMut<'_, T>) -> Result<()> {
        if from.len() != to.len() {
            return Err(Error::plugin(format_args!("{} elements can't be copied to {}", from.len(), to.len())));
        }
        memory::copy(self.cuda()?, from.address(), to.address(), from.len() * size_of::<T>())
    }

    /// The device it belongs to.
    #[inline]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Waits until all work in it is done.
    ///
    /// # Errors
    /// When some of that work failed.
    pub fn synchronize(&self) -> Result<()> {
        self.queue.as_ref().map_or(Ok(()), |queue| queue.synchronize())
    }

    #[inline]
    pub(crate) fn cuda(&self) -> Result<&Arc<CudaStream>> {
        self.queue.as_ref().ok_or_else(not_a_gpu)
    }

    /// The address of what all streams have in common that are this queue of work; 0 on the CPU. Another may have it when
    /// they are all gone.
    #[inline]
    pub(crate) fn queue_address(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.queue_address())
    }

    /// Whether it is another library's.
    pub(crate) fn is_borrowed(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.is_borrowed())
    }

    /// Whether the calling thread has its GPU's context, as far as is known here.
    #[inline]
    pub(crate) fn is_bound(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.gpu().is_bound())
    }

    /// Whether its owner is capturing it.
    #[inline]
    pub(crate) fn is_captured(&self) -> Result<bool> {
        match &self.queue {
            Some(queue) => queue.is_captured(),
            None => Ok(false),
        }
    }

    /// Records an event after the work that was put into it, for others to wait for: `captured` as
    /// [`Stream::is_captured`] says.
    #[inline]
    pub(crate) fn ran(&self, captured: bool) -> Result<()> {
        match &self.queue {
            Some(queue) => queue.ran(captured),
            None => Ok(()),
        }
    }

    /// Makes its GPU's context current on the calling thread, until the guard is dropped.
    #[inline]
    pub(crate) fn bind(&self) -> Result<Option<Bound>> {
        self.queue.as_ref().map(|queue| queue.gpu().bind()).transpose()
    }

    /// As [`Stream::bind`], without asking the driver where this thread did it last.
    #[cfg(any(feature = "tensorrt", feature = "jax"))]
    #[inline]
    pub(crate) fn bind_again(&self) -> Result<Option<Bound>> {
        match &self.queue {
            Some(queue) => queue.gpu().bind_again(),
            None => Ok(None),
        }
    }
}

#[cold]
fn not_a_gpu() -> Error {
    Error::invalid("a CUDA kernel or tensor needs a stream of a GPU, and this is a stream of the CPU")
}
