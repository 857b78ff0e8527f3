//! Chains of plugins give what they give on the CPU.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::{Random, tensor};

use crate::gpu::{gpu, quick};
use crate::plugins::elementwise::{add_in_place, affine, mirror, scale, split_signs};
use crate::plugins::sizes::{keep_positive, signed_pairs, sum};
use crate::rig::Twin;

/// Vectors of these lengths: those around a block's size, and some more.
fn lengths(random: &mut Random, most: usize) -> Vec<usize> {
    let mut lengths = vec![0, 1, 2, 255, 256, 257, most];
    lengths.extend((0..if quick() { 3 } else { 12 }).map(|_| random.below(most + 1)));
    lengths.retain(|&n| n <= most);
    lengths
}

fn vector(random: &mut Random, n: usize) -> HostTensor {
    let dims = [n as i64];
    tensor(&random.floats(&dims), &dims)
}

/// Runs a network of one vector `x` at many lengths.
fn agree_on_vectors(device: &Device, network: &Network, in_place: &[(&str, &str)], seed: u64) {
    let most = 3000;
    let profile = Profile::new().dims("x", [0], [1000], [most]);
    let mut twin = Twin::new(device, network, &profile, in_place);
    let mut random = Random::new(seed);
    for n in lengths(&mut random, most as usize) {
        let x = vector(&mut random, n);
        twin.agree(&[("x", &x)]);
    }
    for x in [vec![-1.0; 600], vec![2.5; 600]] {
        twin.agree(&[("x", &tensor(&x, &[600]))]);
    }
}

#[test]
fn two_outputs() {
    let Some(device) = gpu("two_outputs") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [positive, negative] = network.add_plugin(split_signs::op(x)).unwrap();
    let [halved] = network.add_plugin(scale::op(negative, 0.5)).unwrap();
    for (tensor, name) in [(halved, "halved"), (positive, "positive"), (negative, "negative")] {
        network.mark_output(tensor, name).unwrap();
    }
    agree_on_vectors(&device, &network, &[], 1);
}

#[test]
fn an_output_in_the_inputs_memory() {
    let Some(device) = gpu("an_output_in_the_inputs_memory") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(add_in_place::op(x, 2.0)).unwrap();
    let [b] = network.add_plugin(add_in_place::op(a, 4.0)).unwrap();
    network.mark_output(b, "y").unwrap();
    agree_on_vectors(&device, &network, &[("y", "x")], 2);
}

#[test]
fn an_in_place_plugin_never_changes_what_another_still_reads() {
    let Some(device) = gpu("an_in_place_plugin_never_changes_what_another_still_reads") else { return };
    for updated_first in [true, false] {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
        let [t] = network.add_plugin(scale::op(x, 2.0)).unwrap();
        let mut tensors = vec![("t", t), ("u", network.add_plugin(add_in_place::op(x, 1.0)).unwrap()[0])];
        for update in [updated_first, !updated_first] {
            tensors.push(match update {
                true => ("v", network.add_plugin(add_in_place::op(t, 10.0)).unwrap()[0]),
                false => ("w", network.add_plugin(scale::op(t, 3.0)).unwrap()[0]),
            });
        }
        tensors.push(("x again", x));
        tensors.iter().for_each(|(name, tensor)| network.mark_output(*tensor, name).unwrap());
        agree_on_vectors(&device, &network, &[], 3);
    }
}

#[test]
fn workspaces_and_attributes() {
    let Some(device) = gpu("workspaces_and_attributes") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(mirror::op(x)).unwrap();
    let [b] = network.add_plugin(affine::op(a, &[1.0, 2.0, -0.5]).shift(-7).negate(true)).unwrap();
    let [c] = network.add_plugin(mirror::op(b)).unwrap();
    let [d] = network.add_plugin(affine::op(c, &[4.0])).unwrap();
    network.mark_output(d, "y").unwrap();
    network.mark_output(a, "mirrored").unwrap();
    agree_on_vectors(&device, &network, &[], 4);
}

#[test]
fn inputs_constants_and_repeated_tensors_can_be_outputs() {
    let Some(device) = gpu("inputs_constants_and_repeated_tensors_can_be_outputs") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let c = network.add_constant("c", tensor(&[7.0, 8.0, -9.0], &[3])).unwrap();
    let [sum] = network.add_plugin(add_in_place::op(c, 1.0)).unwrap();
    let [scaled] = network.add_plugin(scale::op(c, 3.0)).unwrap();
    for (name, tensor) in [("a", x), ("b", x), ("c2", c), ("sum", sum), ("sum2", sum), ("scaled", scaled)] {
        network.mark_output(tensor, name).unwrap();
    }
    agree_on_vectors(&device, &network, &[], 5);
}

#[test]
fn casts_between_layers() {
    let Some(device) = gpu("casts_between_layers") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let half = network.cast(x, DataType::Float16).unwrap();
    let [a] = network.add_plugin(scale::op(half, 0.5)).unwrap();
    let wide = network.cast(a, DataType::Float32).unwrap();
    let [b] = network.add_plugin(add_in_place::op(wide, 1.0)).unwrap();
    network.mark_output(a, "half").unwrap();
    network.mark_output(b, "y").unwrap();
    agree_on_vectors(&device, &network, &[], 6);
}

/// A producer, then everything that can come after it.
fn data_dependent_chain(wide: [bool; 2]) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(x, wide[0])).unwrap();
    let [total] = network.add_plugin(sum::op(kept)).unwrap();
    let [scaled] = network.add_plugin(scale::op(kept, 2.0)).unwrap();
    let [updated] = network.add_plugin(add_in_place::op(scaled, -9.0)).unwrap();
    let [pairs] = network.add_plugin(signed_pairs::op(updated)).unwrap();
    let [again, second] = network.add_plugin(keep_positive::op(pairs, wide[1])).unwrap();
    let [last] = network.add_plugin(signed_pairs::op(again)).unwrap();
    let [total_again] = network.add_plugin(sum::op(last)).unwrap();
    let tensors = [kept, count, total, updated, pairs, again, second, last, total_again];
    let names = ["kept", "count", "total", "updated", "pairs", "again", "second", "last", "total again"];
    tensors.iter().zip(names).for_each(|(tensor, name)| network.mark_output(*tensor, name).unwrap());
    network
}

#[test]
fn data_dependent_shapes_reach_the_consumers() {
    let Some(device) = gpu("data_dependent_shapes_reach_the_consumers") else { return };
    for wide in [[false, false], [true, true], [false, true]] {
        agree_on_vectors(&device, &data_dependent_chain(wide), &[], 7);
    }
}

#[test]
fn sizes_that_no_output_needs_stay_on_the_device() {
    let Some(device) = gpu("sizes_that_no_output_needs_stay_on_the_device") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x, true)).unwrap();
    let [pairs] = network.add_plugin(signed_pairs::op(kept)).unwrap();
    let [again, _] = network.add_plugin(keep_positive::op(pairs, false)).unwrap();
    let [total] = network.add_plugin(sum::op(again)).unwrap();
    network.mark_output(total, "total").unwrap();
    agree_on_vectors(&device, &network, &[], 8);
}

#[test]
fn many_size_tensors_in_one_engine() {
    let Some(device) = gpu("many_size_tensors_in_one_engine") else { return };
    let mut network = Network::new();
    let mut last = network.add_input("x", DataType::Float32, [-1]).unwrap();
    for layer in 0..12 {
        let [moved] = network.add_plugin(affine::op(last, &[1.0]).shift(-1)).unwrap();
        let [kept, count] = network.add_plugin(keep_positive::op(moved, layer % 2 == 0)).unwrap();
        if layer % 3 == 0 {
            network.mark_output(count, &format!("count {layer}")).unwrap();
        }
        last = kept;
    }
    network.mark_output(last, "y").unwrap();
    agree_on_vectors(&device, &network, &[], 9);
}

#[test]
fn an_output_shape_is_the_largest_before_a_run_and_the_true_one_after() {
    let Some(device) = gpu("an_output_shape_is_the_largest_before_a_run_and_the_true_one_after") else { return };
    let profile = Profile::new().dims("x", [0], [50], [100]);
    let engine = Builder::new(device.clone()).profile(profile).build(&data_dependent_chain([false, true])).unwrap();
    let mut context = engine.create_context().unwrap();
    context.set_input_shape("x", &[6]).unwrap();
    assert_eq!(*context.output_shape("kept").unwrap(), [6]);
    assert_eq!(*context.output_shape("pairs").unwrap(), [13]);
    context.run(&[("x", &tensor(&[1.0, -1.0, 20.0, 30.0, 0.0, -2.0], &[6]))]).unwrap();
    assert_eq!(*context.output_shape("kept").unwrap(), [3]);
    assert_eq!(*context.output_shape("pairs").unwrap(), [7]);
    context.set_input_shape("x", &[2]).unwrap();
    assert_eq!(*context.output_shape("pairs").unwrap(), [5]);
}
