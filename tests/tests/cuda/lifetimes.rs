//! Tensors that are dropped, changed and read while a run in another stream uses them.

use plugin_runtime::device::cuda::{DeviceTensor, device_copy};
use plugin_runtime::device::{Binding, Device, Stream};
use plugin_runtime::engine::{Builder, Engine, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::{Random, tensor};

use crate::gpu::{gpu, quick};
use crate::plugins::late::late_copy;
use crate::rig::assert_same;

const N: i64 = 100_000;
/// In each byte of what is put where a tensor was.
const POISON: u8 = 0xff;

/// Copies `x` to `y`, late.
fn engine(device: &Device) -> Engine {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [N]).unwrap();
    let [y] = network.add_plugin(late_copy::op(x, if quick() { 10 } else { 150 })).unwrap();
    network.mark_output(y, "y").unwrap();
    Builder::new(device.clone()).build(&network).unwrap()
}

fn streams<const COUNT: usize>(device: &Device) -> [Stream; COUNT] {
    [(); COUNT].map(|()| device.create_stream().unwrap())
}

fn vector(seed: u64) -> HostTensor {
    tensor(&Random::new(seed).floats(&[N]), &[N])
}

fn uninit(stream: &Stream) -> DeviceTensor {
    DeviceTensor::uninit(stream, DataType::Float32, &[N]).unwrap()
}

/// A tensor where, as likely as not, one was that was just dropped in this stream's order.
fn poison(stream: &Stream) -> DeviceTensor {
    let mut poison = uninit(stream);
    poison.fill(stream, POISON).unwrap();
    poison
}

fn enqueue(context: &mut ExecutionContext, x: &DeviceTensor, y: &mut DeviceTensor, stream: &Stream) {
    context.enqueue(&mut [Binding::device_input(x), Binding::device_output(y)], stream).unwrap();
}

#[track_caller]
fn assert_holds(found: &DeviceTensor, stream: &Stream, expected: &HostTensor) {
    assert!(found.to_host(stream).unwrap().bytes() == expected.bytes());
}

#[test]
fn an_input_that_is_dropped_while_a_run_reads_it() {
    let Some(device) = gpu("an_input_that_is_dropped_while_a_run_reads_it") else { return };
    let [own, other] = streams(&device);
    let mut context = engine(&device).create_context().unwrap();
    let data = vector(1);
    let mut y = uninit(&other);
    for _ in 0..3 {
        let x = DeviceTensor::from_host(&own, &data).unwrap();
        enqueue(&mut context, &x, &mut y, &other);
        drop(x);
        let poison = poison(&own);
        assert_holds(&y, &other, &data);
        drop(poison);
    }
}

#[test]
fn an_output_that_is_dropped_while_a_run_writes_it() {
    let Some(device) = gpu("an_output_that_is_dropped_while_a_run_writes_it") else { return };
    let [own, other] = streams(&device);
    let mut context = engine(&device).create_context().unwrap();
    let x = DeviceTensor::from_host(&other, &vector(2)).unwrap();
    for _ in 0..3 {
        let mut y = uninit(&own);
        enqueue(&mut context, &x, &mut y, &other);
        drop(y);
        let poison = poison(&own);
        other.synchronize().unwrap();
        assert!(poison.to_host(&own).unwrap().bytes().iter().all(|&byte| byte == POISON));
    }
}

#[test]
fn an_input_that_is_changed_in_another_stream() {
    let Some(device) = gpu("an_input_that_is_changed_in_another_stream") else { return };
    let [own, other] = streams(&device);
    let mut context = engine(&device).create_context().unwrap();
    let (first, second) = (vector(3), vector(4));
    let (mut x, mut y) = (DeviceTensor::from_host(&own, &first).unwrap(), uninit(&own));
    let source = DeviceTensor::from_host(&own, &second).unwrap();
    for way in 0..3 {
        x.copy_from_host(&own, &first).unwrap();
        enqueue(&mut context, &x, &mut y, &other);
        match way {
            0 => x.fill(&own, POISON).unwrap(),
            1 => x.copy_from_host(&own, &second).unwrap(),
            _ => device_copy(&own, &source, &mut x).unwrap(),
        }
        assert_holds(&y, &own, &first);
        match way {
            0 => assert!(x.to_host(&other).unwrap().bytes().iter().all(|&byte| byte == POISON)),
            _ => assert_holds(&x, &other, &second),
        }
    }
}

#[test]
fn an_output_is_read_in_another_stream() {
    let Some(device) = gpu("an_output_is_read_in_another_stream") else { return };
    let [first, second, third] = streams(&device);
    let mut context = engine(&device).create_context().unwrap();
    let data = vector(5);
    let mut y = uninit(&third);
    for stream in [&first, &second, &first] {
        y.fill(&third, POISON).unwrap();
        let x = DeviceTensor::from_host(&third, &data).unwrap();
        enqueue(&mut context, &x, &mut y, stream);
        assert_holds(&y, &third, &data);
    }
}

#[test]
fn runs_in_several_streams_that_read_one_tensor_keep_it() {
    let Some(device) = gpu("runs_in_several_streams_that_read_one_tensor_keep_it") else { return };
    let [own, first, second] = streams(&device);
    let engine = engine(&device);
    let [mut a, mut b] = [(); 2].map(|()| engine.create_context().unwrap());
    let data = vector(6);
    let (mut of_a, mut of_b) = (uninit(&first), uninit(&second));
    let x = DeviceTensor::from_host(&own, &data).unwrap();
    enqueue(&mut a, &x, &mut of_a, &first);
    enqueue(&mut b, &x, &mut of_b, &second);
    enqueue(&mut a, &x, &mut of_a, &first);
    drop(x);
    let poison = poison(&own);
    assert_holds(&of_a, &first, &data);
    assert_holds(&of_b, &second, &data);
    drop(poison);
}

#[test]
fn a_run_is_ordered_after_those_in_other_streams_that_use_its_tensors() {
    let Some(device) = gpu("a_run_is_ordered_after_those_in_other_streams_that_use_its_tensors") else { return };
    let [own, first, second] = streams(&device);
    let engine = engine(&device);
    let [mut a, mut b] = [(); 2].map(|()| engine.create_context().unwrap());
    let (old, new) = (vector(7), vector(8));
    let mut x = DeviceTensor::from_host(&own, &old).unwrap();
    let source = DeviceTensor::from_host(&own, &new).unwrap();
    let (mut y, mut z) = (poison(&own), poison(&own));
    for captured in [false, true] {
        x.copy_from_host(&own, &old).unwrap();
        if captured {
            b.capture(&mut [Binding::device_input(&y), Binding::device_output(&mut z)], &second).unwrap();
        }
        // Reads x late; the next reads what that writes, the last writes what it reads.
        enqueue(&mut a, &x, &mut y, &first);
        enqueue(&mut b, &y, &mut z, &second);
        enqueue(&mut a, &source, &mut x, &second);
        assert_holds(&z, &own, &old);
        assert_holds(&y, &own, &old);
        assert_holds(&x, &own, &new);
        y.fill(&own, POISON).unwrap();
        z.fill(&own, POISON).unwrap();
    }
}

#[test]
fn streams_come_and_go_while_a_tensor_stays() {
    let Some(device) = gpu("streams_come_and_go_while_a_tensor_stays") else { return };
    let own = device.create_stream().unwrap();
    let mut context = engine(&device).create_context().unwrap();
    let data = vector(9);
    let x = DeviceTensor::from_host(&own, &data).unwrap();
    let mut y = poison(&own);
    for _ in 0..40 {
        let stream = device.create_stream().unwrap();
        let copied = {
            let mut copy = uninit(&stream);
            device_copy(&stream, &x, &mut copy).unwrap();
            copy.to_host(&stream).unwrap()
        };
        assert!(copied.bytes() == data.bytes());
    }
    enqueue(&mut context, &x, &mut y, &device.create_stream().unwrap());
    drop(x);
    let poison = poison(&own);
    assert_holds(&y, &own, &data);
    drop(poison);
}

#[test]
fn what_is_copied_to_the_gpu_and_back_is_the_same_whatever_was_copied_before() {
    let Some(device) = gpu("what_is_copied_to_the_gpu_and_back_is_the_same_whatever_was_copied_before") else { return };
    let stream = device.create_stream().unwrap();
    const MIB: usize = 1 << 20;
    let mut random = Random::new(8);
    for bytes in [5, 0, 1, 65536, 65537, 100, 8 * MIB, 8 * MIB + 1, 3, 16 * MIB, 17 * MIB + 3, 8 * MIB - 1] {
        let mut tensor = HostTensor::zeros(DataType::UInt8, &[bytes as i64]).unwrap();
        let seed = random.below(1 << 20);
        tensor.bytes_mut().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7 + at / 251 + seed) as u8);
        let copy = DeviceTensor::from_host(&stream, &tensor).unwrap();
        assert_same(&copy.to_host(&stream).unwrap(), &tensor, &format!("{bytes} bytes"));
    }
}
