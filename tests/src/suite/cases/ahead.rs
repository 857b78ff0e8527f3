//! Kernels that an engine can hold.

use plugin_runtime::prelude::*;

use super::found::{positive, vector};
use super::{LENGTHS, add, at, from_x, host, of_vectors};
use crate::gpu_plugins::ahead::{ahead, ahead_kept, ahead_negated};
use crate::suite::{Case, On};

/// Kernels that an engine can hold: two launches with scratch memory between them.
pub fn kernels_ahead_of_time() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| add(network, ahead::op(x, 0.5)).into());
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let y: Vec<f32> = x.iter().rev().map(|x| 2.0 * x + 0.5).collect();
        vec![host(&y, dims)]
    });
    Case { on: vec![On::AheadOfTime], ..of_vectors("kernels_ahead_of_time", network, runs) }
}

/// Kernels that run in half precision only.
pub fn kernels_ahead_of_time_in_half() -> Case {
    let network = from_x(DataType::Float16, 1, |network, x| add(network, ahead_negated::op(x)).into());
    let runs = at::<f16>(LENGTHS, |x, dims| vec![host(&x.iter().map(|x| -*x).collect::<Vec<f16>>(), dims)]);
    Case { on: vec![On::AheadOfTime], ..of_vectors("kernels_ahead_of_time_in_half", network, runs) }
}

/// Kernels that find an extent.
pub fn found_sizes_ahead_of_time() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [kept, count] = add(network, ahead_kept::op(x));
        vec![kept, count]
    });
    let runs = at::<f32>(LENGTHS, |x, _| {
        let kept = positive(x);
        vec![vector(&kept), host(&[kept.len() as i64], &[])]
    });
    Case { on: vec![On::AheadOfTime], ..of_vectors("found_sizes_ahead_of_time", network, runs) }
}
