//! Memory of another library, on the CPU.

#![expect(unsafe_code, reason = "lends memory by its address")]

use std::ffi::c_void;

use plugin_runtime::device::{Binding, Device, FOREIGN_ALIGNMENT, Stream};
use plugin_runtime::engine::{Builder, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::{Error, ErrorKind};
use tests::plugins::{add_in_place, scale};

const N: usize = 37;

/// Room for floats at a multiple of so many bytes.
struct Room(Vec<u128>);

impl Room {
    fn new(floats: usize) -> Room {
        Room(vec![0; floats.div_ceil(4)])
    }

    fn floats(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }

    fn at(&mut self, float: usize) -> *mut c_void {
        self.0.as_mut_ptr().wrapping_byte_add(float * size_of::<f32>()).cast()
    }
}

fn context(in_place: bool) -> (ExecutionContext, Stream) {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [N as i64]).unwrap();
    let [y] = match in_place {
        true => network.add_plugin(add_in_place::op(x, 2.0)).unwrap(),
        false => network.add_plugin(scale::op(x, 2.0)).unwrap(),
    };
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(Device::cpu()).build(&network).unwrap();
    (engine.create_context().unwrap(), Device::cpu().create_stream().unwrap())
}

/// Runs with `x` and `y` at these places of one room.
fn run(room: &mut Room, x: usize, y: usize, bytes: usize) -> Result<(), Error> {
    let (mut context, stream) = context(false);
    let (x, y) = (room.at(x), room.at(y));
    // SAFETY: both lie in the room, or are refused.
    let bindings = &mut unsafe {
        [Binding::foreign_input(x, bytes, DataType::Float32), Binding::foreign_output(y, bytes, DataType::Float32)]
    };
    context.enqueue(bindings, &stream)
}

#[test]
fn an_engine_runs_on_memory_that_is_known_by_its_address() {
    let mut room = Room::new(128);
    room.floats().iter_mut().zip(0..).for_each(|(x, i)| *x = i as f32);
    run(&mut room, 0, 64, N * 4).unwrap();
    let floats = room.floats();
    assert!(floats[64..64 + N].iter().zip(0..).all(|(y, i)| *y == 2.0 * i as f32));
    assert!(floats[..64].iter().zip(0..).all(|(x, i)| *x == i as f32), "the input is as it was");
    assert!(
        floats[64 + N..].iter().zip(64 + N..).all(|(x, i)| *x == i as f32),
        "nothing behind the output was written"
    );
}

#[test]
fn an_input_is_updated_in_place() {
    let mut room = Room::new(N);
    let (mut context, stream) = context(true);
    let x = room.at(0);
    // SAFETY: it lies in the room.
    let updated = unsafe { Binding::foreign_in_place(x, N * 4, DataType::Float32) };
    context.enqueue(&mut [updated, Binding::aliased()], &stream).unwrap();
    assert!(room.floats()[..N].iter().all(|x| *x == 2.0));
}

#[test]
fn what_overlaps_or_is_too_small_or_crooked_is_refused_by_name() {
    let mut room = Room::new(128);
    let mut said = |x: usize, y: usize, bytes: usize| {
        let error = run(&mut room, x, y, bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    let overlap = said(0, 36, N * 4);
    assert!(overlap.starts_with("`x` at 0x") && overlap.contains(" and `y` at 0x"), "{overlap}");
    assert!(overlap.contains("overlap, and one of them is written"), "{overlap}");
    assert!(said(0, 0, N * 4).contains("Binding::aliased()"));
    assert!(said(1, 64, N * 4).contains(&format!("isn't a multiple of {FOREIGN_ALIGNMENT}")));
    assert!(said(0, 64, N * 4 - 1).contains("`x` needs 148 bytes"));
    assert!(room.floats().iter().all(|x| *x == 0.0), "nothing ran");
    let (mut context, stream) = context(false);
    let x = room.at(0);
    // SAFETY: it is refused.
    let bindings = &mut unsafe {
        [Binding::foreign_output(x, N * 4, DataType::Float32), Binding::foreign_output(x, N * 4, DataType::Float32)]
    };
    let error = context.enqueue(bindings, &stream).unwrap_err().to_string();
    assert!(error.contains("it was bound as Binding::foreign_output"), "{error}");
}

#[test]
fn a_stream_of_cuda_is_no_stream_of_the_cpu() {
    // SAFETY: it is refused.
    let error = unsafe { Stream::borrow_cuda(&Device::cpu(), std::ptr::null_mut()) }.unwrap_err();
    assert_eq!(error.to_string(), "a stream of CUDA can't be one of device `cpu`");
    assert_eq!(Device::cpu().create_stream().unwrap().as_raw_cuda(), None);
}
