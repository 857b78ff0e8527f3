//! How long work takes on a device.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use crate::device::cuda::{DeviceMemory, GpuTimer, memory};
use crate::device::{Active, Region, Stream};
use crate::error::Result;
use crate::tensor::{HostBytes, HostTensor};

/// The state of the caches before a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cache {
    /// As the runs before left them.
    Warm,
    /// On a GPU, nothing that the run reads.
    Cold,
}

/// Times work: on the CPU with the host's clock, on a GPU with events before and after it, enqueued while the GPU is
/// busy, so that how long that takes isn't counted.
#[derive(Debug)]
pub(super) enum Clock {
    Host,
    Gpu(GpuTimer),
}

impl Clock {
    pub(super) fn new(stream: &Stream) -> Result<Self> {
        match stream.device().gpu() {
            Some(_) => Ok(Clock::Gpu(GpuTimer::new(stream)?)),
            None => Ok(Clock::Host),
        }
    }

    pub(super) fn knows_cold(&self) -> bool {
        matches!(self, Clock::Gpu(_))
    }

    pub(super) fn time(&self, cache: Cache, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        match (self, cache) {
            (Clock::Host, _) => {
                let start = Instant::now();
                work().map(|()| start.elapsed())
            }
            (Clock::Gpu(timer), Cache::Warm) => timer.time_warm(work),
            (Clock::Gpu(timer), Cache::Cold) => timer.time_cold(work),
        }
    }
}

/// A clock for a stream's device, made when it is first asked for: on a GPU that takes memory.
#[derive(Debug)]
pub(super) struct ClockOf<'s> {
    stream: &'s Stream,
    clock: OnceCell<Clock>,
}

impl<'s> ClockOf<'s> {
    pub(super) fn new(stream: &'s Stream) -> Self {
        ClockOf { stream, clock: OnceCell::new() }
    }

    pub(super) fn stream(&self) -> &Stream {
        self.stream
    }

    pub(super) fn get(&self) -> Result<&Clock> {
        if let Some(clock) = self.clock.get() {
            return Ok(clock);
        }
        let clock = Clock::new(self.stream)?;
        Ok(self.clock.get_or_init(|| clock))
    }
}

/// An input's data in the host's memory: as it was made up, or in another type or layout.
#[derive(Debug)]
pub(super) enum HostData<'d> {
    Input(&'d HostTensor),
    Converted(HostBytes),
}

impl HostData<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            HostData::Input(data) => data.bytes(),
            HostData::Converted(bytes) => bytes,
        }
    }
}

/// A tensor's data before it is updated, in the memory of the device.
#[derive(Debug)]
pub(super) enum Original<'d> {
    Host(HostData<'d>),
    Gpu(DeviceMemory),
}

impl<'d> Original<'d> {
    pub(super) fn new(data: HostData<'d>, stream: &Stream) -> Result<Self> {
        if stream.device().gpu().is_none() {
            return Ok(Original::Host(data));
        }
        let bytes = data.bytes();
        let copy = DeviceMemory::new(stream.cuda()?, bytes.len())?;
        copy.upload(stream.cuda()?, 0, bytes)?;
        Ok(Original::Gpu(copy))
    }

    pub(super) fn restore(&self, region: Region, active: &mut Active<'_>, stream: &Stream) -> Result<()> {
        match self {
            Original::Host(data) => active.copy_in(region, data.bytes(), stream),
            Original::Gpu(copy) => {
                let _bound = stream.bind()?;
                let to = active.device_address(region, true)?;
                memory::copy(stream.cuda()?, copy.address(), to, copy.len().min(region.len))
            }
        }
    }
}
