//! Plugins element by element: types, attributes, workspaces, updates in place.

use plugin_runtime::prelude::*;
use samples::reference::Float;

use super::{LENGTHS, add, at, from_x, host, of_vectors};
use crate::gpu_plugins::elementwise::{add_in_place, affine, mirror, scale, split_signs};
use crate::suite::Case;

fn scaled<T: Float>(name: &'static str) -> Case {
    let network = from_x(T::DTYPE, 1, |network, x| add(network, scale::op(x, 2.5)).into());
    let runs = at::<T>(LENGTHS, |x, dims| {
        let y: Vec<T> = x.iter().map(|x| T::narrow(x.widen() * 2.5)).collect();
        vec![host(&y, dims)]
    });
    of_vectors(name, network, runs)
}

/// One multiplication.
pub fn scale_f32() -> Case {
    scaled::<f32>("scale_f32")
}

/// The same in half precision.
pub fn scale_f16() -> Case {
    scaled::<f16>("scale_f16")
}

/// A plugin that may run in half precision in a network of single precision. The values are exact in both.
pub fn scale_in_another_type() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [y] = add(network, scale::op(x, 2.0));
        add(network, scale::op(y, 0.25)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| vec![host(&x.iter().map(|x| x * 0.5).collect::<Vec<_>>(), dims)]);
    Case { types: vec![DataType::Float16], ..of_vectors("scale_in_another_type", network, runs) }
}

/// A plugin of two outputs, one of which is used again.
pub fn two_outputs() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [positive, negative] = add(network, split_signs::op(x));
        let [scaled] = add(network, scale::op(negative, -1.0));
        vec![positive, negative, scaled]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let part = |keep: fn(f32) -> bool, factor: f32| {
            let part: Vec<f32> = x.iter().map(|&x| if keep(x) { x } else { 0.0 } * factor).collect();
            host(&part, dims)
        };
        vec![part(|x| x > 0.0, 1.0), part(|x| x < 0.0, 1.0), part(|x| x < 0.0, -1.0)]
    });
    of_vectors("two_outputs", network, runs)
}

/// A plugin that needs scratch memory, between others that use the same.
pub fn scratch_memory() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, mirror::op(x));
        add(network, mirror::op(a)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let mirrored = |x: Vec<f32>| -> Vec<f32> { x.iter().rev().chain(&x).copied().collect() };
        vec![host(&mirrored(mirrored(x.to_vec())), &[4 * dims[0]])]
    });
    of_vectors("scratch_memory", network, runs)
}

/// Lists, numbers and truth values as attributes, two of them by default.
pub fn attributes_of_each_kind() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, affine::op(x, &[2.0, -1.0, 0.5]));
        add(network, affine::op(a, &[1.0]).shift(-2).negate(true)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let factors = [2.0, -1.0, 0.5];
        let y = x.iter().enumerate().map(|(i, x)| -(x * factors[i % 3] + 3.0 - 2.0));
        vec![host(&y.collect::<Vec<_>>(), dims)]
    });
    of_vectors("attributes_of_each_kind", network, runs)
}

/// Two updates of one memory, which is the input's.
pub fn updated_in_place_twice() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, add_in_place::op(x, 1.5));
        add(network, add_in_place::op(a, -0.25)).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| vec![host(&x.iter().map(|x| x + 1.25).collect::<Vec<_>>(), dims)]);
    Case { in_place: vec![("y0", "x")], ..of_vectors("updated_in_place_twice", network, runs) }
}

/// Updates of what the network's output or another layer reads, before the update or after: they get copies.
pub fn updated_beside_a_reader() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [doubled] = add(network, scale::op(x, 2.0));
        let [updated] = add(network, add_in_place::op(doubled, 1.0));
        let [read_after] = add(network, scale::op(doubled, -1.0));
        let [tripled] = add(network, scale::op(x, 3.0));
        let [read_before] = add(network, scale::op(tripled, 0.5));
        let [updated_last] = add(network, add_in_place::op(tripled, 2.0));
        let [updated_input] = add(network, add_in_place::op(x, 4.0));
        vec![updated, read_after, doubled, read_before, updated_last, updated_input, x]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let of = |f: fn(f32) -> f32| host(&x.iter().map(|&x| f(x)).collect::<Vec<_>>(), dims);
        vec![
            of(|x| 2.0 * x + 1.0),
            of(|x| -2.0 * x),
            of(|x| 2.0 * x),
            of(|x| 1.5 * x),
            of(|x| 3.0 * x + 2.0),
            of(|x| x + 4.0),
            of(|x| x),
        ]
    });
    of_vectors("updated_beside_a_reader", network, runs)
}
