//! Runs that are recorded and replayed.

use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::{Random, tensor};

use crate::gpu::{gpu, quick};
use crate::plugins::elementwise::{add_in_place, counted, mirror, scale};
use crate::plugins::sizes::{keep_positive, signed_pairs, sum};
use crate::plugins::wrong::{launch, misbehave_late};
use crate::plugins::{calls_of, forget_calls};
use crate::rig::{Buffers, Inputs, Twin, assert_same};

fn profile() -> Profile {
    Profile::new().dims("x", [0], [1000], [3000])
}

fn vector(random: &mut Random, n: i64) -> HostTensor {
    tensor(&random.floats(&[n]), &[n])
}

fn capture(twin: &mut Twin, buffers: &mut Buffers) {
    let rig = &mut twin.gpu;
    rig.context.capture(&mut buffers.bindings(), &rig.stream).unwrap();
}

/// Runs with what is in the buffers; the CPU has to find the same.
#[track_caller]
fn enqueue_and_check(twin: &mut Twin, buffers: &mut Buffers, inputs: &Inputs<'_>) {
    let expected = twin.expected(inputs);
    twin.gpu.fill(buffers, inputs);
    twin.gpu.enqueue(buffers);
    let found = twin.gpu.outputs(buffers);
    for (position, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_same(found, expected, &format!("output {position}"));
    }
}

/// Two plugins, the first counted under the test's name.
fn counted_network(test: &str) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(counted::op(x, 2.0, test)).unwrap();
    let [b] = network.add_plugin(mirror::op(a)).unwrap();
    network.mark_output(b, "y").unwrap();
    network
}

/// The same, built for both; what the build itself ran isn't counted.
fn counted_twin(device: &Device, test: &str) -> Twin {
    let twin = Twin::new(device, &counted_network(test), &profile(), &[]);
    forget_calls(test);
    twin
}

#[test]
fn a_replay_runs_on_new_data_without_the_host() {
    const TEST: &str = "a_replay_runs_on_new_data_without_the_host";
    let Some(device) = gpu(TEST) else { return };
    let mut twin = counted_twin(&device, TEST);
    let mut random = Random::new(1);
    let x = vector(&mut random, 777);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    capture(&mut twin, &mut buffers);
    assert_eq!(calls_of(TEST), 1);
    for _ in 0..5 {
        let x = vector(&mut random, 777);
        enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    }
    assert_eq!(calls_of(TEST), 1, "the replays didn't call the impl");
    twin.gpu.context.set_input_shape("x", &[777]).unwrap();
    enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    assert_eq!(calls_of(TEST), 1, "the shape that it has already changes nothing");
}

#[test]
fn capturing_runs_nothing() {
    let Some(device) = gpu("capturing_runs_nothing") else { return };
    let mut twin = Twin::new(&device, &counted_network("capturing_runs_nothing"), &profile(), &[]);
    let x = vector(&mut Random::new(2), 100);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    twin.gpu.fill(&mut buffers, &[("x", &x)]);
    capture(&mut twin, &mut buffers);
    let untouched = twin.gpu.outputs(&buffers);
    assert!(untouched[0].bytes().iter().all(|&byte| byte == 0xa5));
    twin.gpu.enqueue(&mut buffers);
    assert_same(&twin.gpu.outputs(&buffers)[0], &twin.expected(&[("x", &x)])[0], "y");
}

#[test]
fn other_bindings_are_enqueued_step_by_step() {
    const TEST: &str = "other_bindings_are_enqueued_step_by_step";
    let Some(device) = gpu(TEST) else { return };
    let mut twin = counted_twin(&device, TEST);
    let mut random = Random::new(3);
    let x = vector(&mut random, 300);
    let mut first = twin.gpu.buffers(&[("x", &x)]);
    let mut second = twin.gpu.buffers(&[("x", &x)]);
    capture(&mut twin, &mut first);
    for calls in [2, 3] {
        let x = vector(&mut random, 300);
        enqueue_and_check(&mut twin, &mut second, &[("x", &x)]);
        assert_eq!(calls_of(TEST), calls);
        enqueue_and_check(&mut twin, &mut first, &[("x", &x)]);
        assert_eq!(calls_of(TEST), calls, "the first ones are still recorded");
    }
    capture(&mut twin, &mut second);
    assert_eq!(calls_of(TEST), 4);
    enqueue_and_check(&mut twin, &mut second, &[("x", &x)]);
    assert_eq!(calls_of(TEST), 4);
    enqueue_and_check(&mut twin, &mut first, &[("x", &x)]);
    assert_eq!(calls_of(TEST), 5, "one record is kept, the last");
}

#[test]
fn a_shape_change_drops_the_record() {
    const TEST: &str = "a_shape_change_drops_the_record";
    let Some(device) = gpu(TEST) else { return };
    let mut twin = counted_twin(&device, TEST);
    let mut random = Random::new(4);
    let x = vector(&mut random, 2000);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    capture(&mut twin, &mut buffers);
    enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    assert_eq!(calls_of(TEST), 1);
    for (n, calls) in [(3, 2), (2000, 3), (0, 4)] {
        let x = vector(&mut random, n);
        let mut own = twin.gpu.buffers(&[("x", &x)]);
        enqueue_and_check(&mut twin, &mut own, &[("x", &x)]);
        assert_eq!(calls_of(TEST), calls, "at {n}");
    }
    twin.gpu.context.set_input_shape("x", &[2000]).unwrap();
    enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    assert_eq!(calls_of(TEST), 5, "also where the old bindings and shape come back");
    capture(&mut twin, &mut buffers);
    let x = vector(&mut random, 2000);
    enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    assert_eq!(calls_of(TEST), 6);
}

#[test]
fn a_smaller_shape_in_the_recorded_buffers_is_not_stale() {
    const TEST: &str = "a_smaller_shape_in_the_recorded_buffers_is_not_stale";
    let Some(device) = gpu(TEST) else { return };
    let mut twin = counted_twin(&device, TEST);
    let mut random = Random::new(5);
    let large = vector(&mut random, 1000);
    let mut buffers = twin.gpu.buffers(&[("x", &large)]);
    capture(&mut twin, &mut buffers);
    twin.gpu.fill(&mut buffers, &[("x", &large)]);
    twin.gpu.context.set_input_shape("x", &[10]).unwrap();
    twin.gpu.enqueue(&mut buffers);
    let found = twin.gpu.outputs(&buffers);
    let small = tensor(&large.as_slice().unwrap()[..10], &[10]);
    assert_same(&found[0], &twin.expected(&[("x", &small)])[0], "y");
}

#[test]
fn data_dependent_layers_are_recorded_for_any_count() {
    let Some(device) = gpu("data_dependent_layers_are_recorded_for_any_count") else { return };
    for wide in [false, true] {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
        let [kept, count] = network.add_plugin(keep_positive::op(x, wide)).unwrap();
        let [pairs] = network.add_plugin(signed_pairs::op(kept)).unwrap();
        let [again, _] = network.add_plugin(keep_positive::op(pairs, !wide)).unwrap();
        let [total] = network.add_plugin(sum::op(again)).unwrap();
        for (tensor, name) in [(count, "count"), (pairs, "pairs"), (again, "again"), (total, "total")] {
            network.mark_output(tensor, name).unwrap();
        }
        let mut twin = Twin::new(&device, &network, &profile(), &[]);
        let mut random = Random::new(6);
        let x = vector(&mut random, 900);
        let mut buffers = twin.gpu.buffers(&[("x", &x)]);
        capture(&mut twin, &mut buffers);
        let counts: &[usize] = if quick() { &[900, 0, 31] } else { &[900, 0, 1, 450, 899, 2, 257, 256] };
        for &positive in counts {
            let mut x = random.floats(&[900]);
            x.iter_mut().enumerate().for_each(|(i, x)| *x = if i < positive { x.abs() + 0.25 } else { -x.abs() });
            for i in (1..x.len()).rev() {
                x.swap(i, random.below(i + 1));
            }
            enqueue_and_check(&mut twin, &mut buffers, &[("x", &tensor(&x, &[900]))]);
            assert_eq!(*twin.gpu.context.output_shape("pairs").unwrap(), [2 * positive as i64 + 1]);
        }
    }
}

#[test]
fn a_chain_of_twenty_plugins() {
    let Some(device) = gpu("a_chain_of_twenty_plugins") else { return };
    let mut network = Network::new();
    let mut last = network.add_input("x", DataType::Float32, [-1]).unwrap();
    for layer in 0..20 {
        [last] = match layer % 4 {
            0 => network.add_plugin(scale::op(last, 2.0)).unwrap(),
            1 => network.add_plugin(scale::op(last, -0.5)).unwrap(),
            _ => network.add_plugin(add_in_place::op(last, 0.25)).unwrap(),
        };
    }
    network.mark_output(last, "y").unwrap();
    let mut twin = Twin::new(&device, &network, &profile(), &[]);
    let mut random = Random::new(7);
    let x = vector(&mut random, 3000);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    capture(&mut twin, &mut buffers);
    for _ in 0..4 {
        let x = vector(&mut random, 3000);
        enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    }
}

#[test]
fn each_replay_updates_in_place_once() {
    let Some(device) = gpu("each_replay_updates_in_place_once") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [y] = network.add_plugin(add_in_place::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let mut twin = Twin::new(&device, &network, &profile(), &[("y", "x")]);
    let x = vector(&mut Random::new(8), 50);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    twin.gpu.fill(&mut buffers, &[("x", &x)]);
    capture(&mut twin, &mut buffers);
    for updates in 0..5 {
        let found = twin.gpu.outputs(&buffers);
        let expected: Vec<f32> = x.as_slice::<f32>().unwrap().iter().map(|x| x + 2.0 * updates as f32).collect();
        assert_same(&found[0], &tensor(&expected, &[50]), &format!("after {updates} runs"));
        twin.gpu.enqueue(&mut buffers);
    }
}

#[test]
fn a_record_runs_in_any_stream_of_the_gpu() {
    const TEST: &str = "a_record_runs_in_any_stream_of_the_gpu";
    let Some(device) = gpu(TEST) else { return };
    let mut twin = counted_twin(&device, TEST);
    let mut random = Random::new(9);
    let x = vector(&mut random, 640);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    capture(&mut twin, &mut buffers);
    let streams = [(); 3].map(|()| device.create_stream().unwrap());
    for stream in &streams {
        twin.gpu.stream.synchronize().unwrap();
        twin.gpu.stream = stream.clone();
        let x = vector(&mut random, 640);
        enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
    }
    assert_eq!(calls_of(TEST), 1);
}

#[test]
fn what_fails_while_it_is_recorded_leaves_the_context_usable() {
    let Some(device) = gpu("what_fails_while_it_is_recorded_leaves_the_context_usable") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [a] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    let [b] = network.add_named_plugin("large", launch::op(a, &[1, 1, 1], &[2048, 1, 1])).unwrap();
    network.mark_output(b, "y").unwrap();
    let engine = Builder::new(device.clone()).without_checks().build(&network).unwrap();
    let mut rig = crate::rig::Rig::new(engine, &[]);
    let x = tensor(&[1.0; 4], &[4]);
    let mut buffers = rig.buffers(&[("x", &x)]);
    rig.fill(&mut buffers, &[("x", &x)]);
    for _ in 0..2 {
        let error = rig.context.capture(&mut buffers.bindings(), &rig.stream).unwrap_err().to_string();
        assert!(error.starts_with("layer `large` (gpu::launch v1, ") && error.contains("2048"), "{error}");
        let error = rig.context.enqueue(&mut buffers.bindings(), &rig.stream).unwrap_err().to_string();
        assert!(error.starts_with("layer `large` (gpu::launch v1, ") && error.contains("2048"), "{error}");
        rig.stream.synchronize().unwrap();
    }
    let mut twin = Twin::new(&device, &counted_network("after a failed capture"), &profile(), &[]);
    twin.gpu.stream = rig.stream.clone();
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    capture(&mut twin, &mut buffers);
    enqueue_and_check(&mut twin, &mut buffers, &[("x", &x)]);
}

#[test]
fn a_size_beyond_its_bound_shows_after_a_replay_too() {
    let Some(device) = gpu("a_size_beyond_its_bound_shows_after_a_replay_too") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, n] = network.add_named_plugin("large", misbehave_late::op(x, 3)).unwrap();
    network.mark_output(y, "y").unwrap();
    network.mark_output(n, "n").unwrap();
    let mut rig = crate::rig::Rig::new(Builder::new(device.clone()).without_checks().build(&network).unwrap(), &[]);
    let x = tensor(&[1.0; 4], &[4]);
    let mut buffers = rig.buffers(&[("x", &x)]);
    rig.fill(&mut buffers, &[("x", &x)]);
    rig.context.capture(&mut buffers.bindings(), &rig.stream).unwrap();
    rig.enqueue(&mut buffers);
    let error = rig.context.output_shape("y").unwrap_err().to_string();
    assert!(error.starts_with("layer `large` (gpu::misbehave_late v1, "), "{error}");
    assert!(error.contains("wrote 5 to its size tensor, output 1; it must be 0 to 4"), "{error}");
    for name in ["y", "n", "y"] {
        let again = rig.context.output_shape(name).unwrap_err().to_string();
        assert_eq!(again, format!("output `{name}` has no extents, as the last run failed: {error}"));
    }
    assert_eq!(*rig.context.max_output_shape("y").unwrap(), [4]);
}

#[test]
fn a_run_on_the_cpu_cannot_be_recorded() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(Device::cpu()).build(&network).unwrap();
    let stream = engine.device().create_stream().unwrap();
    let (x, mut y) = ([1.0f32; 4], [0.0f32; 4]);
    let mut context = engine.create_context().unwrap();
    let bindings = &mut [Binding::input(&x), Binding::output(&mut y)];
    assert_eq!(
        context.capture(bindings, &stream).unwrap_err().to_string(),
        "a run on the CPU can't be recorded: enqueue it, or use device `cuda`"
    );
}
