//! What the host asks a plugin while it builds.

use std::ffi::{c_char, c_void};

use super::abi::{BuildTable, DimsExprs, DynamicDesc, ExprBuilder, Interface, MAX_DIMS};
use super::arguments::{descs, impossible, slice, slice_mut};
use super::instance::Instance;
use super::log::answer;
use super::object::{BUILD, instance};
use super::shapes::{Exprs, Extent};
use super::types::data_type;
use crate::error::{Error, Result};
use crate::shape::MAX_RANK;

/// What says that something failed, where a number does.
pub(super) const FAILED: i32 = -1;
/// More bytes than any device has: where a size can't say that it failed, the host must refuse it.
const IMPOSSIBLE_BYTES: usize = 1 << 48;
/// The most combinations that the host asks of, where a plugin lists more than its own default.
const LEAST_LIMIT: i32 = 100;

pub(super) fn table(interface: Interface) -> BuildTable {
    BuildTable {
        interface,
        configure,
        output_types,
        output_shapes,
        supports,
        outputs,
        workspace,
        tactics,
        tactic_count,
        timing_cache_id,
        combination_limit,
        metadata,
        aliased_input,
    }
}

/// Runs what the host asked of a plugin. What goes wrong goes to the host's log with the node and its plugin.
///
/// # Safety
/// As [`instance`].
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn ask<S: Copy>(failed: S, this: *mut c_void, body: impl FnOnce(&Instance) -> Result<S>) -> S {
    answer(failed, || {
        // SAFETY: as the caller says.
        let instance = unsafe { instance(this, BUILD)? };
        body(instance).map_err(|error| instance.shared.failed(error))
    })
}

/// # Safety
/// Called by the host, with descs.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn configure(
    this: *mut c_void,
    inputs: *const DynamicDesc,
    input_count: i32,
    outputs: *const DynamicDesc,
    output_count: i32,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let counts = instance.shared.counts();
            let (inputs, outputs) = descs((inputs, input_count), (outputs, output_count), counts)?;
            instance.configure(inputs, outputs).map(|()| 0)
        })
    }
}

/// # Safety
/// Called by the host, with room for the types.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn output_types(
    this: *mut c_void,
    outputs: *mut i32,
    output_count: i32,
    inputs: *const i32,
    input_count: i32,
) -> i32 {
    // SAFETY: as above.
    unsafe { ask(FAILED, this, |instance| tell_types(instance, (outputs, output_count), (inputs, input_count), None)) }
}

/// Writes the outputs' types, for inputs of these types, and of these ranks where the host tells them.
///
/// # Safety
/// As [`slice`] and [`slice_mut`]; there are as many ranks as inputs.
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn tell_types(
    instance: &Instance,
    (outputs, output_count): (*mut i32, i32),
    (inputs, input_count): (*const i32, i32),
    ranks: Option<*const i32>,
) -> Result<i32> {
    // SAFETY: as the caller says.
    let (inputs, outputs) =
        unsafe { (slice(inputs, input_count, "input types")?, slice_mut(outputs, output_count, "output types")?) };
    check_counts(instance, (inputs.len(), outputs.len()))?;
    let ranks = match ranks {
        // SAFETY: as above.
        Some(ranks) => Some(unsafe { slice(ranks, input_count, "ranks of inputs")? }),
        None => None,
    };
    let ranks = ranks.map(|ranks| ranks.iter().map(|&rank| of_rank(rank)).collect::<Result<Vec<_>>>()).transpose()?;
    let types = inputs.iter().map(|&number| data_type(number)).collect::<Result<_>>()?;
    outputs.copy_from_slice(&instance.output_types(types, ranks.as_deref())?);
    Ok(0)
}

fn of_rank(rank: i32) -> Result<usize> {
    let known = usize::try_from(rank).ok().filter(|rank| *rank <= MAX_RANK);
    known.ok_or_else(|| impossible(format_args!("a tensor of {rank} dimensions")))
}

pub(super) fn check_counts(instance: &Instance, given: (usize, usize)) -> Result<()> {
    let wanted = instance.shared.counts();
    if given.0 != wanted.0 {
        let names = instance.shared.plugin().entry.inputs.join(", ");
        return Err(Error::invalid(format_args!("it is given {} inputs, but takes {}: {names}", given.0, wanted.0)));
    }
    if given.1 != wanted.1 {
        return Err(impossible(format_args!("{} outputs to a plugin with {}", given.1, wanted.1)));
    }
    Ok(())
}

/// # Safety
/// Called by the host, with expressions, room for those of the outputs, and its builder.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn output_shapes(
    this: *mut c_void,
    inputs: *const DimsExprs,
    input_count: i32,
    _shape_inputs: *const DimsExprs,
    shape_input_count: i32,
    outputs: *mut DimsExprs,
    output_count: i32,
    builder: *mut ExprBuilder,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            if shape_input_count != 0 {
                return Err(Error::invalid(format_args!(
                    "{shape_input_count} of its inputs are marked as shape inputs (`tensorrt_plugin_shape_input_indices`), but \
                     a plugin's shapes follow from its inputs' shapes and attributes alone: leave the mark out"
                )));
            }
            let inputs = slice(inputs, input_count, "inputs")?;
            let outputs = slice_mut(outputs, output_count, "outputs")?;
            check_counts(instance, (inputs.len(), outputs.len()))?;
            let inputs = inputs.iter().map(|dims| extents(dims)).collect::<Result<Vec<_>>>()?;
            let shapes = instance.output_shapes(&inputs, Exprs::new(builder)?)?;
            for (output, shape) in outputs.iter_mut().zip(shapes) {
                if shape.len() > MAX_DIMS {
                    return Err(Error::invalid(format_args!("an output has {} dimensions", shape.len())));
                }
                output.count = shape.len() as i32;
                shape.iter().zip(&mut output.extents).for_each(|(extent, place)| *place = extent.raw());
            }
            Ok(0)
        })
    }
}

/// # Safety
/// The expressions are the host's, and live during its call.
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn extents(dims: &DimsExprs) -> Result<Vec<Extent>> {
    // SAFETY: as the caller says.
    dims.extents[..dims.rank()?].iter().map(|&expr| unsafe { Extent::new(expr) }).collect()
}

/// # Safety
/// Called by the host, with descs of the inputs, then of the outputs.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn supports(
    this: *mut c_void,
    position: i32,
    tensors: *const DynamicDesc,
    input_count: i32,
    output_count: i32,
) -> bool {
    // SAFETY: as above.
    unsafe {
        ask(false, this, |instance| {
            let counts = [input_count, output_count].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
            check_counts(instance, (counts[0], counts[1]))?;
            let tensors = slice(tensors, input_count + output_count, "tensors")?;
            let position = usize::try_from(position).map_err(|_| impossible(format_args!("position {position}")))?;
            instance.supports(position, tensors)
        })
    }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn outputs(this: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { ask(FAILED, this, |instance| Ok(i32::try_from(instance.shared.counts().1).unwrap_or(FAILED))) }
}

/// # Safety
/// Called by the host, with descs.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn workspace(
    this: *mut c_void,
    inputs: *const DynamicDesc,
    input_count: i32,
    outputs: *const DynamicDesc,
    output_count: i32,
) -> usize {
    // SAFETY: as above.
    unsafe {
        ask(IMPOSSIBLE_BYTES, this, |instance| {
            let counts = instance.shared.counts();
            let (inputs, outputs) = descs((inputs, input_count), (outputs, output_count), counts)?;
            instance.workspace_bytes(inputs, outputs)
        })
    }
}

/// # Safety
/// Called by the host, with room for the tactics.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn tactics(this: *mut c_void, room: *mut i32, count: i32) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let (room, tactics) = (slice_mut(room, count, "tactics")?, instance.tactics());
            if room.len() != tactics.len() {
                return Err(impossible(format_args!(
                    "room for {} tactics to a plugin with {}",
                    room.len(),
                    tactics.len()
                )));
            }
            room.copy_from_slice(&tactics);
            Ok(0)
        })
    }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn tactic_count(this: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { ask(FAILED, this, |instance| Ok(i32::try_from(instance.tactics().len()).unwrap_or(FAILED))) }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn timing_cache_id(this: *mut c_void) -> *const c_char {
    // SAFETY: as above.
    unsafe { ask(std::ptr::null(), this, |instance| Ok(instance.shared.timing_cache_id.as_ptr())) }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn combination_limit(this: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { ask(LEAST_LIMIT, this, |instance| Ok(instance.combination_limit().max(LEAST_LIMIT))) }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn metadata(this: *mut c_void) -> *const c_char {
    // SAFETY: as above.
    unsafe { ask(std::ptr::null(), this, |instance| Ok(instance.shared.metadata.as_ptr())) }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
pub(super) unsafe extern "C" fn aliased_input(this: *mut c_void, output: i32) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let output = usize::try_from(output).map_err(|_| impossible(format_args!("output {output}")))?;
            let alias = instance.aliased_input(output)?.and_then(|input| i32::try_from(input).ok());
            Ok(alias.unwrap_or(FAILED))
        })
    }
}
