//! Where a layout puts each element.

/// Where the elements of a tensor lie: batches of `outer`, within them `blocks` of channels, within them `spatial`
/// places, and for each place `lanes` channels side by side. LINEAR has one channel per block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrangement {
    /// Product of the extents before the channels.
    pub outer: usize,
    /// Number of channels, padding not counted.
    pub channels: usize,
    /// Product of the extents behind the channels.
    pub spatial: usize,
    /// Number of groups of channels that stand side by side.
    pub blocks: usize,
    /// Number of channels that stand side by side, padding counted.
    pub lanes: usize,
}

impl Arrangement {
    /// Of a tensor whose number of elements is known to fit. A tensor without elements is all zero, but for `lanes`.
    pub(super) fn of_channels(
        dims: &[i64],
        spatial_dims: usize,
        multiple: usize,
        channels_last: bool,
    ) -> Option<Arrangement> {
        if dims.contains(&0) {
            return Some(Arrangement { outer: 0, channels: 0, spatial: 0, blocks: 0, lanes: 1 });
        }
        let (before, spatial) = dims.split_at_checked(dims.len().checked_sub(spatial_dims)?)?;
        let (channels, outer) = match before {
            [outer @ .., channels] => (usize::try_from(*channels).ok()?, outer),
            [] => (1, before),
        };
        let padded = channels.checked_next_multiple_of(multiple)?;
        let lanes = if channels_last { padded } else { multiple };
        Some(Arrangement {
            outer: product(outer)?,
            channels,
            spatial: product(spatial)?,
            blocks: padded.checked_div(lanes)?,
            lanes,
        })
    }

    /// Where the element of this batch, channel and place lies, in elements.
    pub const fn offset(&self, outer: usize, channel: usize, place: usize) -> usize {
        ((outer * self.blocks + channel / self.lanes) * self.spatial + place) * self.lanes + channel % self.lanes
    }

    /// Number of elements, padding counted.
    pub const fn storage(&self) -> usize {
        self.outer * self.blocks * self.spatial * self.lanes
    }

    /// Number of channels that are padding.
    pub const fn padding(&self) -> usize {
        self.blocks * self.lanes - self.channels
    }
}

fn product(extents: &[i64]) -> Option<usize> {
    extents.iter().try_fold(1usize, |n, &extent| n.checked_mul(usize::try_from(extent).ok()?))
}
