//! Constants, casts, integers, layouts, and extents that are computed.

use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;

use super::found::{positive, vector};
use super::{LENGTHS, MATRICES, add, at, case, dynamic, from_x, host, of_vectors};
use crate::Random;
use crate::gpu_plugins::elementwise::{add_in_place, scale};
use crate::gpu_plugins::sizes::{column_sums, keep_positive};
use crate::plugins::{add_channels, missing_to_three, twice};
use crate::suite::{Case, Run};

/// Sums of integers, into a wider type.
pub fn integers() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Int32, [-1, -1]).expect("a fresh network takes it");
    let [y] = add(&mut network, column_sums::op(x));
    network.mark_output(y, "y").expect("the name is free");
    let run = |(seed, dims): (u64, &&[i64])| {
        let mut random = Random::new(seed);
        let x: Vec<i32> = (0..dims[0] * dims[1]).map(|_| random.below(1 << 30) as i32 - (1 << 29)).collect();
        let mut sums = vec![0i64; dims[1] as usize];
        x.chunks_exact(sums.len()).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += i64::from(*x)));
        Run { inputs: vec![("x", host(&x, dims))], expected: vec![host(&sums, &dims[1..])] }
    };
    let runs = (1..).zip(MATRICES).map(run).collect();
    Case { profile: dynamic(&[0, 1], &[61, 67], &[61, 257]), ..case("integers", network, runs) }
}

/// A constant as an input, as an output, and updated: it stays as it is. Inputs, and a tensor twice, as outputs.
pub fn constants() -> Case {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).expect("a fresh network takes it");
    let values = [1.0f32, -2.0, 0.0, 3.5];
    let weights = network.add_constant("weights", host(&values, &[4])).expect("the name is free");
    let [updated] = add(&mut network, add_in_place::op(weights, 1.0));
    let [read] = add(&mut network, scale::op(weights, 3.0));
    let [scaled] = add(&mut network, scale::op(x, 2.0));
    let outputs = [updated, weights, read, scaled, updated, x, x];
    for (position, tensor) in outputs.into_iter().enumerate() {
        network.mark_output(tensor, &format!("y{position}")).expect("the name is free");
    }
    let runs = at::<f32>(&[&[3], &[3], &[0]], |x, _| {
        let scaled: Vec<f32> = x.iter().map(|x| x * 2.0).collect();
        let updated = vector(&values.map(|value| value + 1.0));
        let read = vector(&values.map(|value| value * 3.0));
        vec![updated.clone(), vector(&values), read, vector(&scaled), updated, vector(x), vector(x)]
    });
    of_vectors("constants", network, runs)
}

/// Casts between floats and integers, between layers, and of what is found.
pub fn casts() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let mut cast = |tensor, dtype| network.cast(tensor, dtype).expect("it is of this network");
        let (half, whole) = (cast(x, DataType::Float16), cast(x, DataType::Int32));
        let back = cast(whole, DataType::Float32);
        let [scaled] = add(network, scale::op(half, 0.5));
        let wide = network.cast(scaled, DataType::Float32).expect("it is of this network");
        let [updated] = add(network, add_in_place::op(wide, 1.0));
        let [kept, _] = add(network, keep_positive::op(x, true));
        let kept = network.cast(kept, DataType::Float16).expect("it is of this network");
        vec![half, whole, back, kept, scaled, updated]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let half = |x: &[f32]| x.iter().map(|&x| f16::from_f32(x)).collect::<Vec<_>>();
        let whole: Vec<i32> = x.iter().map(|&x| x as i32).collect();
        let back: Vec<f32> = whole.iter().map(|&x| x as f32).collect();
        let kept = half(&positive(x));
        let found = [kept.len() as i64];
        let scaled: Vec<f32> = x.iter().map(|x| x * 0.5).collect();
        let updated: Vec<f32> = scaled.iter().map(|x| x + 1.0).collect();
        vec![
            host(&half(x), dims),
            host(&whole, dims),
            host(&back, dims),
            host(&kept, &found),
            host(&half(&scaled), dims),
            host(&updated, dims),
        ]
    });
    of_vectors("casts", network, runs)
}

/// A plugin that runs in other layouts than row-major: channels that fill their vectors, and that don't.
pub fn layouts() -> Case {
    let network = from_x(DataType::Float32, 4, |network, x| {
        let [a] = add(network, add_channels::op(x));
        let [b] = add(network, add_channels::op(a));
        vec![b, a]
    });
    let shapes: [&[i64]; 6] =
        [&[2, 5, 3, 2], &[1, 3, 2, 5], &[2, 33, 3, 1], &[1, 1, 1, 1], &[0, 4, 2, 2], &[1, 32, 7, 5]];
    let runs = at::<f32>(&shapes, |x, dims| {
        [2.0, 1.0].map(|delta| host(&x.iter().map(|x| x + delta).collect::<Vec<_>>(), dims)).into()
    });
    Case { profile: dynamic(&[0, 1, 1, 1], &[2, 5, 3, 2], &[2, 33, 7, 5]), ..case("layouts", network, runs) }
}

/// Extents that are computed from the input's, one of them to nothing.
pub fn another_extent() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [missing] = add(network, missing_to_three::op(x));
        let [double] = add(network, twice::op(x));
        vec![missing, double]
    });
    let runs = at::<f32>(&[&[0], &[1], &[3]], |x, _| vec![vector(&vec![0.0; 3 - x.len()]), vector(&[x, x].concat())]);
    Case { profile: dynamic(&[0], &[2], &[3]), ..case("another_extent", network, runs) }
}
