//! Lower bounds for benchmarks: a device copy, and an engine's launches without the engine.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use super::graph::{Graph, Recorded};
use super::memory;
use super::nodes::KernelNode;
use super::tensor::DeviceTensor;
use crate::device::Stream;
use crate::error::{Error, Result};
#[cfg(feature = "bench")]
use crate::shape::Dims;
#[cfg(feature = "bench")]
use crate::tensor::{DeviceSlice, DeviceSliceMut, Representation};

/// Copies a tensor's bytes within a GPU's memory, in the order of `stream`: the fastest way of reading and writing as
/// much.
///
/// # Errors
/// When the tensors haven't equally many bytes, or are on another device than the stream.
pub fn device_copy(stream: &Stream, from: &DeviceTensor, to: &mut DeviceTensor) -> Result<()> {
    from.on(stream)?;
    to.on(stream)?;
    if from.byte_len() != to.byte_len() {
        return Err(Error::invalid(format_args!(
            "{} bytes can't be copied to a tensor of {}",
            from.byte_len(),
            to.byte_len()
        )));
    }
    let _bound = stream.bind()?;
    from.use_for_reading(stream.cuda()?)?;
    to.use_for_writing(stream.cuda()?)?;
    memory::copy(stream.cuda()?, from.address(), to.address(), from.byte_len())
}

/// Converts the bytes of a tensor from one representation to another in those of a tensor, in the order of `stream`.
///
/// # Errors
/// As `reformat`, or when a tensor is on another device than the stream.
#[cfg(feature = "bench")]
pub(in crate::device) fn convert(
    stream: &Stream,
    (from, source): (Representation, &DeviceTensor),
    (to, target): (Representation, &mut DeviceTensor),
    dims: &Dims,
) -> Result<()> {
    source.on(stream)?;
    target.on(stream)?;
    let _bound = stream.bind()?;
    source.use_for_reading(stream.cuda()?)?;
    target.use_for_writing(stream.cuda()?)?;
    let source = DeviceSlice::new(source.address(), source.byte_len())?;
    let target = DeviceSliceMut::new(target.address(), target.byte_len())?;
    super::reformat::reformat(stream, (from, source), (to, target), dims, None)
}

/// The driver calls of one run of an engine, without the engine: the same kernels with the same parameters, as
/// [`ExecutionContext::bare_launches`](crate::engine::ExecutionContext::bare_launches) recorded them. It runs with the
/// memory that it was recorded with, which it borrows.
#[derive(Debug)]
pub struct BareLaunches<'a> {
    stream: Stream,
    kernels: Vec<KernelNode>,
    graph: Graph,
    /// Owns what the parameters of `kernels` point to.
    #[expect(dead_code, reason = "kept for as long as its kernels are launched")]
    recorded: Recorded,
    memory: PhantomData<&'a mut ()>,
}

impl BareLaunches<'_> {
    pub(crate) fn new(stream: &Stream, recorded: Recorded) -> Result<Self> {
        Ok(BareLaunches {
            stream: stream.clone(),
            kernels: recorded.kernels()?,
            graph: recorded.instantiate()?,
            recorded,
            memory: PhantomData,
        })
    }

    /// How many kernels a run launches.
    pub fn kernels(&self) -> usize {
        self.kernels.len()
    }

    /// The host's time for `count` calls of `cuLaunchKernel`, of the only kernel; an average. The GPU runs them later.
    ///
    /// # Errors
    /// When a run launches no or several kernels, or the driver refuses.
    pub fn host_time_of_kernel(&self, count: u32) -> Result<Duration> {
        let [kernel] = &*self.kernels else {
            return Err(Error::invalid(format_args!("a run launches {} kernels; expected one", self.kernels.len())));
        };
        self.host_time(count, |queue| queue.launch_node(kernel))
    }

    /// The host's time for `count` calls of `cuGraphLaunch`, of all that a run does; an average. The GPU runs them later.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn host_time_of_graph(&self, count: u32) -> Result<Duration> {
        self.host_time(count, |queue| queue.launch(&self.graph))
    }

    fn host_time(&self, count: u32, launch: impl Fn(&super::CudaStream) -> Result<()>) -> Result<Duration> {
        let _bound = self.stream.bind()?;
        let queue = self.stream.cuda()?;
        let start = Instant::now();
        for _ in 0..count {
            launch(queue)?;
        }
        Ok(start.elapsed().checked_div(count).unwrap_or_default())
    }
}
