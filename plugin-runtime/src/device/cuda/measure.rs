//! Measuring what work costs on a GPU.

use std::time::Duration;

use super::event::Event;
use super::memory::{self, DeviceMemory};
use crate::device::Stream;
use crate::error::Result;

/// Times work on a GPU by events in a stream, before and after it.
///
/// On an idle stream, the time includes the host's time of enqueueing the work, as for a caller who enqueues one thing at
/// a time.
#[derive(Debug)]
pub struct GpuTimer {
    stream: Stream,
    start: Event,
    end: Event,
    flush: DeviceMemory,
}

/// This part of the buffer that empties the cache leaves most of what is in it, and takes some microseconds to write.
const WARM_SHARE: usize = 8;

impl GpuTimer {
    /// A timer of work in `stream`. It takes twice the memory of the GPU's second-level cache.
    ///
    /// # Errors
    /// On a stream of the CPU, or when the driver refuses.
    pub fn new(stream: &Stream) -> Result<Self> {
        let queue = stream.cuda()?;
        let gpu = queue.gpu();
        let flush = DeviceMemory::new(queue, 2 * gpu.properties().l2_bytes)?;
        Ok(GpuTimer { stream: stream.clone(), start: Event::new(gpu, true)?, end: Event::new(gpu, true)?, flush })
    }

    /// The time of what `work` puts into the stream, with the caches as the work before left them. Waits for it.
    ///
    /// # Errors
    /// When `work` fails, while it is enqueued or later.
    pub fn time(&self, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let _bound = self.stream.bind()?;
        let queue = self.stream.cuda()?;
        queue.record_event(&self.start)?;
        work()?;
        queue.record_event(&self.end)?;
        self.end.synchronize()?;
        Ok(Duration::from_secs_f64(f64::from(self.end.milliseconds_since(&self.start)?).max(0.0) / 1e3))
    }

    /// As [`GpuTimer::time`], with nothing in the second-level cache that the work reads. The host enqueues the work
    /// while the GPU is still busy with that, so that this isn't part of the time.
    ///
    /// # Errors
    /// As [`GpuTimer::time`].
    pub fn time_cold(&self, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        self.time_behind(self.flush.len(), work)
    }

    /// As [`GpuTimer::time_cold`], but most of what is in the cache stays there.
    pub(crate) fn time_warm(&self, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        self.time_behind(self.flush.len() / WARM_SHARE, work)
    }

    /// The time of `work`, enqueued while the GPU writes some bytes.
    fn time_behind(&self, bytes: usize, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let _bound = self.stream.bind()?;
        memory::fill(self.stream.cuda()?, self.flush.address(), bytes, 0)?;
        self.time(work)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::device::Device;
    use crate::device::cuda::{DeviceTensor, device_copy};
    use crate::tensor::{DataType, HostTensor};

    #[test]
    fn a_stream_of_the_cpu_is_refused() {
        let stream = Device::cpu().create_stream().unwrap();
        assert!(GpuTimer::new(&stream).unwrap_err().to_string().contains("stream of the CPU"));
    }

    #[test]
    fn copies_copy_and_are_timed() {
        let device = match Device::cuda(0) {
            Ok(device) => device,
            Err(error) => {
                let required = std::env::var("GPU_TESTS").is_ok_and(|words| words.split(',').any(|w| w == "require"));
                assert!(!required, "{error}");
                let _ = writeln!(std::io::stderr().lock(), "SKIPPED copies_copy_and_are_timed: {error}");
                return;
            }
        };
        let stream = device.create_stream().unwrap();
        let timer = GpuTimer::new(&stream).unwrap();
        let data = HostTensor::from_slice(&(0..1 << 20).collect::<Vec<i32>>(), &[1 << 20]).unwrap();
        let from = DeviceTensor::from_host(&stream, &data).unwrap();
        let mut to = DeviceTensor::zeros(&stream, DataType::Int32, &[1 << 20]).unwrap();
        let mut short = DeviceTensor::zeros(&stream, DataType::Int32, &[3]).unwrap();
        assert!(timer.time(|| device_copy(&stream, &from, &mut to)).unwrap() > Duration::ZERO);
        assert_eq!(to.to_host(&stream).unwrap().bytes(), data.bytes());
        to.fill(&stream, 0).unwrap();
        assert!(timer.time_cold(|| device_copy(&stream, &from, &mut to)).unwrap() > Duration::ZERO);
        assert_eq!(to.to_host(&stream).unwrap().bytes(), data.bytes());
        let error = device_copy(&stream, &from, &mut short).unwrap_err().to_string();
        assert!(error.contains("4194304 bytes can't be copied to a tensor of 12"), "{error}");
    }
}
