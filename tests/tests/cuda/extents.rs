//! Extents that only the device knows, and layers that don't cope with that: a run waits for the true ones.

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::{Random, tensor};

use crate::gpu::{gpu, quick};
use crate::plugins::ahead::{ahead, ahead_kept};
use crate::plugins::elementwise::{add_in_place, mirror, scale};
use crate::plugins::extents::{plain_keep, plain_pairs, plain_sum};
use crate::plugins::sizes::{keep_positive, signed_pairs, sum};
use crate::plugins::wrong::misbehave_late;
use crate::rig::{Rig, Twin, assert_same};

fn profile() -> Profile {
    Profile::new().dims("x", [0], [1000], [3000])
}

fn vector(random: &mut Random, n: usize) -> HostTensor {
    let dims = [n as i64];
    tensor(&random.floats(&dims), &dims)
}

/// Vectors of several lengths, shorter after longer, some without a positive element.
fn vectors() -> Vec<HostTensor> {
    let mut random = Random::new(1);
    let lengths: &[usize] = if quick() { &[300, 0, 3] } else { &[3000, 0, 1, 257, 2, 2999, 256, 900] };
    let mut vectors: Vec<HostTensor> = lengths.iter().map(|&n| vector(&mut random, n)).collect();
    vectors.extend([vec![-1.0; 600], vec![2.5; 600], vec![-3.0; 1]].map(|x| tensor(&x, &[x.len() as i64])));
    vectors
}

/// On buffers, and by name, as on the CPU; twice, so that what is left of one run shows in the next.
#[track_caller]
fn agree(device: &Device, network: &Network) {
    let mut twin = Twin::new(device, network, &profile(), &[]);
    for x in vectors().iter().chain(&vectors()) {
        twin.agree(&[("x", x)]);
    }
}

/// Elements whose number only the device knows, then a layer that asks for none of that.
fn kept_sum(network: &mut Network) {
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x, false)).unwrap();
    let [total] = network.add_named_plugin("total", plain_sum::op(kept)).unwrap();
    network.mark_output(total, "total").unwrap();
}

#[test]
fn an_impl_that_knows_nothing_of_the_device_gets_true_extents() {
    let Some(device) = gpu("an_impl_that_knows_nothing_of_the_device_gets_true_extents") else { return };
    let mut network = Network::new();
    kept_sum(&mut network);
    agree(&device, &network);
}

#[test]
fn workspaces_and_conversions_follow_true_extents() {
    let Some(device) = gpu("workspaces_and_conversions_follow_true_extents") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x, true)).unwrap();
    let [mirrored] = network.add_plugin(mirror::op(kept)).unwrap();
    let half = network.cast(mirrored, DataType::Float16).unwrap();
    let [scaled] = network.add_plugin(scale::op(half, 2.0)).unwrap();
    let wide = network.cast(scaled, DataType::Float32).unwrap();
    let [pairs] = network.add_plugin(plain_pairs::op(wide)).unwrap();
    network.mark_output(pairs, "pairs").unwrap();
    agree(&device, &network);
}

#[test]
fn layers_that_wait_and_layers_that_cope_follow_one_another() {
    let Some(device) = gpu("layers_that_wait_and_layers_that_cope_follow_one_another") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(x, true)).unwrap();
    let [pairs] = network.add_plugin(plain_pairs::op(kept)).unwrap();
    let [again, second] = network.add_plugin(plain_keep::op(pairs)).unwrap();
    let [scaled] = network.add_plugin(scale::op(again, 2.0)).unwrap();
    let [moved] = network.add_plugin(add_in_place::op(scaled, -9.0)).unwrap();
    let [careful] = network.add_plugin(sum::op(moved)).unwrap();
    let [plain] = network.add_plugin(plain_sum::op(moved)).unwrap();
    let [third, _] = network.add_plugin(keep_positive::op(moved, false)).unwrap();
    let [last] = network.add_plugin(signed_pairs::op(third)).unwrap();
    let [fourth, _] = network.add_plugin(plain_keep::op(last)).unwrap();
    let outputs = [
        (count, "count"),
        (pairs, "pairs"),
        (second, "second"),
        (moved, "moved"),
        (careful, "careful"),
        (plain, "plain"),
        (last, "last"),
        (fourth, "fourth"),
    ];
    outputs.iter().for_each(|(tensor, name)| network.mark_output(*tensor, name).unwrap());
    agree(&device, &network);
}

#[test]
fn sizes_that_no_output_needs_are_waited_for() {
    let Some(device) = gpu("sizes_that_no_output_needs_are_waited_for") else { return };
    let mut network = Network::new();
    let mut last = network.add_input("x", DataType::Float32, [-1]).unwrap();
    for layer in 0..6 {
        let [kept, _] = match layer % 2 {
            0 => network.add_plugin(keep_positive::op(last, layer == 0)).unwrap(),
            _ => network.add_plugin(plain_keep::op(last)).unwrap(),
        };
        [last] = network.add_plugin(add_in_place::op(kept, -1.0)).unwrap();
    }
    let [total] = network.add_plugin(plain_sum::op(last)).unwrap();
    network.mark_output(total, "total").unwrap();
    agree(&device, &network);
}

/// Kernels of the engine's own that are given numbers of elements.
fn ahead_after_sizes() -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, count] = network.add_plugin(ahead_kept::op(x).prefer_aot()).unwrap();
    let [doubled] = network.add_named_plugin("doubled", ahead::op(kept, 1.0).prefer_aot()).unwrap();
    let [again, _] = network.add_plugin(ahead_kept::op(doubled).prefer_aot()).unwrap();
    let [last] = network.add_plugin(ahead::op(again, -3.5).prefer_aot()).unwrap();
    for (tensor, name) in [(count, "count"), (doubled, "doubled"), (last, "last")] {
        network.mark_output(tensor, name).unwrap();
    }
    network
}

#[test]
fn an_engines_own_kernels_are_launched_at_true_extents() {
    let Some(device) = gpu("an_engines_own_kernels_are_launched_at_true_extents") else { return };
    let network = ahead_after_sizes();
    agree(&device, &network);
    let engine = Builder::new(device.clone()).profile(profile()).build(&network).unwrap();
    let loaded = Engine::from_bytes(&engine.to_bytes().unwrap()).unwrap();
    let mut cpu = Builder::new(Device::cpu()).profile(profile()).build(&network).unwrap().create_context().unwrap();
    let mut context = loaded.create_context().unwrap();
    for x in vectors() {
        let (found, expected) = (context.run(&[("x", &x)]).unwrap(), cpu.run(&[("x", &x)]).unwrap());
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            assert_same(found, expected, &format!("`{name}` of a loaded engine"));
        }
    }
}

/// What is said where a run of these is to be recorded. Runs are enqueued all the same.
fn recorded(device: &Device, network: &Network) -> [String; 2] {
    let mut twin = Twin::new(device, network, &profile(), &[]);
    let x = vector(&mut Random::new(2), 500);
    let rig = &mut twin.gpu;
    let mut buffers = rig.buffers(&[("x", &x)]);
    let captured = rig.context.capture(&mut buffers.bindings(), &rig.stream).unwrap_err().to_string();
    let bare = rig.context.bare_launches(&mut buffers.bindings(), &rig.stream).map(|_| ()).unwrap_err().to_string();
    twin.agree(&[("x", &x)]);
    [captured, bare]
}

#[test]
fn a_run_that_waits_is_not_recorded() {
    let Some(device) = gpu("a_run_that_waits_is_not_recorded") else { return };
    let mut network = Network::new();
    kept_sum(&mut network);
    for message in recorded(&device, &network) {
        assert!(message.starts_with("layer `total` (gpu::plain_sum v1, tactic default, x FP32 ["), "{message}");
        assert!(message.contains("extents.rs:") && message.contains("asks for device_shape()"), "{message}");
        assert!(message.ends_with("write `device_shape = true` in the #[impl_plugin(..)]"), "{message}");
    }
    for message in recorded(&device, &ahead_after_sizes()) {
        assert!(message.starts_with("layer `doubled` (gpu::ahead v1, tactic AOT "), "{message}");
        assert!(message.ends_with("write `device_shape = true` in the #[aot_impl(..)]"), "{message}");
    }
}

#[test]
fn a_wrong_size_is_found_where_a_run_waits_for_it() {
    let Some(device) = gpu("a_wrong_size_is_found_where_a_run_waits_for_it") else { return };
    for (misdeed, said) in [
        (2, "the impl didn't write its size tensor, output 1: call outputs[1].write_size(n)"),
        (3, "the impl wrote 5 to its size tensor, output 1; it must be 0 to 4, its upper bound"),
    ] {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [4]).unwrap();
        let [y, _] = network.add_named_plugin("late", misbehave_late::op(x, misdeed)).unwrap();
        let [total] = network.add_plugin(plain_sum::op(y)).unwrap();
        network.mark_output(total, "total").unwrap();
        let mut rig = Rig::new(Builder::new(device.clone()).without_checks().build(&network).unwrap(), &[]);
        let x = tensor(&[1.0, 2.0, 3.0, 4.0], &[4]);
        let mut buffers = rig.buffers(&[("x", &x)]);
        rig.fill(&mut buffers, &[("x", &x)]);
        let place = "layer `late` (gpu::misbehave_late v1, tactic default, x FP32 [4] -> FP32 [4], INT32 []): ";
        for _ in 0..2 {
            let message = rig.context.enqueue(&mut buffers.bindings(), &rig.stream).unwrap_err().to_string();
            assert_eq!(message, format!("{place}{said}"));
            let message = rig.context.run(&[("x", &x)]).unwrap_err().to_string();
            assert_eq!(message, format!("{place}{said}"));
        }
        rig.stream.synchronize().unwrap();
    }
}

#[test]
fn an_output_shape_is_the_largest_before_a_run_and_the_true_one_after() {
    let Some(device) = gpu("an_output_shape_is_the_largest_before_a_run_and_the_true_one_after") else { return };
    let profile = Profile::new().dims("x", [0], [50], [100]);
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x, false)).unwrap();
    let [pairs] = network.add_plugin(signed_pairs::op(kept)).unwrap();
    network.mark_output(kept, "kept").unwrap();
    network.mark_output(pairs, "pairs").unwrap();
    let engine = Builder::new(device.clone()).profile(profile).build(&network).unwrap();
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
