//! Tensors and streams that don't belong to the engine's device, or don't fit.

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device, Stream};
use plugin_runtime::engine::{Builder, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;

use crate::gpu::gpu;
use crate::plugins::elementwise::{add_in_place, scale};

fn scaling(device: &Device) -> (ExecutionContext, Stream) {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(device.clone()).build(&network).unwrap();
    (engine.create_context().unwrap(), engine.device().create_stream().unwrap())
}

fn on(stream: &Stream, dtype: DataType, n: i64) -> DeviceTensor {
    DeviceTensor::zeros(stream, dtype, &[n]).unwrap()
}

fn refusal(context: &mut ExecutionContext, bindings: &mut [Binding<'_>], stream: &Stream) -> String {
    context.enqueue(bindings, stream).unwrap_err().to_string()
}

#[test]
fn host_memory_for_an_engine_on_a_gpu() {
    let Some(device) = gpu("host_memory_for_an_engine_on_a_gpu") else { return };
    let (mut context, stream) = scaling(&device);
    let (mut x, mut y) = (on(&stream, DataType::Float32, 4), on(&stream, DataType::Float32, 4));
    let (host, mut host_out) = ([0.0f32; 4], [0.0f32; 4]);
    let told = |name: &str| {
        format!(
            "`{name}` is in host memory, but the engine runs on `cuda:0`: copy it to a DeviceTensor, and bind that with \
             Binding::device_input, device_output or device_in_place"
        )
    };
    let wrong = &mut [Binding::input(&host), Binding::device_output(&mut y)];
    assert_eq!(refusal(&mut context, wrong, &stream), told("x"));
    let wrong = &mut [Binding::device_input(&x), Binding::output(&mut host_out)];
    assert_eq!(refusal(&mut context, wrong, &stream), told("y"));
    context.enqueue(&mut [Binding::device_in_place(&mut x), Binding::device_output(&mut y)], &stream).unwrap();
    stream.synchronize().unwrap();
}

#[test]
fn device_memory_for_an_engine_on_the_cpu() {
    let Some(device) = gpu("device_memory_for_an_engine_on_the_cpu") else { return };
    let (mut context, stream) = scaling(&Device::cpu());
    let gpu_stream = device.create_stream().unwrap();
    let x = on(&gpu_stream, DataType::Float32, 4);
    let mut y = [0.0f32; 4];
    let wrong = &mut [Binding::device_input(&x), Binding::output(&mut y)];
    let told = "`x` is in the memory of `cuda:0`, but the engine runs on `cpu`";
    assert_eq!(refusal(&mut context, wrong, &stream), told);
}

#[test]
fn memory_that_is_too_small_or_of_another_type_or_use() {
    let Some(device) = gpu("memory_that_is_too_small_or_of_another_type_or_use") else { return };
    let (mut context, stream) = scaling(&device);
    let float = DataType::Float32;
    let (x, mut y) = (on(&stream, float, 4), on(&stream, float, 4));
    let (short, mut short_out) = (on(&stream, float, 3), on(&stream, float, 0));
    let half = on(&stream, DataType::Float16, 8);
    let mut refused = |bindings: &mut [Binding<'_>]| refusal(&mut context, bindings, &stream);
    assert_eq!(
        refused(&mut [Binding::device_input(&short), Binding::device_output(&mut y)]),
        "`x` needs 16 bytes of FP32 at the present shapes, but 12 were bound"
    );
    assert_eq!(
        refused(&mut [Binding::device_input(&x), Binding::device_output(&mut short_out)]),
        "`y` needs 16 bytes of FP32 at the present shapes, but 0 were bound"
    );
    assert_eq!(
        refused(&mut [Binding::device_input(&half), Binding::device_output(&mut y)]),
        "tensor `x` holds FP32, which can't be viewed as FP16"
    );
    assert_eq!(
        refused(&mut [Binding::device_input(&x), Binding::device_input(&short)]),
        "`y` is an output: write Binding::device_output(&mut data); it was bound as Binding::device_input"
    );
    assert_eq!(
        refused(&mut [Binding::device_input(&x), Binding::aliased()]),
        "`y` is an output: write Binding::device_output(&mut data); it was bound as Binding::aliased"
    );
    assert_eq!(refused(&mut [Binding::device_input(&x)]), "1 bindings were given, but the engine has 2: `x`, `y`");
    context.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], &stream).unwrap();
    stream.synchronize().unwrap();
}

#[test]
fn an_input_that_is_updated_has_to_be_bound_as_such() {
    let Some(device) = gpu("an_input_that_is_updated_has_to_be_bound_as_such") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y] = network.add_plugin(add_in_place::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(device.clone()).build(&network).unwrap();
    let (mut context, stream) = (engine.create_context().unwrap(), engine.device().create_stream().unwrap());
    let (x, mut y) = (on(&stream, DataType::Float32, 4), on(&stream, DataType::Float32, 4));
    assert_eq!(
        refusal(&mut context, &mut [Binding::device_input(&x), Binding::aliased()], &stream),
        "`x` is an input that a plugin updates in place: write Binding::device_in_place(&mut data); it was bound as \
         Binding::device_input"
    );
    let mut x = x;
    assert_eq!(
        refusal(&mut context, &mut [Binding::device_in_place(&mut x), Binding::device_output(&mut y)], &stream),
        "`y` lies in the memory of `x`: write Binding::aliased(); it was bound as Binding::device_output"
    );
}

#[test]
fn a_stream_of_another_device() {
    let Some(device) = gpu("a_stream_of_another_device") else { return };
    let (mut on_gpu, gpu_stream) = scaling(&device);
    let (mut on_cpu, cpu_stream) = scaling(&Device::cpu());
    let (x, mut y) = (on(&gpu_stream, DataType::Float32, 4), on(&gpu_stream, DataType::Float32, 4));
    let (host, mut host_out) = ([1.0f32; 4], [0.0f32; 4]);
    let bindings = &mut [Binding::device_input(&x), Binding::device_output(&mut y)];
    let error = refusal(&mut on_gpu, bindings, &cpu_stream);
    assert!(error.contains("stream") && error.to_lowercase().contains("cpu"), "{error}");
    let bindings = &mut [Binding::device_input(&x), Binding::device_output(&mut y)];
    let error = on_gpu.capture(bindings, &cpu_stream).unwrap_err().to_string();
    assert!(error.contains("stream") && error.to_lowercase().contains("cpu"), "{error}");
    let bindings = &mut [Binding::input(&host), Binding::output(&mut host_out)];
    let error = refusal(&mut on_cpu, bindings, &gpu_stream);
    assert!(error.contains("stream") && error.contains("`cuda:0`") && error.contains("CPU"), "{error}");

    on_gpu.enqueue(&mut [Binding::device_input(&x), Binding::device_output(&mut y)], &gpu_stream).unwrap();
    gpu_stream.synchronize().unwrap();
    on_cpu.enqueue(&mut [Binding::input(&host), Binding::output(&mut host_out)], &cpu_stream).unwrap();
    assert_eq!(host_out, [2.0; 4]);
}

#[test]
fn device_tensors_are_checked() {
    let Some(device) = gpu("device_tensors_are_checked") else { return };
    let (stream, cpu_stream) = (device.create_stream().unwrap(), Device::cpu().create_stream().unwrap());
    let told = |result: Result<DeviceTensor>| result.unwrap_err().to_string();
    let error = told(DeviceTensor::uninit(&stream, DataType::Float32, &[2, -1]));
    assert_eq!(error, "FP32 [2, -1] isn't a shape that memory can hold");
    assert!(told(DeviceTensor::zeros(&stream, DataType::Float32, &[1; 9])).contains("isn't a shape"));
    assert!(told(DeviceTensor::zeros(&cpu_stream, DataType::Float32, &[1])).contains("stream of the CPU"));
    let mut x = on(&stream, DataType::Float32, 4);
    let other = tests::tensor(&[1.0; 5], &[5]);
    let error = x.copy_from_host(&stream, &other).unwrap_err().to_string();
    assert_eq!(error, "FP32 [5] can't be copied into FP32 [4]");
    let error = x.fill(&cpu_stream, 0).unwrap_err().to_string();
    assert_eq!(error, "a tensor on `cuda:0` was used on a stream of `cpu`");
    assert!(x.to_host(&cpu_stream).is_err());
}
