//! What is copied where, reduced to as few dimensions as possible.

use plugin_runtime::prelude::*;
use plugin_runtime::shape::MAX_RANK;

use super::check;

/// A dimension of the input, and how it is padded.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Elements of the input; at least 1, unless nothing is put around them.
    pub(crate) extent: usize,
    /// Elements put before them.
    pub(crate) before: usize,
    /// Elements of the output.
    pub(crate) padded: usize,
}

/// The axes of a circular padding, neighbours merged where that changes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Last axis first; at least one.
    axes: [Axis; MAX_RANK],
    rank: usize,
    elements: usize,
}

impl Plan {
    /// `pads` holds (before, after) pairs, last dimension first.
    ///
    /// # Errors
    /// When `pads` doesn't suit `shape`, or when the padded tensor is too large to be counted.
    pub(crate) fn new(shape: &[i64], pads: &[i32]) -> Result<Plan> {
        let pairs = check::pairs(shape.len(), pads)?;
        let too_large = || Error::plugin(format_args!("shape {shape:?} padded by {pads:?} is too large"));
        let mut plan = Plan { axes: [Axis { extent: 1, before: 0, padded: 1 }; MAX_RANK], rank: 0, elements: 0 };
        for (i, &extent) in shape.iter().rev().enumerate() {
            let [before, after] = pairs.get(i).copied().unwrap_or_default();
            check::extent(shape.len() - 1 - i, extent, [before, after])?;
            let extent = usize::try_from(extent).map_err(|_| too_large())?;
            let before = usize::try_from(before).map_err(|_| too_large())?;
            let after = usize::try_from(after).map_err(|_| too_large())?;
            let padded = extent.checked_add(before).and_then(|n| n.checked_add(after)).ok_or_else(too_large)?;
            plan.add(Axis { extent, before, padded }).ok_or_else(too_large)?;
        }
        plan.elements =
            plan.axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.padded)).ok_or_else(too_large)?;
        plan.rank = plan.rank.max(1);
        Ok(plan)
    }

    /// Adds an axis before the others. An inner one without pads merges with it: whole runs of the inner one are put
    /// around the outer one.
    fn add(&mut self, axis: Axis) -> Option<()> {
        match self.axes[..self.rank].last_mut() {
            Some(inner) if inner.padded == inner.extent => {
                let run = inner.extent;
                *inner = Axis {
                    extent: axis.extent.checked_mul(run)?,
                    before: axis.before.checked_mul(run)?,
                    padded: axis.padded.checked_mul(run)?,
                };
            }
            _ => {
                *self.axes.get_mut(self.rank)? = axis;
                self.rank += 1;
            }
        }
        Some(())
    }

    /// Elements of the output.
    pub(crate) fn elements(&self) -> usize {
        self.elements
    }

    /// The axes, innermost first; at least one.
    pub(crate) fn axes(&self) -> &[Axis] {
        &self.axes[..self.rank]
    }

    /// The innermost axis.
    pub(crate) fn row(&self) -> Axis {
        self.axes[0]
    }

    /// The rows of the output from element `start` on, without end: for each the first element of the input's row that
    /// it is made of.
    pub(crate) fn rows(&self, start: usize) -> Rows<'_> {
        let mut places = [Place::default(); MAX_RANK];
        let mut rest = start / self.row().padded.max(1);
        let mut stride = self.row().extent;
        let mut row = 0;
        let axes = &self.axes[1..self.rank];
        for (place, axis) in places.iter_mut().zip(axes) {
            *place = axis.place(rest % axis.padded.max(1));
            place.stride = stride;
            row += place.source * stride;
            rest /= axis.padded.max(1);
            stride *= axis.extent;
        }
        Rows { axes, places, row }
    }
}

impl Axis {
    fn place(&self, index: usize) -> Place {
        Place { index, source: self.source(index), stride: 0 }
    }

    /// The input's index for an index of the output.
    pub(crate) fn source(&self, index: usize) -> usize {
        let extent = self.extent.max(1);
        (index % extent + extent - self.before % extent) % extent
    }
}

/// A place on an axis: index in the output, index in the input, and what one step on the input's axis skips.
#[derive(Clone, Copy, Default)]
struct Place {
    index: usize,
    source: usize,
    stride: usize,
}

/// See [`Plan::rows`].
pub(crate) struct Rows<'a> {
    /// All but the innermost.
    axes: &'a [Axis],
    places: [Place; MAX_RANK],
    row: usize,
}

impl Iterator for Rows<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let row = self.row;
        for (place, axis) in self.places.iter_mut().zip(self.axes) {
            self.row -= place.source * place.stride;
            place.index += 1;
            place.source = if place.source + 1 < axis.extent { place.source + 1 } else { 0 };
            let more = place.index < axis.padded;
            if !more {
                *place = Place { stride: place.stride, ..axis.place(0) };
            }
            self.row += place.source * place.stride;
            if more {
                break;
            }
        }
        Some(row)
    }
}
