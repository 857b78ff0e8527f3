//! What the CUDA kernels are told of a padding; laid out as in their source.

use plugin_runtime::prelude::*;
use plugin_runtime::shape::MAX_RANK;

use super::plan::Plan;

/// Elements of a row that a group of threads writes; longer rows are shared.
const SEGMENT: usize = 4096;
/// The most groups that share a row: blocks in a column of a grid.
const MAX_SEGMENTS: usize = 65535;
/// Segments begin at multiples of as many elements.
const SEGMENT_STEP: usize = 8;

/// How a row of `padded` elements is shared.
pub(super) fn segment(padded: usize) -> usize {
    SEGMENT.max(padded.div_ceil(MAX_SEGMENTS)).next_multiple_of(SEGMENT_STEP)
}

/// A [`Plan`] with indices of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct NarrowPlan {
    whole: [u32; WHOLE],
    axes: [[u32; PER_AXIS]; MAX_RANK],
}

/// A [`Plan`] with indices of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct WidePlan {
    whole: [u64; WHOLE],
    axes: [[u64; PER_AXIS]; MAX_RANK],
}

/// Elements of the input, of the output, rows of the output, elements of a segment or rows of a tile, number of axes.
const WHOLE: usize = 5;
/// Extent, padded extent, the input's index for the output's first, stride, and for both extents a multiplier and a shift.
const PER_AXIS: usize = 8;

impl NarrowPlan {
    /// `None` where 31 bits don't hold all numbers.
    pub(super) fn new(plan: &Plan) -> Option<NarrowPlan> {
        let wide = numbers(plan, 32, i32::MAX as u64)?;
        let narrow = |n: u64| u32::try_from(n).ok();
        let mut packed = NarrowPlan { whole: [0; WHOLE], axes: [[0; PER_AXIS]; MAX_RANK] };
        for (to, from) in packed.whole.iter_mut().zip(wide.whole) {
            *to = narrow(from)?;
        }
        for (to, from) in packed.axes.as_flattened_mut().iter_mut().zip(wide.axes.as_flattened()) {
            *to = narrow(*from)?;
        }
        Some(packed)
    }

    /// The same, where a block does so many whole rows.
    pub(super) fn in_tiles(mut self, rows: u32) -> NarrowPlan {
        self.whole[3] = rows;
        self
    }
}

impl WidePlan {
    /// # Errors
    /// When 63 bits don't hold all numbers.
    pub(super) fn new(plan: &Plan) -> Result<WidePlan> {
        match numbers(plan, 64, i64::MAX as u64) {
            Some(packed) => Ok(packed),
            None => bail!("the padded input has {} elements, which is too large", plan.elements()),
        }
    }
}

/// All numbers, where none that an index is computed from exceeds `most`.
fn numbers(plan: &Plan, bits: u32, most: u64) -> Option<WidePlan> {
    let within = |n: u64| (n <= most).then_some(n);
    let row = plan.row();
    let rows = plan.elements() / row.padded.max(1);
    let mut inputs = 1u64;
    let mut axes = [[0; PER_AXIS]; MAX_RANK];
    for (packed, axis) in axes.iter_mut().zip(plan.axes()) {
        let (extent, padded) = (axis.extent as u64, axis.padded as u64);
        within(extent.checked_add(padded)?)?;
        let [by_extent, by_padded] = [extent, padded].map(|n| divisor(n.max(1), bits));
        let offset = axis.source(0) as u64;
        *packed = [extent, padded, offset, inputs, by_extent[0], by_extent[1], by_padded[0], by_padded[1]];
        inputs = within(inputs.checked_mul(extent)?)?;
    }
    let outputs = within(plan.elements() as u64)?;
    let whole = [inputs, outputs, rows as u64, segment(row.padded) as u64, plan.axes().len() as u64];
    Some(WidePlan { whole, axes })
}

/// Multiplier and shift that divide by `divisor`: the high `bits` of n times the multiplier, plus n, shifted, are the
/// quotient for n below half of what `bits` hold.
fn divisor(divisor: u64, bits: u32) -> [u64; 2] {
    let shift = u64::BITS - (divisor - 1).leading_zeros();
    let rest = (1u128 << shift) - u128::from(divisor);
    let multiplier = (rest << bits) / u128::from(divisor) + 1;
    [multiplier as u64, u64::from(shift)]
}

/// Pads of a tensor whose extents only the device knows, first axis first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Pads {
    rank: u32,
    before: [u32; MAX_RANK],
    after: [u32; MAX_RANK],
}

impl Pads {
    /// `pairs` are last axis first, none negative, and no more than `rank`, which is at most [`MAX_RANK`].
    pub(super) fn new(rank: usize, pairs: &[[i32; 2]]) -> Pads {
        let mut pads = Pads { rank: rank as u32, before: [0; MAX_RANK], after: [0; MAX_RANK] };
        for (axis, &[before, after]) in (0..rank.min(MAX_RANK)).rev().zip(pairs) {
            pads.before[axis] = before.unsigned_abs();
            pads.after[axis] = after.unsigned_abs();
        }
        pads
    }
}

#[cfg(test)]
mod tests {
    use super::{NarrowPlan, Pads, WidePlan, divisor, segment};
    use crate::circ_pad::plan::Plan;
    use crate::testing::Rng;

    #[test]
    fn quotients_are_exact() {
        let mut rng = Rng::new(9);
        let mut random = |bits: usize| rng.below(1 << 31) as u64 >> rng.below(bits);
        let mut numbers: Vec<u64> = (0..300).map(|_| random(31)).collect();
        numbers.extend([0, 1, 2, 3, 255, 256, 257, (1 << 30) - 1, 1 << 30, (1 << 31) - 1]);
        for &by in numbers.iter().filter(|&&by| by > 0) {
            let [multiplier, shift] = divisor(by, 32);
            assert!(multiplier <= u64::from(u32::MAX));
            for &n in numbers.iter().chain(&[by - 1, (i32::MAX as u64 / by) * by, (i32::MAX as u64 / by) * by - 1]) {
                assert_eq!((((n * multiplier) >> 32) + n) >> shift, n / by, "{n} / {by}");
            }
            let wide = by << 31 | by;
            let [multiplier, shift] = divisor(wide, 64);
            for &n in &numbers {
                for n in [n, n << 31, n << 32 | by, i64::MAX as u64 - n] {
                    let high = ((u128::from(n) * u128::from(multiplier)) >> 64) as u64;
                    assert_eq!((high + n) >> shift, n / wide, "{n} / {wide}");
                }
            }
        }
    }

    #[test]
    fn indices_are_of_32_bits_where_they_fit() {
        let plan = |shape: &[i64], pads: &[i32]| Plan::new(shape, pads).unwrap();
        let narrow = NarrowPlan::new(&plan(&[4, 3, 5], &[1, 2, 7, 0])).unwrap();
        assert_eq!(narrow.whole, [60, 320, 40, 4096, 3]);
        assert_eq!(narrow.axes[0][..4], [5, 8, 4, 1]);
        assert_eq!(narrow.axes[1][..4], [3, 10, 2, 5], "7 before 3 is two rounds and one");
        assert_eq!(narrow.axes[2][..4], [4, 4, 0, 15]);
        for (shape, pads, fits) in [
            (&[(1 << 30) - 1][..], &[0, 0][..], true),
            (&[1 << 30], &[0, 0], false),
            (&[5, 1 << 29], &[1, 1], false),
            (&[2, 1 << 29], &[1, 1], true),
            (&[1, 1], &[i32::MAX, 0, 1, 0], false),
        ] {
            let plan = plan(shape, pads);
            assert_eq!(NarrowPlan::new(&plan).is_some(), fits, "{shape:?} {pads:?}");
            assert!(WidePlan::new(&plan).is_ok());
        }
        let error = WidePlan::new(&plan(&[1 << 62, 2], &[])).unwrap_err().to_string();
        assert_eq!(error, "the padded input has 9223372036854775808 elements, which is too large");
    }

    #[test]
    fn segments_are_whole_vectors_and_no_more_than_a_grid_has() {
        assert_eq!([1, 4096, 4097, 65535 * 4096].map(segment), [4096; 4]);
        assert_eq!(segment(65535 * 4096 + 1), 4104);
        for padded in [1 << 31, 1 << 40, (1 << 40) + 7] {
            assert!(segment(padded).is_multiple_of(8) && padded.div_ceil(segment(padded)) <= 65535);
        }
    }

    #[test]
    fn pads_are_put_in_the_order_of_the_axes() {
        let pads = Pads::new(3, &[[1, 2], [3, 4]]);
        assert_eq!((pads.before[..3].to_vec(), pads.after[..3].to_vec()), (vec![0, 3, 1], vec![0, 4, 2]));
    }
}
