//! Any layout to any other, one element after the other.

use super::cast::{Cast, unpacked_bytes};
use super::int4;
use crate::shape::{Dims, MAX_RANK};
use crate::tensor::Representation;
use crate::tensor::{Arrangement, DataType, Format};

/// Serves INT4 where a channel has an odd number of places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elementwise {
    pub(super) cast: Cast,
    pub(super) from: Representation,
    pub(super) to: Representation,
    pub(super) dims: Dims,
}

impl Elementwise {
    pub(super) fn run(&self, src: &[u8], dst: &mut [u8]) {
        dst.fill(0);
        let (Some(from), Some(to)) =
            (Offsets::new(self.from.format, &self.dims), Offsets::new(self.to.format, &self.dims))
        else {
            return;
        };
        let mut index = [0usize; MAX_RANK];
        loop {
            let value = self.load(src, from.of(&index));
            self.store(dst, to.of(&index), value);
            if !advance(&mut index, &self.dims) {
                return;
            }
        }
    }

    /// One element, in the first bytes.
    fn load(&self, src: &[u8], offset: usize) -> [u8; 8] {
        let mut value = [0; 8];
        if self.from.dtype == DataType::Int4 {
            value[0] = int4::load(src, offset);
        } else {
            let size = unpacked_bytes(self.from.dtype);
            value[..size].copy_from_slice(&src[offset * size..][..size]);
        }
        value
    }

    fn store(&self, dst: &mut [u8], offset: usize, value: [u8; 8]) {
        let value = &value[..unpacked_bytes(self.from.dtype)];
        if self.to.dtype == DataType::Int4 {
            let mut unpacked = [0];
            self.cast.run(value, &mut unpacked);
            int4::store(dst, offset, unpacked[0]);
        } else {
            let size = unpacked_bytes(self.to.dtype);
            self.cast.run(value, &mut dst[offset * size..][..size]);
        }
    }
}

/// The next index, the last dimension first; whether there is one.
fn advance(index: &mut [usize; MAX_RANK], dims: &Dims) -> bool {
    for (i, &extent) in index.iter_mut().zip(dims.iter()).rev() {
        *i += 1;
        if *i < extent as usize {
            return true;
        }
        *i = 0;
    }
    false
}

/// Offsets of elements from their indices: one stride per dimension, and channels apart.
struct Offsets {
    arrangement: Arrangement,
    spatial: std::ops::Range<usize>,
    rank: usize,
    extents: [usize; MAX_RANK],
}

impl Offsets {
    fn new(format: Format, dims: &Dims) -> Option<Offsets> {
        let arrangement = format.arrange(dims)?;
        let first_spatial = dims.len() - format.spatial_dims().unwrap_or(0);
        let mut extents = [1; MAX_RANK];
        for (to, &extent) in extents.iter_mut().zip(dims.iter()) {
            *to = usize::try_from(extent).ok()?;
        }
        Some(Offsets { arrangement, spatial: first_spatial..dims.len(), rank: dims.len(), extents })
    }

    fn of(&self, index: &[usize; MAX_RANK]) -> usize {
        let row_major = |axes: std::ops::Range<usize>| axes.fold(0, |n, axis| n * self.extents[axis] + index[axis]);
        let Some(channel_axis) = self.spatial.start.checked_sub(1) else { return 0 };
        debug_assert!(channel_axis < self.rank);
        self.arrangement.offset(row_major(0..channel_axis), index[channel_axis], row_major(self.spatial.clone()))
    }
}
