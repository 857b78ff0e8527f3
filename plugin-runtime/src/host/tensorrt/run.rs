//! What the host asks a plugin when it runs.

use std::ffi::c_void;
use std::ptr;

use super::abi::{FieldCollection, Interface, RuntimeTable, TensorDesc};
use super::arguments::{descs, slice};
use super::instance::Instance;
use super::log::answer;
use super::object::{RUNTIME, copy, instance};
use super::running::Run;
use crate::error::Result;
use crate::host::Places;

/// What says that something failed.
const FAILED: i32 = -1;

pub(super) fn table(interface: Interface) -> RuntimeTable {
    RuntimeTable { interface, set_tactic, on_shape_change, enqueue, attach, fields }
}

/// Runs what the host asked of a plugin. What goes wrong goes to the host's log with the node and its plugin.
///
/// # Safety
/// As [`instance`].
#[expect(unsafe_code, reason = "takes a pointer on trust")]
#[inline]
pub(super) unsafe fn ask<S: Copy>(failed: S, this: *mut c_void, body: impl FnOnce(&Instance) -> Result<S>) -> S {
    answer(failed, || {
        // SAFETY: as the caller says.
        let instance = unsafe { instance(this, RUNTIME)? };
        body(instance).map_err(|error| instance.shared.failed(error))
    })
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn set_tactic(this: *mut c_void, tactic: i32) -> i32 {
    // SAFETY: as above.
    unsafe { ask(FAILED, this, |instance| instance.set_tactic(tactic).map(|()| 0)) }
}

/// # Safety
/// Called by the host, with descs.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn on_shape_change(
    this: *mut c_void,
    inputs: *const TensorDesc,
    input_count: i32,
    outputs: *const TensorDesc,
    output_count: i32,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let counts = instance.shared.counts();
            let (inputs, outputs) = descs((inputs, input_count), (outputs, output_count), counts)?;
            instance.on_shape_change(inputs, outputs).map(|()| 0)
        })
    }
}

/// # Safety
/// Called by the host, with descs of the inputs and outputs, with memory that is as large as these say, and a stream.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn enqueue(
    this: *mut c_void,
    input_descs: *const TensorDesc,
    output_descs: *const TensorDesc,
    inputs: *const *const c_void,
    outputs: *const *mut c_void,
    workspace: *mut c_void,
    stream: *mut c_void,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let (input_count, output_count) = instance.shared.counts();
            let counts = (input_count as i32, output_count as i32);
            let run = Run {
                places: Places {
                    inputs: slice(inputs, counts.0, "inputs")?,
                    outputs: slice(outputs, counts.1, "outputs")?,
                    workspace,
                },
                stream,
            };
            let (inputs, outputs) =
                (slice(input_descs, counts.0, "descs of inputs")?, slice(output_descs, counts.1, "descs of outputs")?);
            instance.enqueue(inputs, outputs, &run).map(|()| 0)
        })
    }
}

/// # Safety
/// Called by the host. Memory and errors go other ways, so that its context isn't used.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn attach(this: *mut c_void, _context: *mut c_void) -> *mut c_void {
    // SAFETY: as above.
    unsafe { copy(this, RUNTIME) }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn fields(this: *mut c_void) -> *const FieldCollection {
    // SAFETY: as above.
    unsafe { ask(ptr::null(), this, |instance| Ok(instance.fields())) }
}
