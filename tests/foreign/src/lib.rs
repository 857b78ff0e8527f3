//! A library that runs a plugin on streams and memory of another program: what a host's adapter comes to.

#![expect(unsafe_code, reason = "exports functions of C")]

use std::ffi::{c_char, c_void};

use plugin_runtime::device::{Binding, Device, Stream};
use plugin_runtime::engine::{Builder, ExecutionContext};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;

/// Makes an engine that adds 1 to each of `count` floats, for the first GPU, and a context of it. Null if that fails, with
/// the reason in `message`.
///
/// # Safety
/// `message` has room for `room` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn foreign_open(count: i64, message: *mut c_char, room: usize) -> *mut ExecutionContext {
    let opened = || -> Result<ExecutionContext> {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [count])?;
        let [y] = network.add_plugin(samples::add::elemwise_add_plugin::op(x, 256))?;
        network.mark_output(y, "y")?;
        Builder::new(Device::cuda(0)?).build(&network)?.create_context()
    };
    match opened() {
        Ok(context) => Box::into_raw(Box::new(context)),
        Err(error) => {
            // SAFETY: as the caller says.
            unsafe { tell(&error, message, room) };
            std::ptr::null_mut()
        }
    }
}

/// Runs a context in a stream on memory, `bytes` each. 0, or 1 with the reason in `message`.
///
/// # Safety
/// As [`Stream::borrow_cuda`] and [`Binding::foreign_output`] say; `context` is from [`foreign_open`], and `message` has
/// room for `room` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn foreign_run(
    context: *mut ExecutionContext,
    stream: *mut c_void,
    x: *const c_void,
    y: *mut c_void,
    bytes: usize,
    message: *mut c_char,
) -> i32 {
    // SAFETY: as the caller says.
    let ran = unsafe {
        Stream::borrow_cuda((*context).device(), stream).and_then(|stream| {
            let bindings = &mut [
                Binding::foreign_input(x, bytes, DataType::Float32),
                Binding::foreign_output(y, bytes, DataType::Float32),
            ];
            (*context).enqueue(bindings, &stream)
        })
    };
    match ran {
        Ok(()) => 0,
        Err(error) => {
            // SAFETY: as the caller says.
            unsafe { tell(&error, message, ROOM) };
            1
        }
    }
}

/// Bytes of a message of [`foreign_run`].
const ROOM: usize = 1024;

/// # Safety
/// `message` has room for `room` bytes.
unsafe fn tell(error: &Error, message: *mut c_char, room: usize) {
    let text = error.to_string();
    let kept = &text.as_bytes()[..text.len().min(room.saturating_sub(1))];
    // SAFETY: as the caller says.
    unsafe {
        std::ptr::copy_nonoverlapping(kept.as_ptr().cast(), message, kept.len());
        message.add(kept.len()).write(0);
    }
}
