//! The constants of an engine in a GPU's memory.

use super::Gpu;
use super::memory::DeviceMemory;
use super::services;
use crate::device::Constant;
use crate::error::{Error, Result};

/// The constants of an engine, one after another in a GPU's memory.
#[derive(Debug)]
pub(crate) struct DeviceConstants {
    memory: DeviceMemory,
    /// Offset and length of each.
    places: Vec<(usize, usize)>,
}

/// Alignment of the driver's allocations, in bytes.
const ALIGNMENT: usize = 256;

impl DeviceConstants {
    pub(crate) fn new(gpu: &'static Gpu, constants: &[Constant]) -> Result<Self> {
        let too_large = || Error::invalid("the constants need more memory than can be addressed");
        let (mut places, mut end) = (Vec::with_capacity(constants.len()), 0usize);
        for constant in constants {
            let len = constant.bytes().len();
            places.push((end, len));
            let next = end.checked_add(len).and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
            end = next.ok_or_else(too_large)?;
        }
        let stream = services::stream(gpu)?;
        let memory = DeviceMemory::new(&stream, end)?;
        for (constant, (offset, _)) in constants.iter().zip(&places) {
            memory.upload(&stream, *offset, constant.bytes())?;
        }
        stream.synchronize()?;
        Ok(DeviceConstants { memory, places })
    }

    /// Address and length of each.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u64, usize)> {
        self.places.iter().map(|&(offset, len)| (self.memory.address() + offset as u64, len))
    }
}
