//! Ranges of bytes of a run's memory.

/// A piece of memory that regions are cut from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// The engine's own memory for intermediate tensors.
    Arena,
    /// A constant of the network.
    Constant(usize),
    /// The memory that the caller bound for an input or output.
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
