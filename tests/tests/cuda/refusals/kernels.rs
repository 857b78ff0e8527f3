//! Kernels that can't be compiled, loaded or launched.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::{Builder, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use tests::tensor;

use crate::gpu::gpu;
use crate::plugins::elementwise::scale;
use crate::plugins::wrong::{launch, mistaken};

fn context<const N: usize>(
    device: &Device,
    add: impl FnOnce(&mut Network) -> [plugin_runtime::network::TensorId; N],
) -> ExecutionContext {
    let mut network = Network::new();
    let outputs = add(&mut network);
    outputs.iter().enumerate().for_each(|(i, y)| network.mark_output(*y, &format!("y{i}")).unwrap());
    Builder::new(device.clone()).without_checks().build(&network).unwrap().create_context().unwrap()
}

fn refusal(context: &mut ExecutionContext) -> String {
    context.run(&[("x", &tensor(&[1.0, 2.0, 3.0, 4.0], &[4]))]).unwrap_err().to_string()
}

fn still_works(device: &Device) {
    let mut context = context(device, |network| {
        let x = network.add_input("x", DataType::Float32, [4]).unwrap();
        network.add_plugin(scale::op(x, 2.0)).unwrap()
    });
    let found = context.run(&[("x", &tensor(&[1.0, 2.0, 3.0, 4.0], &[4]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn launches_beyond_the_devices_limits_name_kernel_and_limit() {
    let Some(device) = gpu("launches_beyond_the_devices_limits_name_kernel_and_limit") else { return };
    let properties = device.cuda_properties().unwrap();
    let name = &properties.name;
    let ([block_x, _, block_z], [_, grid_y, grid_z]) = (properties.max_block, properties.max_grid);
    let (most, shared) = (properties.max_threads_per_block, properties.shared_bytes_per_block_optin);
    let cases: [([i32; 3], [i32; 3], i32, String); 7] = [
        ([1, 1, 1], [2048, 1, 1], 0, format!("blocks of 2048 threads in x, and {name} allows 1 to {block_x}")),
        ([1, 1, 1], [1, 1, 65], 0, format!("blocks of 65 threads in z, and {name} allows 1 to {block_z}")),
        ([1, 1, 1], [1024, 2, 1], 0, format!("blocks of 2048 threads, and {name} allows {most}")),
        ([1, 1, 1], [0, 1, 1], 0, format!("blocks of 0 threads in x, and {name} allows 1 to {block_x}")),
        ([1, 70000, 1], [32, 1, 1], 0, format!("70000 blocks in y, and {name} allows {grid_y}")),
        ([1, 1, 70000], [32, 1, 1], 0, format!("70000 blocks in z, and {name} allows {grid_z}")),
        ([1, 1, 1], [32, 1, 1], 1 << 20, format!("1048576 bytes of shared memory per block, and {name} has {shared}")),
    ];
    for (grid, block, shared, expected) in cases {
        let mut context = context(&device, |network| {
            let x = network.add_input("x", DataType::Float32, [4]).unwrap();
            network.add_named_plugin("limits", launch::op(x, &grid, &block).shared(shared)).unwrap()
        });
        for _ in 0..2 {
            assert_eq!(
                refusal(&mut context),
                format!(
                    "layer `limits` (gpu::launch v1, tactic default, x FP32 [4] -> FP32 [4]): kernel `fill_f32` can't be \
                     launched with {expected}"
                )
            );
        }
    }
    still_works(&device);
}

#[test]
fn large_shared_memory_is_given_where_there_is_enough() {
    let Some(device) = gpu("large_shared_memory_is_given_where_there_is_enough") else { return };
    let shared = device.cuda_properties().unwrap().shared_bytes_per_block_optin as i32;
    let mut context = context(&device, |network| {
        let x = network.add_input("x", DataType::Float32, [4]).unwrap();
        network.add_plugin(launch::op(x, &[1, 1, 1], &[32, 1, 1]).shared(shared)).unwrap()
    });
    let found = context.run(&[("x", &tensor(&[0.0; 4], &[4]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [1.0; 4]);
}

#[test]
fn an_empty_grid_does_nothing() {
    let Some(device) = gpu("an_empty_grid_does_nothing") else { return };
    let mut context = context(&device, |network| {
        let x = network.add_input("x", DataType::Float32, [4]).unwrap();
        network.add_plugin(launch::op(x, &[1, 0, 1], &[32, 1, 1])).unwrap()
    });
    let stream = device.create_stream().unwrap();
    let x = DeviceTensor::zeros(&stream, DataType::Float32, &[4]).unwrap();
    let mut y = DeviceTensor::zeros(&stream, DataType::Float32, &[4]).unwrap();
    y.fill(&stream, 0x5a).unwrap();
    context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], &stream).unwrap();
    assert_eq!(y.to_host(&stream).unwrap().bytes(), [0x5a; 16]);
}

#[test]
fn mistakes_of_a_kernels_author() {
    let Some(device) = gpu("mistakes_of_a_kernels_author") else { return };
    let told = |kernel: &str| {
        let mut context = context(&device, |network| {
            let x = network.add_input("x", DataType::Float32, [4]).unwrap();
            network.add_named_plugin("mistaken", mistaken::op(x, kernel)).unwrap()
        });
        let (first, again) = (refusal(&mut context), refusal(&mut context));
        assert_eq!(first, again);
        let place = "layer `mistaken` (gpu::mistaken v1, tactic default, x FP32 [4] -> FP32 [4]): ";
        first.strip_prefix(place).unwrap_or_else(|| panic!("{first}")).to_owned()
    };
    assert_eq!(
        told("copy_mismatched"),
        "kernel `copy_mismatched` of `tests/tests/cuda/plugins/mismatched.cu` takes 3 parameters of 8, 8, 4 bytes, but is \
         declared as fn copy_mismatched(x: DeviceSlice<f32> (8 bytes), out: DeviceSliceMut<f32> (8 bytes), n: u64 (8 \
         bytes)): parameter 2, `n`, has 8 bytes, but 4 there"
    );
    assert_eq!(
        told("copy_under_another_name"),
        "there is no kernel `copy_under_another_name` in the image: declare it extern \"C\" __global__, under this name"
    );
    let error = told("copy_broken");
    let start = "CUDA source `tests/tests/cuda/plugins/broken.cu` doesn't compile for sm_";
    assert!(error.starts_with(start), "{error}");
    let place = "tests/tests/cuda/plugins/broken.cu(4): error: identifier \"nothing\" is undefined";
    assert!(error.contains(place), "{error}");
    still_works(&device);
}
