//! The memory of an execution context.

use std::ptr::NonNull;
use std::sync::Arc;

use super::binding::{BasePointer, Binding, BindingRule};
use super::constant::Constant;
use super::cuda::{CudaStream, DeviceConstants, DeviceMemory, Graph, Recorded, memory};
use super::step::{PlacedTensor, StepMemory, StepViews};
use super::{Device, Stream};
use crate::error::{Error, Result};
use crate::tensor::{DataType, HostBytes};

/// A piece of memory that regions are cut from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// The engine's own memory for intermediate tensors.
    Arena,
    /// A constant of the network.
    Constant(usize),
    /// What the caller gave for an input or output.
    Binding(usize),
}

/// A range of bytes in a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Region {
    pub(crate) base: Base,
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

impl Region {
    pub(crate) fn overlaps(&self, other: &Region) -> bool {
        self.base == other.base
            && self.len > 0
            && other.len > 0
            && self.offset < other.offset.saturating_add(other.len)
            && other.offset < self.offset.saturating_add(self.len)
    }
}

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

/// Recorded work, and the memory that it was recorded with.
#[derive(Debug)]
struct Captured {
    graph: Graph,
    bases: Vec<BasePointer>,
}

// SAFETY: `bases` is only read by `Active`, which refills it from borrows that it holds while it lives; between runs
// the pointers are never followed.
#[expect(unsafe_code, reason = "pointers that are not followed may change threads")]
unsafe impl Send for Frame {}

/// What a frame is made for.
pub(crate) struct FrameSize {
    /// Bytes of the arena.
    pub(crate) arena: usize,
    /// Bytes for extents that only a device knows.
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

    /// Memory without constants and bindings. `extents` are those that else a device finds out.
    pub(crate) fn scratch(device: &Device, arena: usize, extents: &[i64]) -> Result<Self> {
        let on_device = device.gpu().map(|gpu| DeviceConstants::new(gpu, &[])).transpose()?;
        let size = FrameSize { arena, extents: size_of_val(extents), bindings: 0 };
        let frame = Frame::new(device, &size, Arc::from([]), on_device.map(Arc::new))?;
        if let (Some(gpu), Some(table)) = (device.gpu(), frame.extents()) {
            table.upload(&*gpu.service()?, 0, bytemuck::cast_slice(extents))?;
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
        self.take(bindings, rules, None)
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
        self.take(bindings, rules, stream.queue.as_deref())
    }

    #[inline]
    fn take<'f>(
        &'f mut self,
        bindings: &'f mut [Binding<'_>],
        rules: &[BindingRule],
        stream: Option<&CudaStream>,
    ) -> Result<Active<'f>> {
        if bindings.len() != rules.len() {
            return Err(wrong_count(bindings.len(), rules));
        }
        let first = 1 + self.constants;
        for ((binding, rule), base) in bindings.iter_mut().zip(rules).zip(&mut self.bases[first..]) {
            binding.place(&self.device, rule, rules, base, stream)?;
        }
        let device = match &mut self.memory {
            FrameMemory::Host { arena, constants } => {
                self.bases[0] = BasePointer::write(arena);
                for (base, constant) in self.bases[1..].iter_mut().zip(constants.iter()) {
                    *base = BasePointer::read(constant.bytes());
                }
                None
            }
            FrameMemory::Device { extents, .. } => Some(DeviceExtents(extents)),
        };
        Ok(Active { bases: &self.bases, constants: self.constants, device, captured: &mut self.captured })
    }

    /// Forgets what was recorded.
    pub(crate) fn forget_captured(&mut self) {
        self.captured = None;
    }

    /// Where the arena lies, if that is in a device's memory.
    pub(crate) fn arena_address(&self) -> Option<u64> {
        match &self.memory {
            FrameMemory::Host { .. } => None,
            FrameMemory::Device { arena, .. } => Some(arena.address()),
        }
    }

    /// The memory that extents which only the device knows are kept in.
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

/// Where a device keeps extents that only it knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceExtents<'f>(&'f DeviceMemory);

impl DeviceExtents<'_> {
    #[inline]
    pub(super) fn of(self, tensor: &PlacedTensor) -> Option<u64> {
        tensor.extents.map(|offset| self.0.address() + offset as u64)
    }
}

/// The memory of a context while it runs: every pointer in it is borrowed for as long as this lives.
#[derive(Debug)]
pub(crate) struct Active<'f> {
    bases: &'f [BasePointer],
    constants: usize,
    /// Where the memory is a device's.
    device: Option<DeviceExtents<'f>>,
    captured: &'f mut Option<Captured>,
}

impl Active<'_> {
    #[inline]
    fn base(&self, base: Base) -> Option<&BasePointer> {
        match base {
            Base::Arena => self.bases.first(),
            Base::Constant(i) if i < self.constants => self.bases.get(1 + i),
            Base::Constant(_) => None,
            Base::Binding(i) => self.bases.get(1 + self.constants + i),
        }
    }

    #[inline]
    pub(super) fn locate(&self, region: Region, write: bool) -> Result<NonNull<u8>> {
        let base = self.base(region.base).filter(|b| {
            region.offset.checked_add(region.len).is_some_and(|end| end <= b.len) && (b.writable || !write)
        });
        let start = base.and_then(|base| NonNull::new(base.start.as_ptr().wrapping_add(region.offset)));
        start.ok_or_else(|| self.unreachable(region))
    }

    /// Where the memory is a device's.
    #[inline]
    pub(super) fn device(&self) -> Option<DeviceExtents<'_>> {
        self.device
    }

    /// The memory that extents which only the device knows are kept in.
    #[inline]
    pub(crate) fn extents_table(&self) -> Option<&DeviceMemory> {
        self.device.map(|extents| extents.0)
    }

    /// Where a device finds a region.
    pub(crate) fn device_address(&self, region: Region, write: bool) -> Result<u64> {
        Ok(self.locate(region, write)?.addr().get() as u64)
    }

    #[cold]
    fn unreachable(&self, region: Region) -> Error {
        let given = self.base(region.base).map_or(0, |b| b.len);
        Error::invalid(format_args!(
            "{} bytes are needed, but the memory given holds {given}",
            region.offset.saturating_add(region.len)
        ))
    }

    /// The memory of one step, for one run of it. Exclusive, so that views of two steps never live at once.
    #[inline]
    pub(crate) fn step<'s>(&'s mut self, memory: &'s StepMemory) -> StepViews<'s> {
        StepViews::new(self, memory)
    }

    /// Runs what was recorded with just this memory, if something was.
    #[inline]
    pub(crate) fn replay(&self, stream: &CudaStream) -> Result<bool> {
        match &*self.captured {
            Some(captured) if captured.bases == self.bases => stream.launch(&captured.graph).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Records what `enqueue` puts into the stream, instead of running it. What was recorded before is forgotten.
    pub(crate) fn record(
        &mut self,
        stream: &CudaStream,
        enqueue: impl FnOnce(&mut Active<'_>) -> Result<()>,
    ) -> Result<Recorded> {
        *self.captured = None;
        stream.record(|| enqueue(self))
    }

    /// Lets what was recorded be replayed with this memory.
    pub(crate) fn keep(&mut self, recorded: &Recorded) -> Result<()> {
        *self.captured = Some(Captured { graph: recorded.instantiate()?, bases: self.bases.to_vec() });
        Ok(())
    }

    /// Reads a size tensor, after the work before in `stream`.
    pub(crate) fn read_size(&mut self, tensor: &PlacedTensor, stream: &Stream) -> Result<i64> {
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..tensor.region.len.min(8)];
        self.copy_out(tensor.region, bytes, stream)?;
        Ok(match tensor.info.dtype {
            DataType::Int64 => bytes.first_chunk().map_or(-1, |b| i64::from_ne_bytes(*b)),
            _ => bytes.first_chunk().map_or(-1, |b| i64::from(i32::from_ne_bytes(*b))),
        })
    }

    /// Marks a size tensor as not written.
    pub(crate) fn clear_size(&mut self, tensor: &PlacedTensor, stream: &Stream) -> Result<()> {
        self.fill(tensor.region, 0xff, stream)
    }

    /// Sets every byte of a region.
    pub(crate) fn fill(&mut self, region: Region, byte: u8, stream: &Stream) -> Result<()> {
        if self.device.is_none() {
            self.bytes_mut(region)?.fill(byte);
            return Ok(());
        }
        stream.bind()?;
        memory::fill(stream.cuda()?, self.device_address(region, true)?, region.len, byte)
    }

    /// Copies from host memory to the front of a region, after the work before in `stream`.
    pub(crate) fn copy_in(&mut self, region: Region, bytes: &[u8], stream: &Stream) -> Result<()> {
        let region = Region { len: bytes.len(), ..region };
        if self.device.is_none() {
            self.bytes_mut(region)?.copy_from_slice(bytes);
            return Ok(());
        }
        memory::upload(stream.cuda()?, self.device_address(region, true)?, bytes)
    }

    /// Copies the front of a region to host memory, after the work before in `stream`.
    pub(crate) fn copy_out(&mut self, region: Region, bytes: &mut [u8], stream: &Stream) -> Result<()> {
        let region = Region { len: bytes.len(), ..region };
        if self.device.is_none() {
            bytes.copy_from_slice(self.bytes(region)?);
            return Ok(());
        }
        memory::download(stream.cuda()?, self.device_address(region, false)?, bytes)
    }

    /// The bytes of a region in host memory.
    pub(crate) fn bytes(&mut self, region: Region) -> Result<&[u8]> {
        let start = self.locate_on_host(region, false)?;
        // SAFETY: `locate` checked the range; the base is borrowed while `self` lives, and `&mut self` keeps every
        // other view away while the slice lives.
        #[expect(unsafe_code, reason = "a slice of a borrowed base")]
        let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), region.len) };
        Ok(bytes)
    }

    /// The bytes of a region in host memory.
    pub(crate) fn bytes_mut(&mut self, region: Region) -> Result<&mut [u8]> {
        let start = self.locate_on_host(region, true)?;
        // SAFETY: as in `bytes`; `locate` checked that the base may be written.
        #[expect(unsafe_code, reason = "a slice of a borrowed base")]
        let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), region.len) };
        Ok(bytes)
    }

    fn locate_on_host(&self, region: Region, write: bool) -> Result<NonNull<u8>> {
        match self.device {
            None => self.locate(region, write),
            Some(_) => Err(Error::invalid("memory of a GPU can't be borrowed by the host")),
        }
    }
}
