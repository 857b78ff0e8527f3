//! Extents that plugins find, and layers after them.

use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;

use super::{LENGTHS, add, at, from_x, host, of_vectors};
use crate::gpu_plugins::elementwise::{add_in_place, affine, scale};
use crate::gpu_plugins::extents::{plain_keep, plain_pairs, plain_sum};
use crate::gpu_plugins::sizes::{keep_positive, signed_pairs, sum};
use crate::suite::{Case, Run};

pub(super) fn positive(x: &[f32]) -> Vec<f32> {
    x.iter().copied().filter(|x| *x > 0.0).collect()
}

pub(super) fn pairs(x: &[f32]) -> Vec<f32> {
    std::iter::once(x.len() as f32).chain(x.iter().flat_map(|x| [*x, -x])).collect()
}

pub(super) fn vector(x: &[f32]) -> HostTensor {
    host(x, &[x.len() as i64])
}

/// A vector's size tensor, of INT64 or INT32.
fn size(x: &[f32], wide: bool) -> HostTensor {
    match wide {
        true => host(&[x.len() as i64], &[]),
        false => host(&[x.len() as i32], &[]),
    }
}

/// Vectors of which nothing is kept, and all.
const SIGNS: [f32; 2] = [-1.0, 2.5];

/// Runs on random vectors, then on some that are the same everywhere.
fn at_lengths_and(values: [f32; 2], expected: impl Fn(&[f32]) -> Vec<HostTensor>) -> Vec<Run> {
    let mut runs = at::<f32>(LENGTHS, |x, _| expected(x));
    runs.extend(values.map(|value| {
        let x = [value; 600];
        Run { inputs: vec![("x", vector(&x))], expected: expected(&x) }
    }));
    runs
}

/// An output whose extent is found.
pub fn found_sizes() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, _] = add(network, keep_positive::op(x, true));
        vec![kept]
    });
    let runs = at_lengths_and(SIGNS, |x| vec![vector(&positive(x))]);
    of_vectors("found_sizes", network, runs)
}

/// Layers after one that finds an extent: by element, in place, by more elements, a reduction, and one that finds again.
/// `wide` says which of the size tensors are INT64.
fn used_later(name: &'static str, wide: [bool; 2]) -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, count] = add(network, keep_positive::op(x, wide[0]));
        let [total] = add(network, sum::op(kept));
        let [scaled] = add(network, scale::op(kept, 2.0));
        let [updated] = add(network, add_in_place::op(scaled, -9.0));
        let [paired] = add(network, signed_pairs::op(updated));
        let [again, second] = add(network, keep_positive::op(paired, wide[1]));
        let [last] = add(network, signed_pairs::op(again));
        vec![kept, count, total, updated, paired, again, second, last]
    });
    let runs = at_lengths_and(SIGNS, |x| {
        let kept = positive(x);
        let updated: Vec<f32> = kept.iter().map(|x| x * 2.0 - 9.0).collect();
        let paired = pairs(&updated);
        let again = positive(&paired);
        vec![
            vector(&kept),
            size(&kept, wide[0]),
            vector(&[kept.iter().fold(0.0, |sum, x| sum + x)]),
            vector(&updated),
            vector(&paired),
            vector(&again),
            size(&again, wide[1]),
            vector(&pairs(&again)),
        ]
    });
    of_vectors(name, network, runs)
}

/// Layers after one that finds an extent, with size tensors of both types.
pub fn found_sizes_used_later() -> Case {
    used_later("found_sizes_used_later", [false, true])
}

/// The same with size tensors of INT64.
pub fn found_sizes_used_later_wide() -> Case {
    used_later("found_sizes_used_later_wide", [true, true])
}

/// The same by plugins that don't say that they cope with extents that only the device knows.
pub fn found_sizes_without_a_declaration() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, _] = add(network, plain_keep::op(x));
        let [paired] = add(network, plain_pairs::op(kept));
        let [total] = add(network, plain_sum::op(kept));
        vec![paired, total]
    });
    let runs = at_lengths_and(SIGNS, |x| {
        let kept = positive(x);
        vec![vector(&pairs(&kept)), vector(&[kept.iter().fold(0.0, |sum, x| sum + x)])]
    });
    Case { waits: true, ..of_vectors("found_sizes_without_a_declaration", network, runs) }
}

/// Size tensors that no output of the network needs: on a GPU they stay there.
pub fn sizes_that_no_output_needs() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, _] = add(network, keep_positive::op(x, true));
        let [paired] = add(network, signed_pairs::op(kept));
        let [again, _] = add(network, keep_positive::op(paired, false));
        add(network, sum::op(again)).into()
    });
    let runs = at_lengths_and(SIGNS, |x| {
        let again = positive(&pairs(&positive(x)));
        vec![vector(&[again.iter().fold(0.0, |sum, x| sum + x)])]
    });
    of_vectors("sizes_that_no_output_needs", network, runs)
}

/// Twelve layers that find an extent, one after another; every third size tensor is an output.
pub fn many_sizes() -> Case {
    const LAYERS: usize = 12;
    let network = from_x(DataType::Float32, 1, |network, x| {
        let (mut outputs, mut last) = (Vec::new(), x);
        for layer in 0..LAYERS {
            let [moved] = add(network, affine::op(last, &[1.0]).shift(-1));
            let [kept, count] = add(network, keep_positive::op(moved, layer % 2 == 0));
            outputs.extend((layer % 3 == 0).then_some(count));
            last = kept;
        }
        outputs.push(last);
        outputs
    });
    let runs = at_lengths_and([-1.0, 20.0], |x| {
        let (mut outputs, mut last) = (Vec::new(), x.to_vec());
        for layer in 0..LAYERS {
            last = positive(&last.iter().map(|x| x - 1.0).collect::<Vec<_>>());
            outputs.extend((layer % 3 == 0).then(|| size(&last, layer % 2 == 0)));
        }
        outputs.push(vector(&last));
        outputs
    });
    of_vectors("many_sizes", network, runs)
}

/// Size tensors of both types as outputs of the network.
pub fn sizes_as_outputs() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [_, wide] = add(network, keep_positive::op(x, true));
        let [_, narrow] = add(network, keep_positive::op(x, false));
        vec![wide, narrow]
    });
    let runs = at::<f32>(LENGTHS, |x, _| {
        let count = positive(x).len();
        vec![host(&[count as i64], &[]), host(&[count as i32], &[])]
    });
    of_vectors("sizes_as_outputs", network, runs)
}
