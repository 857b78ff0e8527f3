//! After the first run with a shape, enqueue allocates nothing in host memory.

use plugin_runtime::device::Binding;
use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tests::{Random, tensor};

use crate::gpu::gpu;
use crate::plugins::elementwise::{add_in_place, affine, mirror, scale};
use crate::plugins::extents::{plain_keep, plain_pairs, plain_sum};
use crate::plugins::sizes::{keep_positive, signed_pairs, sum};

#[test]
fn enqueue_allocates_nothing_after_the_first_run_with_a_shape() {
    let Some(device) = gpu("enqueue_allocates_nothing_after_the_first_run_with_a_shape") else { return };
    let most = 10_000;
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let half = network.cast(x, DataType::Float16).unwrap();
    let [half] = network.add_plugin(scale::op(half, 2.0)).unwrap();
    let wide = network.cast(half, DataType::Float32).unwrap();
    let [double] = network.add_plugin(mirror::op(wide)).unwrap();
    let [moved] = network.add_plugin(affine::op(double, &[1.0, 2.0])).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(moved, true)).unwrap();
    let [updated] = network.add_plugin(add_in_place::op(kept, 1.0)).unwrap();
    let [pairs] = network.add_plugin(signed_pairs::op(updated)).unwrap();
    let [total] = network.add_plugin(sum::op(pairs)).unwrap();
    for (tensor, name) in [(pairs, "pairs"), (count, "count"), (total, "total")] {
        network.mark_output(tensor, name).unwrap();
    }
    let profile = Profile::new().dims("x", [1], [1000], [most]);
    let engine = Builder::new(device.clone()).profile(profile).build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = device.create_stream().unwrap();
    let x = DeviceTensor::from_host(&stream, &tensor(&Random::new(1).floats(&[most]), &[most])).unwrap();
    let uninit = |dtype, n: i64| DeviceTensor::uninit(&stream, dtype, &[n]).unwrap();
    let mut pairs = uninit(DataType::Float32, 4 * most + 1);
    let (mut count, mut total) = (uninit(DataType::Int64, 1), uninit(DataType::Float32, 1));
    for n in [most, 1, 777] {
        for captured in [false, true] {
            context.set_input_shape("x", &[n]).unwrap();
            if captured {
                let outputs = [&mut pairs, &mut count, &mut total].map(Binding::device_output);
                let [a, b, c] = outputs;
                context.capture(&mut [Binding::device_input(&x), a, b, c], &stream).unwrap();
            }
            let mut run = || {
                let outputs = [&mut pairs, &mut count, &mut total].map(Binding::device_output);
                let [a, b, c] = outputs;
                context.set_input_shape("x", &[n]).unwrap();
                context.enqueue(&mut [Binding::device_input(&x), a, b, c], &stream).unwrap();
            };
            run();
            for _ in 0..3 {
                let allocated = allocation_counter::measure(&mut run);
                let found = (allocated.count_total, allocated.bytes_total);
                assert_eq!(found, (0, 0), "with {n} elements, captured: {captured}");
            }
            stream.synchronize().unwrap();
            let allocated = allocation_counter::measure(|| {
                context.output_shape("pairs").unwrap();
            });
            assert_eq!(allocated.count_total, 0, "reading a size, with {n} elements");
        }
    }
}

#[test]
fn a_run_that_waits_for_extents_allocates_nothing_either() {
    let Some(device) = gpu("a_run_that_waits_for_extents_allocates_nothing_either") else { return };
    let most = 5000;
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(x, true)).unwrap();
    let [mirrored] = network.add_plugin(mirror::op(kept)).unwrap();
    let [pairs] = network.add_plugin(plain_pairs::op(mirrored)).unwrap();
    let [again, _] = network.add_plugin(plain_keep::op(pairs)).unwrap();
    let [total] = network.add_plugin(plain_sum::op(again)).unwrap();
    for (tensor, name) in [(count, "count"), (total, "total")] {
        network.mark_output(tensor, name).unwrap();
    }
    let profile = Profile::new().dims("x", [1], [1000], [most]);
    let engine = Builder::new(device.clone()).profile(profile).build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = device.create_stream().unwrap();
    let x = DeviceTensor::from_host(&stream, &tensor(&Random::new(2).floats(&[most]), &[most])).unwrap();
    let mut count = DeviceTensor::uninit(&stream, DataType::Int64, &[1]).unwrap();
    let mut total = DeviceTensor::uninit(&stream, DataType::Float32, &[1]).unwrap();
    for n in [most, 1, 777] {
        let mut run = || {
            let outputs = [Binding::device_output(&mut count), Binding::device_output(&mut total)];
            let [a, b] = outputs;
            context.set_input_shape("x", &[n]).unwrap();
            context.enqueue(&mut [Binding::device_input(&x), a, b], &stream).unwrap();
        };
        run();
        for _ in 0..3 {
            let allocated = allocation_counter::measure(&mut run);
            assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0), "with {n} elements");
        }
    }
}
