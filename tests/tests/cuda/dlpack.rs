//! Tensors in a GPU's memory, from another library and for one.

#![expect(unsafe_code, reason = "lends memory by its address")]

use std::ffi::c_void;
use std::sync::mpsc::channel;

use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::dlpack::{DLDevice, DLPACK_FLAG_READ_ONLY};
use plugin_runtime::device::{Binding, Device, Stream};
use plugin_runtime::engine::{Builder, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use plugin_runtime::{Error, ErrorKind};
use tests::Random;
use tests::dlpack::{Lent, give_back};

use crate::driver::{Driver, Memory};
use crate::gpu::{gpu, gpu_alone, quick};
use crate::plugins::elementwise::{add_in_place, scale};

const N: usize = 4099;

fn borrow(device: &Device, raw: *mut c_void) -> Stream {
    // SAFETY: the tests keep streams while they are used.
    unsafe { Stream::borrow_cuda(device, raw) }.unwrap()
}

/// Floats on the first GPU.
fn lent(memory: &Memory<'_>) -> Lent {
    Lent { device: (2, 0), ..Lent::floats(memory.address(), &[(memory.bytes() / 4) as i64]) }
}

fn take(stream: &Stream, lent: &Lent) -> DeviceTensor {
    // SAFETY: the tests keep what they lend until it is given back, and don't use it meanwhile but in order.
    unsafe { DeviceTensor::from_dlpack(stream, lent.versioned().0) }.unwrap()
}

/// `x` plus 1, in place, `times` times.
fn adding(device: &Device, n: usize, times: usize) -> ExecutionContext {
    let mut network = Network::new();
    let mut last = network.add_input("x", DataType::Float32, [n as i64]).unwrap();
    for _ in 0..times {
        [last] = network.add_plugin(add_in_place::op(last, 1.0)).unwrap();
    }
    network.mark_output(last, "y").unwrap();
    Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap()
}

/// `y` is `x` twice.
fn doubling(device: &Device) -> ExecutionContext {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [N as i64]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    Builder::new(device.clone()).build(&network).unwrap().create_context().unwrap()
}

/// So many floats that work on them takes longer than to enqueue it.
fn many() -> usize {
    if quick() { 1000 } else { 1 << 22 }
}

#[test]
fn a_lent_tensor_is_given_back_once_what_uses_it_is_done() {
    let Some(device) = gpu("a_lent_tensor_is_given_back_once_what_uses_it_is_done") else { return };
    let driver = Driver::new();
    let n = many();
    let mut context = adding(&device, n, 4);
    let ours = device.create_stream().unwrap();
    for (borrowed, legacy) in [(false, false), (true, false), (true, true), (false, true)] {
        let memory = driver.memory(&vec![0.0; n]);
        let raw = driver.stream();
        let stream = if borrowed { borrow(&device, raw) } else { device.create_stream().unwrap() };
        let (sender, found) = channel();
        let address = memory.address().addr();
        // What another user of the memory would find, from here on.
        let before = move || sender.send(Driver::new().floats_at(address, n)).unwrap();
        let (mut tensor, deletions) = if legacy {
            let (raw, deletions) = lent(&memory).legacy();
            // SAFETY: the memory is kept, and used by nobody else.
            (unsafe { DeviceTensor::from_dlpack_legacy(&stream, raw) }.unwrap(), deletions)
        } else {
            let (raw, deletions) = lent(&memory).versioned_with(Some(Box::new(before)));
            // SAFETY: as above.
            (unsafe { DeviceTensor::from_dlpack(&stream, raw) }.unwrap(), deletions)
        };
        assert_eq!((tensor.address() as usize, tensor.byte_len(), tensor.is_read_only()), (address, n * 4, false));
        let runs = 50;
        for run in 0..runs {
            let stream = if run % 10 < 5 { &stream } else { &ours };
            context.enqueue(&mut [Binding::device_in_place(&mut tensor), Binding::aliased()], stream).unwrap();
        }
        if borrowed {
            driver.destroy(raw);
        }
        assert_eq!(deletions.count(), 0);
        drop(tensor);
        assert_eq!(deletions.count(), 1, "borrowed: {borrowed}, legacy: {legacy}");
        let found = if legacy { memory.read() } else { found.recv().unwrap() };
        let wrong = found.iter().filter(|x| **x != 4.0 * runs as f32).count();
        assert_eq!(wrong, 0, "of {n}; borrowed: {borrowed}, legacy: {legacy}");
        if !borrowed {
            driver.destroy(raw);
        }
    }
}

#[test]
fn a_host_captures_a_run_on_lent_tensors() {
    let Some(device) = gpu_alone("a_host_captures_a_run_on_lent_tensors") else { return };
    let driver = Driver::new();
    let mut context = doubling(&device);
    let raw = driver.stream();
    let floats = |seed| Random::new(seed).floats(&[N as i64]);
    let (x, y) = (driver.memory(&floats(1)), driver.memory(&[0.0; N]));
    let stream = borrow(&device, raw);
    let (from, mut to) = (take(&stream, &lent(&x)), take(&stream, &lent(&y)));
    let mut enqueue =
        || context.enqueue(&mut [Binding::device_input(&from), Binding::device_output(&mut to)], &stream).unwrap();
    let doubled = |seed| floats(seed).into_iter().map(|x| x * 2.0).collect::<Vec<f32>>();
    enqueue();
    driver.synchronize(raw);
    assert_eq!(y.read(), doubled(1));
    let mut seed = 1;
    let mut next = || {
        seed += 1;
        x.write(&floats(seed));
        y.write(&[0.0; N]);
    };
    driver.captured(raw, enqueue, &mut next, 3);
    assert_eq!(y.read(), doubled(4));
    drop((from, to, stream));
    driver.destroy(raw);
}

#[test]
fn a_consumer_uses_a_tensor_in_the_order_of_its_stream() {
    let Some(device) = gpu("a_consumer_uses_a_tensor_in_the_order_of_its_stream") else { return };
    let driver = Driver::new();
    let n = many();
    let mut context = adding(&device, n, 8);
    let ours = device.create_stream().unwrap();
    let others = device.create_stream().unwrap();
    let raw = driver.stream();
    for round in 0..6 {
        let stream = if round % 2 == 0 { borrow(&device, raw) } else { others.clone() };
        let target = driver.memory(&vec![-1.0; n]);
        let mut tensor = DeviceTensor::zeros(&ours, DataType::Float32, &[n as i64]).unwrap();
        for _ in 0..5 {
            context.enqueue(&mut [Binding::device_in_place(&mut tensor), Binding::aliased()], &ours).unwrap();
        }
        let capsule = tensor.into_dlpack(&stream).unwrap().as_ptr();
        // SAFETY: it was just made, and nobody else has it.
        let managed = unsafe { &*capsule };
        assert_eq!(managed.dl_tensor.device, DLDevice { device_type: 2, device_id: 0 });
        assert_eq!(managed.flags, 0);
        let in_stream = stream.as_raw_cuda().unwrap();
        driver.copy(managed.dl_tensor.data, target.address(), n * 4, in_stream);
        // SAFETY: it isn't used afterwards.
        unsafe { give_back(capsule) };
        // Likely in the memory that was freed.
        let mut next = DeviceTensor::uninit(&ours, DataType::Float32, &[n as i64]).unwrap();
        next.fill(&ours, 0xff).unwrap();
        driver.synchronize(in_stream);
        let wrong = target.read().iter().filter(|x| **x != 40.0).count();
        assert_eq!(wrong, 0, "of {n}, in round {round}");
        ours.synchronize().unwrap();
    }
    driver.destroy(raw);
}

#[test]
fn a_tensor_goes_out_and_comes_back() {
    let Some(device) = gpu("a_tensor_goes_out_and_comes_back") else { return };
    let stream = device.create_stream().unwrap();
    let elsewhere = device.create_stream().unwrap();
    for dims in [&[3, 5, 7][..], &[], &[4, 0]] {
        let count = dims.iter().product::<i64>();
        let values: Vec<i64> = (0..count).collect();
        let host = HostTensor::from_slice(&values, dims).unwrap();
        let capsule = DeviceTensor::from_host(&stream, &host).unwrap().into_dlpack(&elsewhere).unwrap().as_ptr();
        // SAFETY: nobody else has it, and it is ordered before what is in the stream later.
        let back = unsafe { DeviceTensor::from_dlpack(&elsewhere, capsule) }.unwrap();
        assert_eq!((back.dtype(), back.shape()), (DataType::Int64, dims));
        // And on, as somebody else's.
        let capsule = back.into_dlpack(&stream).unwrap().as_ptr();
        // SAFETY: as above.
        let back = unsafe { DeviceTensor::from_dlpack(&stream, capsule) }.unwrap();
        assert_eq!(back.to_host(&stream).unwrap().bytes(), host.bytes());
    }
    let packed = DeviceTensor::zeros(&stream, DataType::Int4, &[8]).unwrap();
    let error = packed.into_dlpack(&stream).unwrap_err();
    assert!(error.to_string().starts_with("INT4 can't be given through DLPack"), "{error}");
    let tensor = DeviceTensor::zeros(&stream, DataType::Int32, &[8]).unwrap();
    tensor.into_dlpack(&Device::cpu().create_stream().unwrap()).unwrap_err();
}

#[test]
fn what_is_lent_read_only_is_not_written() {
    let Some(device) = gpu("what_is_lent_read_only_is_not_written") else { return };
    let driver = Driver::new();
    let stream = device.create_stream().unwrap();
    let (x, y) = (driver.memory(&[3.0; N]), driver.memory(&[0.0; N]));
    let read_only = Lent { flags: DLPACK_FLAG_READ_ONLY, ..lent(&x) };
    let mut tensor = take(&stream, &read_only);
    let mut target = take(&stream, &lent(&y));
    assert!(tensor.is_read_only() && !target.is_read_only());
    let refused = |result: Result<(), Error>, says: &str| {
        let error = result.unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(says), "{error}");
    };
    let mut context = adding(&device, N, 1);
    let mut in_place = [Binding::device_in_place(&mut tensor), Binding::aliased()];
    refused(context.enqueue(&mut in_place, &stream), "`x` is bound to be written, but lent read-only");
    let mut context = doubling(&device);
    let mut swapped = [Binding::device_input(&target), Binding::device_output(&mut tensor)];
    refused(context.enqueue(&mut swapped, &stream), "`y` is bound to be written, but lent read-only");
    refused(tensor.fill(&stream, 0), "lent read-only can't be written");
    let zeros = HostTensor::zeros(DataType::Float32, &[N as i64]).unwrap();
    refused(tensor.copy_from_host(&stream, &zeros), "lent read-only can't be written");
    let mut bindings = [Binding::device_input(&tensor), Binding::device_output(&mut target)];
    context.enqueue(&mut bindings, &stream).unwrap();
    stream.synchronize().unwrap();
    assert_eq!((x.read(), y.read()), (vec![3.0; N], vec![6.0; N]));
    let capsule = tensor.into_dlpack(&stream).unwrap().as_ptr();
    // SAFETY: it was just made, and isn't used after it was given back.
    unsafe {
        assert_eq!((*capsule).flags, DLPACK_FLAG_READ_ONLY);
        give_back(capsule);
    }
}

#[test]
fn what_is_no_tensor_of_the_streams_gpu_is_refused_and_given_back() {
    let Some(device) = gpu("what_is_no_tensor_of_the_streams_gpu_is_refused_and_given_back") else { return };
    let driver = Driver::new();
    let stream = device.create_stream().unwrap();
    let memory = driver.memory(&[0.0; N]);
    let shorter = Lent { shape: Some(vec![8]), ..lent(&memory) };
    for (lent, says) in [
        (Lent { device: (1, 0), ..shorter.clone() }, "it lies in host memory, and the stream is one of `cuda:0`"),
        (Lent { device: (2, 77), ..shorter.clone() }, "it lies in the memory of `cuda:77`"),
        (Lent { device: (3, 0), ..shorter.clone() }, "it lies in page-locked host memory"),
        (Lent { device: (13, 0), ..shorter.clone() }, "it lies in managed memory of CUDA"),
        (Lent { byte_offset: 4, ..shorter.clone() }, "which isn't a multiple of 16: copy it"),
        (Lent { strides: Some(vec![2]), ..shorter.clone() }, "its strides are [2] for extents [8]"),
        (Lent { dtype: (2, 64, 1), ..shorter.clone() }, "its elements are float64"),
        (Lent { version: (2, 1), ..shorter.clone() }, "of version 2.1"),
    ] {
        let (raw, deletions) = lent.versioned();
        // SAFETY: it is refused before it is used.
        let error = unsafe { DeviceTensor::from_dlpack(&stream, raw) }.unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(says), "{error}");
        assert_eq!(deletions.count(), 1, "{says}");
    }
    let aligned = take(&stream, &Lent { byte_offset: 16, ..shorter });
    assert_eq!(aligned.address() as usize, memory.address().addr() + 16);
}

#[test]
fn lent_tensors_that_overlap_are_refused_where_one_is_written() {
    let Some(device) = gpu("lent_tensors_that_overlap_are_refused_where_one_is_written") else { return };
    let driver = Driver::new();
    let stream = device.create_stream().unwrap();
    let memory = driver.memory(&[0.0; 2 * N]);
    let at = |byte_offset: u64| Lent { shape: Some(vec![N as i64]), byte_offset, ..lent(&memory) };
    let mut context = doubling(&device);
    let (x, mut y, mut own) = (
        take(&stream, &at(0)),
        take(&stream, &at(4096)),
        DeviceTensor::zeros(&stream, DataType::Float32, &[N as i64]).unwrap(),
    );
    let mut overlapping = [Binding::device_input(&x), Binding::device_output(&mut y)];
    let error = context.enqueue(&mut overlapping, &stream).unwrap_err().to_string();
    assert!(error.starts_with("`x` at 0x") && error.contains("and `y` at 0x"), "{error}");
    // A tensor of this crate's own lies nowhere else.
    context.enqueue(&mut [Binding::device_input(&y), Binding::device_output(&mut own)], &stream).unwrap();
    stream.synchronize().unwrap();
}

#[test]
fn the_threads_context_is_left_alone_by_lent_tensors() {
    let Some(device) = gpu("the_threads_context_is_left_alone_by_lent_tensors") else { return };
    let driver = Driver::new();
    let raw = driver.stream();
    let memory = driver.memory(&[0.0; N]);
    driver.in_another_context(|other| {
        let stream = borrow(&device, raw);
        let tensor = take(&stream, &lent(&memory));
        assert_eq!(driver.current(), other, "after it was taken");
        let capsule = tensor.into_dlpack(&stream).unwrap().as_ptr();
        assert_eq!(driver.current(), other, "after it was given");
        // SAFETY: it isn't used afterwards.
        unsafe { give_back(capsule) };
        assert_eq!(driver.current(), other, "after it was given back");
        let tensor = take(&stream, &lent(&memory));
        drop(tensor);
        assert_eq!(driver.current(), other, "after it was dropped");
    });
    driver.destroy(raw);
}
