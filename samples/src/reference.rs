//! What the sample plugins should compute, written to be read rather than to be fast. Their results are checked against
//! this.

use plugin_runtime::prelude::*;

/// A floating-point type that the samples run in.
pub trait Float: Element {
    /// The same value in single precision.
    fn widen(self) -> f32;

    /// The nearest value of this type.
    fn narrow(value: f32) -> Self;
}

impl Float for f32 {
    fn widen(self) -> f32 {
        self
    }

    fn narrow(value: f32) -> f32 {
        value
    }
}

impl Float for f16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }

    fn narrow(value: f32) -> f16 {
        f16::from_f32(value)
    }
}

/// `x + delta`, computed in single precision and rounded once.
pub fn add<T: Float>(x: &[T], delta: i32) -> Vec<T> {
    x.iter().map(|value| T::narrow(value.widen() + delta as f32)).collect()
}

/// Row and column of each element of a matrix that isn't 0, one pair behind the other, as `numpy.argwhere` orders them.
/// `dims` are the matrix' rows and columns.
pub fn non_zero<T: Float>(x: &[T], dims: &[i64]) -> Vec<i32> {
    let columns = dims.last().map_or(1, |&columns| columns as usize);
    let mut positions = Vec::new();
    for (index, value) in x.iter().enumerate() {
        if value.widen() != 0.0 {
            positions.push((index / columns) as i32);
            positions.push((index % columns) as i32);
        }
    }
    positions
}

/// The extents and elements of `x` padded as `numpy.pad(x, .., 'wrap')` does. `pads` holds (before, after) pairs, the last
/// dimension's first.
pub fn circ_pad<T: Copy>(x: &[T], dims: &[i64], pads: &[i32]) -> (Vec<i64>, Vec<T>) {
    let pads_of = |dim: usize| {
        let pair = 2 * (dims.len() - 1 - dim);
        let pad = |index: usize| pads.get(index).map_or(0, |&pad| i64::from(pad));
        (pad(pair), pad(pair + 1))
    };
    let padded: Vec<i64> = (0..dims.len()).map(|dim| dims[dim] + pads_of(dim).0 + pads_of(dim).1).collect();
    let elements: i64 = padded.iter().product();
    let source = |mut index: i64| {
        let (mut source, mut stride) = (0, 1);
        for dim in (0..dims.len()).rev() {
            let place = index % padded[dim];
            index /= padded[dim];
            source += (place - pads_of(dim).0).rem_euclid(dims[dim]) * stride;
            stride *= dims[dim];
        }
        source as usize
    };
    let values = (0..elements).map(|index| x[source(index)]).collect();
    (padded, values)
}
