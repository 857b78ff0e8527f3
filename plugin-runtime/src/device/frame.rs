//! The memory of an execution context.

use std::ptr::NonNull;
use std::sync::Arc;

use super::binding::{BasePointer, Binding, BindingRule};
use super::constant::Constant;
use super::step::{PlacedTensor, StepMemory, StepViews};
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
    arena: HostBytes,
    constants: Arc<[Constant]>,
    bases: Vec<BasePointer>,
}

// SAFETY: `bases` is only read by `Active`, which refills it from borrows that it holds while it lives; between runs
// the pointers are never followed.
#[expect(unsafe_code, reason = "pointers that are not followed may change threads")]
unsafe impl Send for Frame {}

impl Frame {
    pub(crate) fn new(arena_len: usize, constants: Arc<[Constant]>, bindings: usize) -> Result<Self> {
        let bases = vec![BasePointer::NONE; 1 + constants.len() + bindings];
        Ok(Frame { arena: HostBytes::zeroed(arena_len)?, constants, bases })
    }

    /// Takes the caller's memory for one run. Allocates nothing.
    pub(crate) fn activate<'f>(
        &'f mut self,
        bindings: &'f mut [Binding<'_>],
        rules: &[BindingRule],
    ) -> Result<Active<'f>> {
        if bindings.len() != rules.len() {
            return Err(Error::invalid(format_args!(
                "{} bindings were given, but the engine has {}: {}",
                bindings.len(),
                rules.len(),
                rules.iter().map(|r| format!("`{}`", r.name)).collect::<Vec<_>>().join(", ")
            )));
        }
        self.bases[0] = BasePointer::write(&mut self.arena);
        for (base, constant) in self.bases[1..].iter_mut().zip(self.constants.iter()) {
            *base = BasePointer::read(constant.bytes());
        }
        let first = 1 + self.constants.len();
        for ((binding, rule), base) in bindings.iter_mut().zip(rules).zip(&mut self.bases[first..]) {
            *base = binding.base(rule, rules)?;
        }
        Ok(Active { bases: &self.bases, constants: self.constants.len() })
    }
}

/// The memory of a context while it runs: every pointer in it is borrowed for as long as this lives.
#[derive(Debug)]
pub(crate) struct Active<'f> {
    bases: &'f [BasePointer],
    constants: usize,
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
        let Some(base) = base else { return Err(self.unreachable(region)) };
        // SAFETY: offset + len <= the base's length was just checked.
        #[expect(unsafe_code, reason = "stepping inside a base whose length was checked")]
        let start = unsafe { base.start.add(region.offset) };
        Ok(start)
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

    /// Reads a size tensor.
    pub(crate) fn read_size(&mut self, tensor: &PlacedTensor) -> Result<i64> {
        let bytes = self.bytes(tensor.region)?;
        Ok(match tensor.info.dtype {
            DataType::Int64 => bytes.first_chunk().map_or(-1, |b| i64::from_ne_bytes(*b)),
            _ => bytes.first_chunk().map_or(-1, |b| i64::from(i32::from_ne_bytes(*b))),
        })
    }

    /// Marks a size tensor as not written.
    pub(crate) fn clear_size(&mut self, tensor: &PlacedTensor) -> Result<()> {
        self.bytes_mut(tensor.region)?.fill(0xff);
        Ok(())
    }

    pub(crate) fn bytes(&mut self, region: Region) -> Result<&[u8]> {
        let start = self.locate(region, false)?;
        // SAFETY: `locate` checked the range; the base is borrowed while `self` lives, and `&mut self` keeps every
        // other view away while the slice lives.
        #[expect(unsafe_code, reason = "a slice of a borrowed base")]
        let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), region.len) };
        Ok(bytes)
    }

    pub(crate) fn bytes_mut(&mut self, region: Region) -> Result<&mut [u8]> {
        let start = self.locate(region, true)?;
        // SAFETY: as in `bytes`; `locate` checked that the base may be written.
        #[expect(unsafe_code, reason = "a slice of a borrowed base")]
        let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), region.len) };
        Ok(bytes)
    }
}
