//! Kernels that make the GPU fail: in processes of their own, which lose what they have on it.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use tests::tensor;

use crate::gpu::{gpu, is_child, passes_in_child, too_long_for_quick};
use crate::plugins::elementwise::scale;
use crate::plugins::wrong::fault;

const LOST: &str = "what this process had on the GPU is lost";

/// Whether this is the process that the fault happens in; else that one is started, and has to pass.
fn is_in_child(module_and_test: &str) -> bool {
    if is_child() {
        return true;
    }
    let test = module_and_test.rsplit("::").next().expect("it has a name");
    let Some(_gpu) = gpu(test) else { return false };
    if !too_long_for_quick(test) {
        passes_in_child(module_and_test, &[]);
    }
    false
}

/// `scale`, then `fault` at an address, then `scale` again.
fn network(address: i64) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [3]).unwrap();
    let [a] = network.add_named_plugin("before", scale::op(x, 2.0)).unwrap();
    let [b] = network.add_named_plugin("faulty", fault::op(a, address)).unwrap();
    let [c] = network.add_named_plugin("after", scale::op(b, 2.0)).unwrap();
    network.mark_output(c, "y").unwrap();
    network
}

fn run_into_the_fault(address: i64, code: &str) {
    let device = Device::cuda(0).unwrap();
    let engine = Builder::new(device.clone()).without_checks().build(&network(address)).unwrap();
    let mut context = engine.create_context().unwrap();
    let mut other = engine.create_context().unwrap();
    let stream = device.create_stream().unwrap();
    let on_gpu = DeviceTensor::zeros(&stream, DataType::Float32, &[3]).unwrap();
    stream.synchronize().unwrap();
    let x = tensor(&[1.0, 2.0, 3.0], &[3]);

    let error = context.run(&[("x", &x)]).unwrap_err().to_string();
    println!("{error}");
    let place = "layer `faulty` (gpu::fault v1, tactic default, x FP32 [3] -> FP32 [3]): ";
    assert!(error.starts_with(place), "{error}");
    assert!(error.contains(code) && error.contains(LOST), "{error}");
    for _ in 0..2 {
        let error = context.run(&[("x", &x)]).unwrap_err().to_string();
        assert!(error.contains(LOST), "{error}");
        let error = other.run(&[("x", &x)]).unwrap_err().to_string();
        assert!(error.contains(LOST), "{error}");
        let error = engine.create_context().unwrap_err().to_string();
        assert!(error.contains(LOST), "{error}");
        let error = on_gpu.to_host(&stream).unwrap_err().to_string();
        assert!(error.contains(LOST), "{error}");
        let error = stream.synchronize().unwrap_err().to_string();
        assert!(error.contains(LOST), "{error}");
    }
    drop((context, other, on_gpu, stream, engine));

    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [3]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let error = Builder::new(device).build(&network).unwrap_err().to_string();
    assert!(error.contains(LOST), "{error}");
    let mut on_cpu = Builder::new(Device::cpu()).build(&network).unwrap().create_context().unwrap();
    let found = on_cpu.run(&[("x", &tensor(&[1.0, 2.0, 3.0], &[3]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [2.0, 4.0, 6.0], "the CPU is as it was");
}

#[test]
fn an_address_that_is_not_there() {
    if is_in_child("faults::an_address_that_is_not_there") {
        run_into_the_fault(0x1000, "CUDA_ERROR_ILLEGAL_ADDRESS");
    }
}

#[test]
fn an_address_that_is_not_aligned() {
    if is_in_child("faults::an_address_that_is_not_aligned") {
        // Whether the driver says that it isn't aligned or that it isn't there is its own choice.
        run_into_the_fault(0x1001, "_ADDRESS (");
    }
}

#[test]
fn a_fault_after_enqueue_is_told_to_who_waits() {
    if !is_in_child("faults::a_fault_after_enqueue_is_told_to_who_waits") {
        return;
    }
    let device = Device::cuda(0).unwrap();
    let engine = Builder::new(device.clone()).without_checks().build(&network(0x1000)).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = device.create_stream().unwrap();
    let x = DeviceTensor::zeros(&stream, DataType::Float32, &[3]).unwrap();
    let mut y = DeviceTensor::zeros(&stream, DataType::Float32, &[3]).unwrap();
    let mut enqueue = || context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], &stream);
    enqueue().unwrap();
    let error = stream.synchronize().unwrap_err().to_string();
    assert!(error.contains("CUDA_ERROR_ILLEGAL_ADDRESS") && error.contains(LOST), "{error}");
    let error = enqueue().unwrap_err().to_string();
    assert!(error.contains(LOST), "{error}");
}
