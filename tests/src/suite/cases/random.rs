//! Shapes that are drawn at random, the same in each run: empty in each dimension, of one element, odd, and any others.

use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use samples::circ_pad::circ_pad_plugin;
use samples::non_zero::non_zero_plugin;
use samples::reference;

use super::found::{pairs, positive, vector};
use super::{add, at, case, from_x, host};
use crate::Random;
use crate::gpu_plugins::elementwise::{add_in_place, mirror, scale};
use crate::gpu_plugins::sizes::{keep_positive, signed_pairs};
use crate::suite::{Case, On};

/// How many shapes are drawn, besides the special ones.
const DRAWN: usize = 5;

/// Shapes with extents up to `most`: of one element, odd, any; with `least` of 0 also empty in one dimension each.
fn shapes(seed: u64, least: i64, most: &[i64]) -> Vec<Vec<i64>> {
    let mut random = Random::new(seed);
    let mut draw = || -> Vec<i64> { most.iter().map(|&most| 1 + random.below(most as usize) as i64).collect() };
    let mut shapes = vec![vec![1; most.len()]];
    if least == 0 {
        for axis in 0..most.len() {
            let mut empty = draw();
            empty[axis] = 0;
            shapes.push(empty);
        }
    }
    shapes.push(draw().into_iter().map(|extent| (extent - 1) | 1).collect());
    shapes.extend((0..DRAWN).map(|_| draw()));
    shapes.push(most.to_vec());
    shapes
}

fn profile(least: i64, most: &[i64]) -> Option<Profile> {
    let half: Vec<i64> = most.iter().map(|most| (most / 2).max(1)).collect();
    Some(Profile::new().dims("x", vec![least; most.len()], half, most))
}

/// Three dimensions, element by element, then in half precision.
pub fn random_shapes() -> Case {
    let most = [7, 33, 65];
    let network = from_x(DataType::Float32, 3, |network, x| {
        let [scaled] = add(network, scale::op(x, 2.0));
        let [updated] = add(network, add_in_place::op(scaled, 0.5));
        let half = network.cast(updated, DataType::Float16).expect("it is of this network");
        let [last] = add(network, scale::op(half, 0.25));
        vec![updated, last]
    });
    let runs = at::<f32>(&shapes(1, 0, &most), |x, dims| {
        let updated: Vec<f32> = x.iter().map(|x| 2.0 * x + 0.5).collect();
        let last: Vec<f16> = updated.iter().map(|x| f16::from_f32(x * 0.25)).collect();
        vec![host(&updated, dims), host(&last, dims)]
    });
    Case { profile: profile(0, &most), ..case("random_shapes", network, runs) }
}

/// Matrices, whose non-zero elements are found.
pub fn random_matrices() -> Case {
    let most = [67, 129];
    let network = from_x(DataType::Float32, 2, |network, x| add(network, non_zero_plugin::op(x)).into());
    let runs = at::<f32>(&shapes(2, 0, &most), |x, dims| {
        let positions = reference::non_zero(x, dims);
        let count = positions.len() as i64 / 2;
        vec![host(&positions, &[count, 2]), host(&[count], &[])]
    });
    Case { profile: profile(0, &most), ..case("random_matrices", network, runs) }
}

/// Four dimensions, padded by numbers that are drawn too, some of them more than an extent.
pub fn random_padding() -> Case {
    let most = [3, 4, 17, 33];
    let mut random = Random::new(3);
    let pads: [i32; 8] = std::array::from_fn(|_| random.below(6) as i32);
    let network = from_x(DataType::Float32, 4, |network, x| add(network, circ_pad_plugin::op(x, &pads)).into());
    let runs = at::<f32>(&shapes(4, 1, &most), |x, dims| {
        let (padded, values) = reference::circ_pad(x, dims, &pads);
        vec![host(&values, &padded)]
    });
    let on = vec![On::Cuda, On::AheadOfTime];
    Case { profile: profile(1, &most), on, ..case("random_padding", network, runs) }
}

/// Vectors through scratch memory, then an extent that is found, and one that follows from it.
pub fn random_lengths() -> Case {
    let most = [5001];
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [mirrored] = add(network, mirror::op(x));
        let [kept, _] = add(network, keep_positive::op(mirrored, true));
        let [paired] = add(network, signed_pairs::op(kept));
        vec![kept, paired]
    });
    let runs = at::<f32>(&shapes(5, 0, &most), |x, _| {
        let mirrored: Vec<f32> = x.iter().rev().chain(x).copied().collect();
        let kept = positive(&mirrored);
        vec![vector(&kept), vector(&pairs(&kept))]
    });
    Case { profile: profile(0, &most), ..case("random_lengths", network, runs) }
}
