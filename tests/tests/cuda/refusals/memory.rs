//! More memory than there is.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use tests::tensor;

use crate::gpu::gpu;
use crate::plugins::elementwise::scale;
use crate::plugins::wrong::{hoard, vast};

/// More GiB than the GPU has.
fn too_many_gib(device: &Device) -> i64 {
    ((2 * device.cuda_properties().unwrap().total_bytes as i64) >> 30) + 1
}

fn a_small_engine_runs(device: &Device) {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let [a] = network.add_plugin(hoard::op(x, 0)).unwrap();
    let [y] = network.add_plugin(scale::op(a, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let mut context = Builder::new(device.clone()).without_checks().build(&network).unwrap().create_context().unwrap();
    let found = context.run(&[("x", &tensor(&[3.0, 4.0], &[2]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [2.0, 2.0]);
}

#[test]
fn a_context_that_needs_too_much_names_layer_and_bytes() {
    let Some(device) = gpu("a_context_that_needs_too_much_names_layer_and_bytes") else { return };
    let gib = too_many_gib(&device);
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let [a] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    let [y] = network.add_named_plugin("hoarder", hoard::op(a, gib)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(device.clone()).without_checks().build(&network).unwrap();
    for _ in 0..2 {
        let error = engine.create_context().unwrap_err().to_string();
        let place =
            "layer `hoarder` (gpu::hoard v1, tactic default, x FP32 [2] -> FP32 [2]): an execution context needs ";
        assert!(error.starts_with(place), "{error}");
        let bytes = (gib << 30).to_string();
        let arena = engine.report().arena_bytes[0];
        assert!(arena >= (gib << 30) as usize && error.contains(&arena.to_string()), "{error}");
        assert!(error.contains(&format!("allocating {arena} bytes on the GPU; ")), "{error} {bytes}");
        assert!(error.contains("bytes are free: CUDA_ERROR_OUT_OF_MEMORY ("), "{error}");
        assert!(error.contains("of them for this layer, which takes most"), "{error}");
        a_small_engine_runs(&device);
    }
}

#[test]
fn an_output_that_needs_too_much_is_named() {
    let Some(device) = gpu("an_output_that_needs_too_much_is_named") else { return };
    let gib = too_many_gib(&device);
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let [y] = network.add_plugin(vast::op(x, gib)).unwrap();
    network.mark_output(y, "vast").unwrap();
    let mut context = Builder::new(device.clone()).without_checks().build(&network).unwrap().create_context().unwrap();
    for _ in 0..2 {
        let error = context.run(&[("x", &tensor(&[1.0, 2.0], &[2]))]).unwrap_err().to_string();
        let bytes = gib << 30;
        let start = format!("output `vast` ({bytes} bytes): allocating {bytes} bytes on the GPU; ");
        assert!(error.starts_with(&start) && error.contains("CUDA_ERROR_OUT_OF_MEMORY"), "{error}");
        a_small_engine_runs(&device);
    }
}
