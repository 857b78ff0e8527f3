//! Contexts, streams and threads.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tests::{Random, tensor};

use crate::gpu::{gpu, quick};
use crate::plugins::elementwise::{add_in_place, mirror, scale};
use crate::plugins::sizes::{keep_positive, signed_pairs};
use crate::rig::{Rig, assert_same};

#[test]
fn contexts_of_one_engine_run_side_by_side() {
    let Some(device) = gpu("contexts_of_one_engine_run_side_by_side") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(mirror::op(x)).unwrap();
    let [b, _] = network.add_plugin(keep_positive::op(a, true)).unwrap();
    let [c] = network.add_plugin(signed_pairs::op(b)).unwrap();
    network.mark_output(c, "y").unwrap();
    let profile = Profile::new().dims("x", [0], [64], [1000]);
    let engine = Builder::new(device.clone()).profile(profile.clone()).build(&network).unwrap();
    let reference = Builder::new(plugin_runtime::device::Device::cpu()).profile(profile).build(&network).unwrap();
    let runs = if quick() { 5 } else { 60 };
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (engine, reference) = (engine.clone(), reference.clone());
            scope.spawn(move || {
                let mut random = Random::new(seed);
                let mut rig = Rig::new(engine, &[]);
                let mut cpu = reference.create_context().unwrap();
                for _ in 0..runs {
                    let n = random.below(1000) as i64;
                    let x = tensor(&random.floats(&[n]), &[n]);
                    let expected = cpu.run(&[("x", &x)]).unwrap();
                    assert_same(&rig.run(&[("x", &x)])[0], &expected[0].1, "y");
                }
            });
        }
    });
}

#[test]
fn one_context_in_two_streams_keeps_the_order_of_its_runs() {
    let Some(device) = gpu("one_context_in_two_streams_keeps_the_order_of_its_runs") else { return };
    let n = if quick() { 1000 } else { 1 << 20 };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [n]).unwrap();
    let mut last = x;
    for _ in 0..4 {
        [last] = network.add_plugin(add_in_place::op(last, 1.0)).unwrap();
    }
    network.mark_output(last, "y").unwrap();
    let engine = Builder::new(device.clone()).build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    let streams = [(); 2].map(|()| device.create_stream().unwrap());
    let mut x = DeviceTensor::zeros(&streams[0], DataType::Float32, &[n]).unwrap();
    let runs = 50;
    for run in 0..runs {
        if run == 30 {
            context.capture(&mut [Binding::device_in_place(&mut x), Binding::aliased()], &streams[1]).unwrap();
        }
        let stream = &streams[run % 2];
        context.enqueue(&mut [Binding::device_in_place(&mut x), Binding::aliased()], stream).unwrap();
    }
    let found = x.to_host(&streams[(runs - 1) % 2]).unwrap();
    assert!(found.as_slice::<f32>().unwrap().iter().all(|&x| x == 4.0 * runs as f32));
    streams.iter().for_each(|stream| stream.synchronize().unwrap());
}

#[test]
fn a_context_outlives_its_engine_and_streams() {
    let Some(device) = gpu("a_context_outlives_its_engine_and_streams") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [300]).unwrap();
    let [y] = network.add_plugin(mirror::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let mut context = Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap();
    let x = tensor(&Random::new(1).floats(&[300]), &[300]);
    let expected: Vec<f32> = {
        let x = x.as_slice::<f32>().unwrap();
        x.iter().rev().chain(x).copied().collect()
    };
    for _ in 0..3 {
        let stream = device.create_stream().unwrap();
        let input = DeviceTensor::from_host(&stream, &x).unwrap();
        let mut output = DeviceTensor::zeros(&stream, DataType::Float32, &[600]).unwrap();
        context.enqueue(&mut [Binding::device_input(&input), Binding::device_output(&mut output)], &stream).unwrap();
        assert_eq!(output.to_host(&stream).unwrap().as_slice::<f32>().unwrap(), expected);
    }
}

#[test]
fn an_engine_is_tuned_in_the_stream_that_is_given() {
    let Some(device) = gpu("an_engine_is_tuned_in_the_stream_that_is_given") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [600]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let stream = device.create_stream().unwrap();
    let built = Builder::new(device.clone()).stream(stream.clone()).build(&network);
    assert!(built.unwrap().report().layers[0].trials.iter().any(|trial| trial.chosen));
    let error = Builder::new(Device::cpu()).stream(stream).build(&network).unwrap_err().to_string();
    assert_eq!(error, "the builder's stream belongs to `cuda:0`, but the engine is built for `cpu`");
}
