//! What the host asks a quick plugin when it runs.

use std::ffi::c_void;
use std::ptr;

use super::super::abi::{Dims, Interface, QuickRuntimeTable, TensorDesc};
use super::super::arguments::{descs, slice};
use super::super::build::FAILED;
use super::super::run::{ask, fields, set_tactic};
use super::super::running::Run;
use crate::host::Places;

pub(in super::super) fn runtime_table(interface: Interface) -> QuickRuntimeTable {
    QuickRuntimeTable { interface, set_tactic, enqueue, fields }
}

/// # Safety
/// Called by the host, with descs of the inputs and outputs, with memory that is as large as these say, and a stream. The
/// strides are those of the layouts.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn enqueue(
    this: *mut c_void,
    input_descs: *const TensorDesc,
    output_descs: *const TensorDesc,
    inputs: *const *const c_void,
    outputs: *const *mut c_void,
    _input_strides: *const Dims,
    _output_strides: *const Dims,
    input_count: i32,
    output_count: i32,
    stream: *mut c_void,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let counts = instance.shared.counts();
            let (input_descs, output_descs) = descs((input_descs, input_count), (output_descs, output_count), counts)?;
            let run = Run {
                places: Places {
                    inputs: slice(inputs, input_count, "inputs")?,
                    outputs: slice(outputs, output_count, "outputs")?,
                    workspace: ptr::null_mut(),
                },
                stream,
            };
            instance.enqueue(input_descs, output_descs, &run).map(|()| 0)
        })
    }
}
