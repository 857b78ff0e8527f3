//! The memory of an execution context.

use std::sync::Arc;

use super::active::{Active, DeviceExtents};
use super::binding::{BasePointer, Binding, BindingRule, check_overlaps};
use super::captured::Captured;
use super::constant::Constant;
use super::cuda::{CudaStream, DeviceConstants, DeviceMemory};
use super::{Device, Stream, cuda};
use crate::error::{Error, Result};
use crate::tensor::HostBytes;

/// The memory of one execution context.
#[derive(Debug)]
pub(crate) struct Frame {
    device: Device,
    memory: FrameMemory,
    bases: Vec<BasePointer>,
    constants: usize,
    captured: Option<Captured>,
}

#[derive(Debug)]
enum FrameMemory {
    Host {
        arena: HostBytes,
        constants: Arc<[Constant]>,
    },
    Device {
        arena: DeviceMemory,
        extents: DeviceMemory,
        #[expect(dead_code, reason = "kept for as long as its addresses are used")]
        constants: Arc<DeviceConstants>,
    },
}

// SAFETY: `bases` is only read by `Active`, which refills it from borrows that it holds while it lives; between runs
// the pointers are never followed.
#[expect(unsafe_code, reason = "pointers that are not followed may change threads")]
unsafe impl Send for Frame {}

/// The sizes of a frame's memory.
pub(crate) struct FrameSize {
    /// Bytes of the arena.
    pub(crate) arena: usize,
    /// Bytes of the table of extents that only the device knows.
    pub(crate) extents: usize,
    /// How many inputs and outputs.
    pub(crate) bindings: usize,
}

impl Frame {
    /// `on_device` are the constants in the device's memory, where it isn't the host's.
    pub(crate) fn new(
        device: &Device,
        size: &FrameSize,
        constants: Arc<[Constant]>,
        on_device: Option<Arc<DeviceConstants>>,
    ) -> Result<Self> {
        let count = constants.len();
        let mut bases = vec![BasePointer::NONE; 1 + count + size.bindings];
        let memory = match (device.gpu(), on_device) {
            (Some(gpu), Some(constants)) => {
                let arena = DeviceMemory::anywhere(gpu, size.arena)?;
                bases[0] = BasePointer::device(arena.address(), arena.len(), true);
                for (base, (address, len)) in bases[1..].iter_mut().zip(constants.places()) {
                    *base = BasePointer::device(address, len, false);
                }
                FrameMemory::Device { arena, extents: DeviceMemory::anywhere(gpu, size.extents)?, constants }
            }
            (Some(_), None) => return Err(Error::invalid("the constants aren't in the GPU's memory")),
            (None, _) => FrameMemory::Host { arena: HostBytes::zeroed(size.arena)?, constants },
        };
        Ok(Frame { device: device.clone(), memory, bases, constants: count, captured: None })
    }

    /// Memory of a trial, without constants and bindings. `extents` are the true ones, for the table in device memory.
    pub(crate) fn scratch(device: &Device, arena: usize, extents: &[i64]) -> Result<Self> {
        let on_device = device.gpu().map(|gpu| DeviceConstants::new(gpu, &[])).transpose()?;
        let size = FrameSize { arena, extents: size_of_val(extents), bindings: 0 };
        let frame = Frame::new(device, &size, Arc::from([]), on_device.map(Arc::new))?;
        if let (Some(gpu), Some(table)) = (device.gpu(), frame.extents()) {
            table.upload(&*cuda::services::stream(gpu)?, 0, bytemuck::cast_slice(extents))?;
        }
        Ok(frame)
    }

    /// Takes the caller's memory, which isn't a GPU's, for one run. Allocates nothing.
    #[inline]
    pub(crate) fn activate<'f>(
        &'f mut self,
        bindings: &'f mut [Binding<'_>],
        rules: &[BindingRule],
    ) -> Result<Active<'f>> {
        self.take(bindings, rules, None)?;
        Ok(self.active())
    }

    /// Takes the caller's memory for one run in a stream, which is ordered after what else uses that memory. Allocates
    /// nothing where the stream used it last.
    #[inline]
    pub(crate) fn activate_in<'f>(
        &'f mut self,
        bindings: &'f mut [Binding<'_>],
        rules: &[BindingRule],
        stream: &Stream,
    ) -> Result<Active<'f>> {
        self.take(bindings, rules, stream.queue.as_deref())?;
        Ok(self.active())
    }

    /// Puts down where all memory of a run lies.
    fn take(&mut self, bindings: &mut [Binding<'_>], rules: &[BindingRule], stream: Option<&CudaStream>) -> Result<()> {
        if bindings.len() != rules.len() {
            return Err(wrong_count(bindings.len(), rules));
        }
        let first = 1 + self.constants;
        let mut shared = false;
        for ((binding, rule), base) in bindings.iter_mut().zip(rules).zip(&mut self.bases[first..]) {
            shared |= binding.place(&self.device, rule, rules, base, stream)?;
        }
        if shared {
            check_overlaps(&self.bases[first..], rules)?;
        }
        if let FrameMemory::Host { .. } = &self.memory {
            self.take_host_memory();
        }
        Ok(())
    }

    // Kept out of the way of what a run on a GPU takes.
    #[inline(never)]
    fn take_host_memory(&mut self) {
        if let FrameMemory::Host { arena, constants } = &mut self.memory {
            self.bases[0] = BasePointer::write(arena);
            for (base, constant) in self.bases[1..].iter_mut().zip(constants.iter()) {
                *base = BasePointer::read(constant.bytes());
            }
        }
    }

    /// The memory that was put down. It is made where it is used: a larger result is handed over in memory, which the
    /// caller would have to wait for.
    #[inline]
    fn active(&mut self) -> Active<'_> {
        let device = match &self.memory {
            FrameMemory::Host { .. } => None,
            FrameMemory::Device { extents, .. } => Some(DeviceExtents(extents)),
        };
        Active { bases: &self.bases, constants: self.constants, device, captured: &mut self.captured }
    }

    /// Puts down where a binding of the runs that follow lies, without the checks that bindings of an engine go through.
    ///
    /// # Safety
    /// `bytes` bytes at `address` can be used by the frame's device until these runs are done, and lie at a multiple of
    /// [`FOREIGN_ALIGNMENT`](super::FOREIGN_ALIGNMENT) if there are any. Those that are writable overlap nothing else of a run,
    /// and nothing else uses them meanwhile.
    #[cfg(any(feature = "onnxruntime", feature = "tensorrt", feature = "python", test))]
    #[inline]
    #[expect(unsafe_code, reason = "takes an address on trust")]
    pub(crate) unsafe fn lend(&mut self, binding: usize, address: usize, bytes: usize, writable: bool) {
        let base = match &self.memory {
            FrameMemory::Host { .. } => BasePointer::foreign(address, bytes, writable),
            FrameMemory::Device { .. } => BasePointer::device(address as u64, bytes, writable),
        };
        if let Some(place) = self.bases.get_mut(1 + self.constants + binding) {
            *place = base;
        }
    }

    /// The memory of a run whose bindings were all put down by [`Frame::lend`]. Of the frame's own there is none.
    #[cfg(any(feature = "onnxruntime", feature = "tensorrt", feature = "python", test))]
    #[inline]
    pub(crate) fn activate_lent(&mut self) -> Active<'_> {
        self.active()
    }

    /// Whether a run was recorded to be replayed.
    pub(crate) fn has_captured(&self) -> bool {
        self.captured.is_some()
    }

    /// Forgets what was recorded.
    pub(crate) fn forget_captured(&mut self) {
        self.captured = None;
    }

    /// Device address of the arena; `None` where it is the host's.
    pub(crate) fn arena_address(&self) -> Option<u64> {
        match &self.memory {
            FrameMemory::Host { .. } => None,
            FrameMemory::Device { arena, .. } => Some(arena.address()),
        }
    }

    /// The table of extents that only the device knows.
    pub(crate) fn extents(&self) -> Option<&DeviceMemory> {
        match &self.memory {
            FrameMemory::Host { .. } => None,
            FrameMemory::Device { extents, .. } => Some(extents),
        }
    }
}

#[cold]
fn wrong_count(given: usize, rules: &[BindingRule]) -> Error {
    Error::invalid(format_args!(
        "{given} bindings were given, but the engine has {}: {}",
        rules.len(),
        rules.iter().map(|r| format!("`{}`", r.name)).collect::<Vec<_>>().join(", ")
    ))
}
