//! How long work takes on a device.

use std::time::{Duration, Instant};

use crate::device::cuda::{DeviceMemory, Event, memory};
use crate::device::{Active, Region, Stream};
use crate::error::Result;
use crate::tensor::HostBytes;

/// What the caches hold before a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cache {
    /// What runs before left.
    Warm,
    /// On a GPU, nothing that the run reads.
    Cold,
}

/// Times work: on the CPU with the host's clock, on a GPU with events before and after it.
#[derive(Debug)]
pub(super) enum Clock {
    Host,
    Gpu { start: Event, end: Event, flush: DeviceMemory },
}

/// This part of the buffer that empties the cache leaves most of what is in it, and takes some microseconds to write.
const WARM_SHARE: usize = 8;

impl Clock {
    pub(super) fn new(stream: &Stream) -> Result<Self> {
        let Some(gpu) = stream.device().gpu() else { return Ok(Clock::Host) };
        let flush = DeviceMemory::new(stream.cuda()?, 2 * gpu.properties().l2_bytes)?;
        Ok(Clock::Gpu { start: Event::new(gpu, true)?, end: Event::new(gpu, true)?, flush })
    }

    pub(super) fn knows_cold(&self) -> bool {
        matches!(self, Clock::Gpu { .. })
    }

    pub(super) fn time(&self, stream: &Stream, cache: Cache, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let Clock::Gpu { start, end, flush } = self else {
            let start = Instant::now();
            return work().map(|()| start.elapsed());
        };
        let queue = stream.cuda()?;
        stream.bind()?;
        // The GPU is kept busy until the work is enqueued, so that how long that takes isn't counted.
        let len = match cache {
            Cache::Cold => flush.len(),
            Cache::Warm => flush.len() / WARM_SHARE,
        };
        memory::fill(queue, flush.address(), len, 0)?;
        start.record(queue)?;
        work()?;
        end.record(queue)?;
        end.synchronize()?;
        Ok(Duration::from_secs_f64(f64::from(end.milliseconds_since(start)?).max(0.0) / 1e3))
    }
}

/// What a tensor held before it was updated, in the memory of the device.
#[derive(Debug)]
pub(super) enum Original {
    Host(HostBytes),
    Gpu(DeviceMemory),
}

impl Original {
    pub(super) fn new(bytes: HostBytes, stream: &Stream) -> Result<Self> {
        if stream.device().gpu().is_none() {
            return Ok(Original::Host(bytes));
        }
        let copy = DeviceMemory::new(stream.cuda()?, bytes.len())?;
        copy.upload(stream.cuda()?, 0, &bytes)?;
        Ok(Original::Gpu(copy))
    }

    pub(super) fn restore(&self, region: Region, active: &mut Active<'_>, stream: &Stream) -> Result<()> {
        match self {
            Original::Host(bytes) => active.copy_in(region, bytes, stream),
            Original::Gpu(copy) => {
                stream.bind()?;
                let to = active.device_address(region, true)?;
                memory::copy(stream.cuda()?, copy.address(), to, copy.len().min(region.len))
            }
        }
    }
}
