//! Many shapes, contexts and engines leave nothing behind.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tests::{Random, tensor};

use crate::gpu::{gpu_alone, quick};
use crate::plugins::elementwise::{add_in_place, mirror, scale};
use crate::plugins::sizes::{keep_positive, signed_pairs, sum};

const MIB: i64 = 1 << 20;

/// Bytes taken on the GPU, and by this process in host memory.
fn taken(device: &Device) -> (i64, i64) {
    let (free, total) = device.cuda_memory().unwrap().expect("a GPU has memory");
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident: i64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    (total as i64 - free as i64, resident * 4096)
}

#[track_caller]
fn assert_flat(device: &Device, before: (i64, i64), what: &str) {
    let after = taken(device);
    let (gpu, host) = (after.0 - before.0, after.1 - before.1);
    println!("{what}: {gpu} bytes more on the GPU, {host} in host memory");
    if quick() {
        // Tools that watch a program take memory themselves.
        return;
    }
    assert!(gpu <= 2 * MIB, "{what}: {gpu} bytes more are taken on the GPU");
    assert!(host <= 4 * MIB, "{what}: {host} bytes more are taken in host memory");
}

fn network() -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [mirrored] = network.add_plugin(mirror::op(x)).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(mirrored, true)).unwrap();
    let [updated] = network.add_plugin(add_in_place::op(kept, -2.0)).unwrap();
    let [pairs] = network.add_plugin(signed_pairs::op(updated)).unwrap();
    let [again, _] = network.add_plugin(keep_positive::op(pairs, false)).unwrap();
    let [total] = network.add_plugin(sum::op(again)).unwrap();
    for (tensor, name) in [(mirrored, "mirrored"), (count, "count"), (again, "again"), (total, "total")] {
        network.mark_output(tensor, name).unwrap();
    }
    network
}

fn profile() -> Profile {
    Profile::new().dims("x", [0], [500], [1000])
}

#[test]
fn many_shape_changes() {
    let Some(device) = gpu_alone("many_shape_changes") else { return };
    let most = 1000;
    let build = |device: Device| Builder::new(device).profile(profile()).build(&network()).unwrap();
    let (engine, reference) = (build(device.clone()), build(Device::cpu()));
    let (mut context, mut cpu) = (engine.create_context().unwrap(), reference.create_context().unwrap());
    let stream = device.create_stream().unwrap();
    let mut random = Random::new(1);
    let values = random.floats(&[most]);
    let zeros = |dtype, n: i64| DeviceTensor::zeros(&stream, dtype, &[n]).unwrap();
    let x = DeviceTensor::from_host(&stream, &tensor(&values, &[most])).unwrap();
    let mut mirrored = zeros(DataType::Float32, 2 * most);
    let mut count = zeros(DataType::Int64, 1);
    let mut again = zeros(DataType::Float32, 4 * most + 1);
    let mut total = zeros(DataType::Float32, 1);
    let (changes, warm_up) = if quick() { (300, 100) } else { (30_000, 3_000) };
    let mut before = (0, 0);
    for change in 0..warm_up + changes {
        if change == warm_up {
            stream.synchronize().unwrap();
            before = taken(&device);
        }
        let n = random.below(most as usize + 1) as i64;
        context.set_input_shape("x", &[n]).unwrap();
        let mut bindings = [
            Binding::device_input(&x),
            Binding::device_output(&mut mirrored),
            Binding::device_output(&mut count),
            Binding::device_output(&mut again),
            Binding::device_output(&mut total),
        ];
        if change % 50 == 7 {
            context.capture(&mut bindings, &stream).unwrap();
        }
        context.enqueue(&mut bindings, &stream).unwrap();
        if change % 500 == 7 {
            let expected = cpu.run(&[("x", &tensor(&values[..n as usize], &[n]))]).unwrap();
            assert_eq!(*context.output_shape("again").unwrap(), *expected[2].1.shape(), "at change {change}");
            assert_eq!(total.to_host(&stream).unwrap().bytes(), expected[3].1.bytes(), "at change {change}");
            let found = again.to_host(&stream).unwrap();
            assert!(found.bytes().starts_with(expected[2].1.bytes()), "at change {change}");
        }
    }
    stream.synchronize().unwrap();
    assert_flat(&device, before, &format!("{changes} shape changes"));
}

#[test]
fn many_contexts() {
    let Some(device) = gpu_alone("many_contexts") else { return };
    let engine = Builder::new(device.clone()).profile(profile()).build(&network()).unwrap();
    let (contexts, warm_up) = if quick() { (20, 5) } else { (2000, 200) };
    let x = tensor(&Random::new(2).floats(&[700]), &[700]);
    let mut first = None;
    let mut before = (0, 0);
    for context in 0..warm_up + contexts {
        if context == warm_up {
            before = taken(&device);
        }
        let found = engine.create_context().unwrap().run(&[("x", &x)]).unwrap();
        let total = found[3].1.as_slice::<f32>().unwrap()[0];
        assert_eq!(*first.get_or_insert(total), total);
    }
    assert_flat(&device, before, &format!("{contexts} contexts"));
}

#[test]
fn many_engines() {
    let Some(device) = gpu_alone("many_engines") else { return };
    let (engines, warm_up) = if quick() { (3, 2) } else { (300, 30) };
    let mut before = (0, 0);
    for engine in 0..warm_up + engines {
        if engine == warm_up {
            before = taken(&device);
        }
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
        let c = network.add_constant("c", tensor(&vec![1.5; 5000], &[5000])).unwrap();
        let [kept, _] = network.add_plugin(keep_positive::op(x, true)).unwrap();
        let [pairs] = network.add_plugin(signed_pairs::op(kept)).unwrap();
        let [scaled] = network.add_plugin(scale::op(c, engine as f32)).unwrap();
        network.mark_output(pairs, "pairs").unwrap();
        network.mark_output(scaled, "scaled").unwrap();
        let engine = Builder::new(device.clone()).profile(profile()).build(&network).unwrap();
        engine.create_context().unwrap().run(&[("x", &tensor(&[1.0, -1.0, 2.0], &[3]))]).unwrap();
    }
    assert_flat(&device, before, &format!("{engines} engines"));
}

#[test]
fn many_streams_and_tensors() {
    let Some(device) = gpu_alone("many_streams_and_tensors") else { return };
    let (count, warm_up) = if quick() { (20, 5) } else { (2000, 200) };
    let mut random = Random::new(3);
    let mut before = (0, 0);
    for index in 0..warm_up + count {
        if index == warm_up {
            before = taken(&device);
        }
        let stream = device.create_stream().unwrap();
        let n = 1 + random.below(1000) as i64;
        let host = tensor(&random.floats(&[n]), &[n]);
        let copy = DeviceTensor::from_host(&stream, &host).unwrap();
        assert_eq!(copy.to_host(&stream).unwrap().bytes(), host.bytes());
    }
    assert_flat(&device, before, &format!("{count} streams and tensors"));
}
