//! The least that work on memory can take: a copy of as many bytes.

use plugin_runtime::device::cpu;
use plugin_runtime::tensor::{DataType, HostTensor};

use crate::runner::failure::{Failure, Result};

/// A copy that reads and writes `bytes` in all.
#[derive(Debug)]
pub(super) struct Floor {
    from: HostTensor,
    to: HostTensor,
}

impl Floor {
    /// # Errors
    /// When there isn't enough memory.
    pub(super) fn new(bytes: u64) -> Result<Self> {
        let half = [i64::try_from(bytes.div_ceil(2)).map_err(Failure::work)?];
        let mut from = HostTensor::zeros(DataType::UInt8, &half)?;
        let mut to = HostTensor::zeros(DataType::UInt8, &half)?;
        // Written once, so that every page is there before anything is timed.
        from.bytes_mut().fill(1);
        to.bytes_mut().fill(2);
        Ok(Floor { from, to })
    }

    pub(super) fn copy_on_one_thread(&mut self) {
        self.to.bytes_mut().copy_from_slice(self.from.bytes());
        std::hint::black_box(&mut self.to);
    }

    /// The copy in equal parts, one per thread.
    pub(super) fn copy_on_all_threads(&mut self) {
        let from = self.from.bytes();
        let part = from.len().div_ceil(cpu::threads()).next_multiple_of(64);
        cpu::for_each_chunk_mut(self.to.bytes_mut(), part, |index, to| {
            let start = index * part;
            to.copy_from_slice(&from[start..start + to.len()]);
        });
        std::hint::black_box(&mut self.to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_copy_everything() {
        for bytes in [0, 1, 2, 63, 10_000] {
            for copy in [Floor::copy_on_one_thread, Floor::copy_on_all_threads] {
                let mut floor = Floor::new(bytes).unwrap();
                copy(&mut floor);
                assert_eq!(floor.to.bytes(), floor.from.bytes());
                assert_eq!(floor.to.bytes().len() as u64, bytes.div_ceil(2));
            }
        }
    }
}
