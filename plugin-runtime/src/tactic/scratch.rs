//! The memory of a trial.

use crate::device::{Base, Region};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::HostBytes;

/// Regions one after another in an arena.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    end: usize,
    /// True extents of tensors, where they differ from those that memory is reserved for.
    table: Vec<i64>,
    /// The bytes after each region that belong to none.
    gaps: Vec<Region>,
}

impl Scratch {
    /// The least bytes between regions.
    const GUARD: usize = HostBytes::ALIGNMENT;
    /// The most bytes between regions.
    pub(super) const LONGEST_GAP: usize = Scratch::GUARD + HostBytes::ALIGNMENT;

    /// What lies between regions.
    pub(super) fn gaps(self) -> Vec<Region> {
        self.gaps
    }

    /// Bytes of the arena.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The table of true extents, which goes to the device's memory.
    pub(super) fn table(&self) -> &[i64] {
        &self.table
    }

    pub(super) fn region(&mut self, len: usize) -> Result<Region> {
        let offset = self.end;
        let end = offset.checked_add(len).and_then(|end| end.checked_add(Scratch::GUARD));
        let end = end.and_then(|end| end.checked_next_multiple_of(HostBytes::ALIGNMENT));
        self.end = end.filter(|&end| end <= isize::MAX as usize).ok_or_else(|| {
            Error::invalid("its inputs, outputs and workspace together need more memory than can be addressed")
        })?;
        let after = offset + len;
        self.gaps.push(Region { base: Base::Arena, offset: after, len: self.end - after });
        Ok(Region { base: Base::Arena, offset, len })
    }

    /// Adds true extents to the table, where they differ from the reserved ones, and returns their offset in bytes.
    pub(super) fn extents(&mut self, reserved: &Dims, dims: &Dims) -> Option<usize> {
        if reserved == dims {
            return None;
        }
        let offset = size_of_val(&*self.table);
        self.table.extend_from_slice(dims);
        Some(offset)
    }
}
