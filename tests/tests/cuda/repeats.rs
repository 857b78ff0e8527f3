//! Runs like the one before, and what changes between them.

use std::sync::atomic::{AtomicI32, Ordering};

use plugin_runtime::device::Binding;
use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::{Random, tensor};

use crate::driver::Driver;
use crate::gpu::gpu;
use crate::plugins::elementwise::{counted, mirror, scale};
use crate::plugins::{calls_of, forget_calls};
use crate::rig::{Inputs, Twin, assert_same};

/// What [`moody()`] does on a GPU.
static MOOD: AtomicI32 = AtomicI32::new(FINE);
const FINE: i32 = 0;
const RETURNS_AN_ERROR: i32 = 1;
const PANICS: i32 = 2;

/// `y` is `x`, unless the impl isn't in the mood.
#[register("cuda_test::moody")]
fn moody(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("cuda_test::moody", device = cpu)]
fn moody_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice::<f32>()?);
    Ok(())
}

#[impl_plugin("cuda_test::moody", device = cuda)]
fn moody_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    match MOOD.load(Ordering::Relaxed) {
        RETURNS_AN_ERROR => bail!("not now"),
        PANICS => panic!("not ever"),
        _ => stream.copy(x.device_slice::<f32>()?, y.into_device_slice()?),
    }
}

fn vector(random: &mut Random, n: i64) -> HostTensor {
    tensor(&random.floats(&[n]), &[n])
}

/// Two layers, the first of which counts its runs.
fn twin(test: &str, device: &plugin_runtime::device::Device) -> Twin {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(counted::op(x, 2.0, test)).unwrap();
    let [b] = network.add_plugin(mirror::op(a)).unwrap();
    network.mark_output(b, "y").unwrap();
    Twin::new(device, &network, &Profile::new().dims("x", [0], [64], [5000]), &[])
}

/// Runs three times in the same buffers, each time on other data, and compares with the CPU's.
fn run_thrice(twin: &mut Twin, random: &mut Random, n: i64) {
    let mut buffers = twin.gpu.buffers(&[("x", &vector(random, n))]);
    for _ in 0..3 {
        let x = vector(random, n);
        let inputs: &Inputs<'_> = &[("x", &x)];
        twin.gpu.fill(&mut buffers, inputs);
        twin.gpu.enqueue(&mut buffers);
        assert_same(&twin.gpu.outputs(&buffers)[0], &twin.expected(inputs)[0], "y");
    }
}

#[test]
fn shapes_streams_threads_and_records_change_between_runs() {
    const TEST: &str = "shapes_streams_threads_and_records_change_between_runs";
    let Some(device) = gpu(TEST) else { return };
    let mut twin = twin(TEST, &device);
    forget_calls(TEST);
    let mut random = Random::new(1);
    let sizes = [64, 5000, 0, 1, 64];
    for n in sizes {
        run_thrice(&mut twin, &mut random, n);
    }
    assert_eq!(calls_of(TEST), 3 * sizes.len());
    for _ in 0..2 {
        twin.gpu.stream.synchronize().unwrap();
        twin.gpu.stream = device.create_stream().unwrap();
        run_thrice(&mut twin, &mut random, 333);
    }
    let (mut twin, mut random) = std::thread::spawn(move || {
        run_thrice(&mut twin, &mut random, 333);
        (twin, random)
    })
    .join()
    .unwrap();
    run_thrice(&mut twin, &mut random, 333);

    let x = vector(&mut random, 333);
    let mut buffers = twin.gpu.buffers(&[("x", &x)]);
    twin.gpu.enqueue(&mut buffers);
    twin.gpu.context.capture(&mut buffers.bindings(), &twin.gpu.stream).unwrap();
    let before = calls_of(TEST);
    for _ in 0..3 {
        twin.gpu.fill(&mut buffers, &[("x", &x)]);
        twin.gpu.enqueue(&mut buffers);
        assert_same(&twin.gpu.outputs(&buffers)[0], &twin.expected(&[("x", &x)])[0], "y");
    }
    assert_eq!(calls_of(TEST), before, "what was recorded is replayed, also where runs went on before");
    run_thrice(&mut twin, &mut random, 333);
    assert_eq!(calls_of(TEST), before + 3);
}

#[test]
fn bindings_are_checked_in_each_run() {
    let Some(device) = gpu("bindings_are_checked_in_each_run") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [100]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let mut context = Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap();
    let stream = device.create_stream().unwrap();
    let on_device = |dtype, n| DeviceTensor::zeros(&stream, dtype, &[n]).unwrap();
    let (x, mut y) = (on_device(DataType::Float32, 100), on_device(DataType::Float32, 100));
    let (short, mut ints) = (on_device(DataType::Float32, 99), on_device(DataType::Int32, 100));
    let on_host = [0.0_f32; 100];
    for round in 0..3 {
        context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], &stream).unwrap();
        let mut refused = |bindings: &mut [Binding<'_>], expected: &str| {
            let error = context.enqueue(bindings, &stream).unwrap_err().to_string();
            assert!(error.contains(expected), "round {round}: {error}");
        };
        refused(&mut [Binding::device_input(&short), Binding::device_output(&mut y)], "but 396 were bound");
        refused(&mut [Binding::device_input(&x), Binding::device_output(&mut ints)], "holds FP32");
        refused(&mut [Binding::input(&on_host), Binding::device_output(&mut y)], "is in host memory");
        refused(&mut [Binding::device_input(&x), Binding::device_input(&short)], "is an output");
        refused(&mut [Binding::device_input(&x)], "1 bindings were given");
    }
}

#[test]
fn a_later_run_that_fails_names_its_layer_and_the_next_one_runs() {
    let Some(device) = gpu("a_later_run_that_fails_names_its_layer_and_the_next_one_runs") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    let [b] = network.add_named_plugin("fickle", moody::op(a)).unwrap();
    network.mark_output(b, "y").unwrap();
    let mut twin = Twin::new(&device, &network, &Profile::new().dims("x", [1], [64], [1000]), &[]);
    let mut random = Random::new(2);
    for (mood, said) in [(RETURNS_AN_ERROR, "not now"), (PANICS, "the plugin panicked: not ever")] {
        run_thrice(&mut twin, &mut random, 200);
        let mut buffers = twin.gpu.buffers(&[("x", &vector(&mut random, 200))]);
        MOOD.store(mood, Ordering::Relaxed);
        for _ in 0..2 {
            let error = twin.gpu.context.enqueue(&mut buffers.bindings(), &twin.gpu.stream).unwrap_err().to_string();
            assert!(error.starts_with("layer `fickle` (cuda_test::moody v1, ") && error.contains(said), "{error}");
            let error = twin.gpu.context.output_shape("y").unwrap_err().to_string();
            assert!(error.contains("the last run failed") && error.contains(said), "{error}");
        }
        MOOD.store(FINE, Ordering::Relaxed);
        run_thrice(&mut twin, &mut random, 200);
    }
}

#[test]
fn another_librarys_context_is_no_obstacle() {
    let Some(device) = gpu("another_librarys_context_is_no_obstacle") else { return };
    let mut twin = twin("another_librarys_context_is_no_obstacle", &device);
    let mut random = Random::new(3);
    run_thrice(&mut twin, &mut random, 100);
    let driver = Driver::new();
    driver.in_another_context(|other| {
        run_thrice(&mut twin, &mut random, 100);
        assert_eq!(driver.current(), other, "after the runs");
    });
    run_thrice(&mut twin, &mut random, 100);
}
