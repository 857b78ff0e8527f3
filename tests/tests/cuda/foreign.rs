//! Streams and memory of another user of the driver.

#![expect(unsafe_code, reason = "lends streams and memory")]

use std::ffi::c_void;

use plugin_runtime::ErrorKind;
use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::{Binding, Device, Stream};
use plugin_runtime::engine::{Builder, Engine, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use tests::Random;

use crate::driver::{Driver, Memory};
use crate::gpu::{gpu, gpu_alone};
use crate::plugins::elementwise::{add_in_place, scale};
use crate::plugins::sizes::keep_positive;

const N: usize = 4099;

fn floats(seed: u64) -> Vec<f32> {
    Random::new(seed).floats(&[N as i64])
}

/// `y` is `x` twice.
fn doubling(device: &Device) -> Engine {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [N as i64]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    Builder::new(device.clone()).build(&network).unwrap()
}

fn borrow(device: &Device, raw: *mut c_void) -> Stream {
    // SAFETY: the tests keep streams while runs are enqueued.
    unsafe { Stream::borrow_cuda(device, raw) }.unwrap()
}

fn bindings(x: &Memory<'_>, y: &Memory<'_>) -> [Binding<'static>; 2] {
    // SAFETY: the tests keep the memory until runs are done.
    unsafe {
        [
            Binding::foreign_input(x.address(), x.bytes(), DataType::Float32),
            Binding::foreign_output(y.address(), y.bytes(), DataType::Float32),
        ]
    }
}

fn doubled(values: &[f32]) -> Vec<f32> {
    values.iter().map(|x| x * 2.0).collect()
}

#[test]
fn a_plugin_runs_in_a_foreign_stream_on_foreign_memory() {
    let Some(device) = gpu("a_plugin_runs_in_a_foreign_stream_on_foreign_memory") else { return };
    let mut context = doubling(&device).create_context().unwrap();
    let driver = Driver::new();
    let own = driver.stream();
    // The legacy default stream, also by its name, and the thread's own.
    let handles = [own, std::ptr::null_mut(), std::ptr::without_provenance_mut(1), std::ptr::without_provenance_mut(2)];
    for (seed, raw) in handles.into_iter().enumerate() {
        let data = floats(seed as u64);
        let (x, y) = (driver.memory(&data), driver.memory(&[-1.0; N]));
        let stream = borrow(&device, raw);
        assert_eq!(stream.as_raw_cuda(), Some(raw));
        context.enqueue(&mut bindings(&x, &y), &stream).unwrap();
        driver.synchronize(raw);
        assert_eq!(y.read(), doubled(&data), "stream {raw:?}");
    }
    assert!(borrow(&device, own) == borrow(&device, own), "streams are equal by handle");
    assert!(borrow(&device, own) != device.create_stream().unwrap());
    driver.destroy(own);
}

/// While a host captures, no other thread of its process may allocate.
#[test]
fn a_host_captures_a_run_and_launches_it() {
    let Some(device) = gpu_alone("a_host_captures_a_run_and_launches_it") else { return };
    let mut context = doubling(&device).create_context().unwrap();
    let driver = Driver::new();
    let raw = driver.stream();
    let (x, y) = (driver.memory(&floats(1)), driver.memory(&[0.0; N]));
    for warmed_up in [false, true] {
        if warmed_up {
            context.enqueue(&mut bindings(&x, &y), &borrow(&device, raw)).unwrap();
            driver.synchronize(raw);
        }
        let mut seed = 10;
        let mut next = || {
            seed += 1;
            x.write(&floats(seed));
            y.write(&[0.0; N]);
        };
        let enqueue = || context.enqueue(&mut bindings(&x, &y), &borrow(&device, raw)).unwrap();
        driver.captured(raw, enqueue, &mut next, 3);
        assert_eq!(y.read(), doubled(&floats(13)), "warmed up: {warmed_up}");
    }
    driver.destroy(raw);
}

#[test]
fn runs_are_ordered_after_streams_that_are_gone() {
    let Some(device) = gpu("runs_are_ordered_after_streams_that_are_gone") else { return };
    let driver = Driver::new();
    let mut network = Network::new();
    let n = 1 << 22;
    let x = network.add_input("x", DataType::Float32, [n]).unwrap();
    let mut last = x;
    for _ in 0..4 {
        [last] = network.add_plugin(add_in_place::op(last, 1.0)).unwrap();
    }
    network.mark_output(last, "y").unwrap();
    let mut context = Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap();
    let ours = device.create_stream().unwrap();
    let mut x = DeviceTensor::zeros(&ours, DataType::Float32, &[n]).unwrap();
    let runs = 20;
    for _ in 0..runs {
        let raw = driver.stream();
        let stream = borrow(&device, raw);
        context.enqueue(&mut [Binding::device_in_place(&mut x), Binding::aliased()], &stream).unwrap();
        // At once, before the wrapper is dropped, or after.
        driver.destroy(raw);
        drop(stream);
    }
    let found = x.to_host(&ours).unwrap();
    assert!(found.as_slice::<f32>().unwrap().iter().all(|&x| x == 4.0 * runs as f32));
}

#[test]
fn memory_made_in_a_borrowed_stream_outlives_it() {
    let Some(device) = gpu("memory_made_in_a_borrowed_stream_outlives_it") else { return };
    let driver = Driver::new();
    let raw = driver.stream();
    let stream = borrow(&device, raw);
    let mut tensor = DeviceTensor::uninit(&stream, DataType::Float32, &[N as i64]).unwrap();
    tensor.fill(&stream, 0).unwrap();
    driver.destroy(raw);
    drop(stream);
    let ours = device.create_stream().unwrap();
    assert!(tensor.to_host(&ours).unwrap().as_slice::<f32>().unwrap().iter().all(|&x| x == 0.0));
}

#[test]
fn sizes_of_a_run_in_a_stream_that_is_gone_are_told() {
    let Some(device) = gpu("sizes_of_a_run_in_a_stream_that_is_gone_are_told") else { return };
    let driver = Driver::new();
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [N as i64]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x, true)).unwrap();
    network.mark_output(kept, "kept").unwrap();
    let mut context = Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap();
    for seed in 0..3 {
        let data = floats(seed);
        let (x, y) = (driver.memory(&data), driver.memory(&[0.0; N]));
        let raw = driver.stream();
        context.enqueue(&mut bindings(&x, &y), &borrow(&device, raw)).unwrap();
        driver.destroy(raw);
        let positive: Vec<f32> = data.into_iter().filter(|x| *x > 0.0).collect();
        assert_eq!(*context.output_shape("kept").unwrap(), [positive.len() as i64]);
        assert_eq!(y.read()[..positive.len()], positive);
    }
}

#[test]
fn the_threads_context_is_left_as_it_was_found() {
    let Some(device) = gpu("the_threads_context_is_left_as_it_was_found") else { return };
    let mut context: ExecutionContext = doubling(&device).create_context().unwrap();
    let driver = Driver::new();
    let raw = driver.stream();
    let data = floats(3);
    let (x, y) = (driver.memory(&data), driver.memory(&[0.0; N]));
    driver.in_another_context(|other| {
        let stream = borrow(&device, raw);
        assert_eq!(driver.current(), other, "after a stream was borrowed");
        context.enqueue(&mut bindings(&x, &y), &stream).unwrap();
        assert_eq!(driver.current(), other, "after a run");
        let mut tensor = DeviceTensor::zeros(&stream, DataType::Float32, &[N as i64]).unwrap();
        tensor.fill(&stream, 1).unwrap();
        tensor.to_host(&stream).unwrap();
        drop(tensor);
        assert_eq!(driver.current(), other, "after a tensor came and went");
        let _ = doubling(&device).create_context().unwrap();
        assert_eq!(driver.current(), other, "after an engine was built");
        stream.synchronize().unwrap();
        assert_eq!(driver.current(), other, "after it was waited for");
    });
    assert_eq!(y.read(), doubled(&data));
    driver.destroy(raw);
}

#[test]
fn bindings_that_overlap_or_are_no_place_for_a_tensor_are_refused() {
    let Some(device) = gpu("bindings_that_overlap_or_are_no_place_for_a_tensor_are_refused") else { return };
    let mut context = doubling(&device).create_context().unwrap();
    let driver = Driver::new();
    let both = driver.memory(&[0.0; 2 * N]);
    let at = |offset: usize| both.address().wrapping_byte_add(offset);
    let bytes = N * size_of::<f32>();
    let stream = device.create_stream().unwrap();
    let mut said = |x: *mut c_void, y: *mut c_void, bytes: usize, dtype: DataType| {
        // SAFETY: all of it is memory of `both`, or refused before it is used.
        let mut bindings =
            unsafe { [Binding::foreign_input(x, bytes, dtype), Binding::foreign_output(y, bytes, dtype)] };
        let error = context.enqueue(&mut bindings, &stream).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::ElementType), "{error:?}");
        error.to_string()
    };
    let float = DataType::Float32;
    let overlap = said(at(0), at(bytes / 16 * 16 - 16), bytes, float);
    assert!(overlap.starts_with("`x` at 0x") && overlap.contains(" overlap, and one of them is written"), "{overlap}");
    assert!(said(at(0), at(0), bytes, float).contains("Binding::aliased()"));
    assert!(said(at(4), at(bytes + 20), bytes, float).contains("isn't a multiple of 16"));
    assert!(said(std::ptr::null_mut(), at(0), bytes, float).contains("`x` is at 0x0"));
    assert!(said(at(0), at(N * 4 + 4), bytes - 4, float).contains("but 16392 were bound"));
    assert!(said(at(0), at(N * 4 + 4), bytes, DataType::Int32).contains("holds FP32"));
}

#[test]
fn an_input_is_updated_in_place_in_foreign_memory() {
    let Some(device) = gpu("an_input_is_updated_in_place_in_foreign_memory") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [N as i64]).unwrap();
    let [y] = network.add_plugin(add_in_place::op(x, 1.5)).unwrap();
    network.mark_output(y, "y").unwrap();
    let mut context = Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap();
    let driver = Driver::new();
    let data = floats(5);
    let x = driver.memory(&data);
    let raw = driver.stream();
    // SAFETY: the memory is kept until the run is done.
    let updated = unsafe { Binding::foreign_in_place(x.address(), x.bytes(), DataType::Float32) };
    context.enqueue(&mut [updated, Binding::aliased()], &borrow(&device, raw)).unwrap();
    driver.synchronize(raw);
    assert_eq!(x.read(), data.iter().map(|x| x + 1.5).collect::<Vec<_>>());
    driver.destroy(raw);
}

/// The front of `x`, and zeros behind it.
#[register("cuda_test::front")]
fn front(x: &TensorDesc, count: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("cuda_test::front", device = cuda)]
fn front_cuda(x: Tensor, count: i64, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    assert!(stream.as_raw_cuda().is_some());
    let [y] = outputs;
    let (x, y) = (x.device_slice::<f32>()?, y.into_device_slice::<f32>()?);
    let (front, rest) = y.split_at(count as usize)?;
    stream.copy(x.slice(0..count as usize)?, front)?;
    stream.fill(rest, 0)
}

#[test]
fn an_impl_copies_and_fills_in_its_stream() {
    let Some(device) = gpu_alone("an_impl_copies_and_fills_in_its_stream") else { return };
    let driver = Driver::new();
    let raw = driver.stream();
    for count in [0, 1, N / 2, N] {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [N as i64]).unwrap();
        let [y] = network.add_plugin(front::op(x, count as i64)).unwrap();
        network.mark_output(y, "y").unwrap();
        let engine = Builder::new(device.clone()).build(&network).unwrap();
        let mut context = engine.create_context().unwrap();
        let data = floats(count as u64);
        let (x, y) = (driver.memory(&data), driver.memory(&[7.0; N]));
        let enqueue = || context.enqueue(&mut bindings(&x, &y), &borrow(&device, raw)).unwrap();
        driver.captured(raw, enqueue, &mut || y.write(&[7.0; N]), 2);
        let expected: Vec<f32> = data.iter().enumerate().map(|(i, x)| if i < count { *x } else { 0.0 }).collect();
        assert_eq!(y.read(), expected, "{count}");
    }
    driver.destroy(raw);
}
