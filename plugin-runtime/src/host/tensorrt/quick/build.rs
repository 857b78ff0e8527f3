//! What the host asks a quick plugin while it builds.

use std::ffi::{c_char, c_void};

use super::super::abi::{
    AotBuildTable, DimsExprs, DynamicDesc, ExprBuilder, Interface, KernelLaunchParams, QuickBuildTable, SymExprs,
    TensorDesc,
};
use super::super::arguments::{descs, impossible, slice, slice_mut};
use super::super::build::{
    FAILED, aliased_input, ask, check_counts, configure, extents, metadata, output_shapes, outputs, tactic_count,
    tactics, tell_types, timing_cache_id,
};
use super::super::instance::Instance;
use super::super::shapes::Exprs;
use super::super::types::{format_number, type_number};
use super::launch::LaunchParams;
use crate::error::Result;
use crate::plugin::combination::Combination;

pub(in super::super) fn build_table(interface: Interface) -> QuickBuildTable {
    QuickBuildTable {
        interface,
        output_types,
        output_shapes,
        configure,
        combination_count,
        combinations,
        outputs,
        aliased_input,
        tactics,
        tactic_count,
        timing_cache_id,
        metadata,
    }
}

pub(in super::super) fn aot_table(interface: Interface) -> AotBuildTable {
    AotBuildTable { interface: build_table(interface), launch_params, kernel, set_tactic }
}

/// # Safety
/// Called by the host, with room for the types.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn output_types(
    this: *mut c_void,
    outputs: *mut i32,
    output_count: i32,
    inputs: *const i32,
    ranks: *const i32,
    input_count: i32,
) -> i32 {
    let (outputs, inputs) = ((outputs, output_count), (inputs, input_count));
    // SAFETY: as above.
    unsafe { ask(FAILED, this, |instance| tell_types(instance, outputs, inputs, Some(ranks))) }
}

/// The inputs, then the outputs.
///
/// # Safety
/// As [`slice`].
#[expect(unsafe_code, reason = "takes pointers on trust")]
unsafe fn tensors<'a>(
    instance: &Instance,
    tensors: *const DynamicDesc,
    (inputs, outputs): (i32, i32),
) -> Result<&'a [DynamicDesc]> {
    let counts = [inputs, outputs].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    check_counts(instance, (counts[0], counts[1]))?;
    // SAFETY: as the caller says.
    unsafe { slice(tensors, inputs + outputs, "tensors") }
}

/// # Safety
/// Called by the host, with descs of the inputs, then of the outputs.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn combination_count(
    this: *mut c_void,
    descs: *const DynamicDesc,
    input_count: i32,
    output_count: i32,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let tensors = tensors(instance, descs, (input_count, output_count))?;
            let described = instance.described(&tensors[..instance.shared.counts().0])?;
            Ok(i32::try_from(described.combinations.len()).unwrap_or(FAILED))
        })
    }
}

/// # Safety
/// Called by the host, with descs of the inputs, then of the outputs, and room for as many descs for each combination.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn combinations(
    this: *mut c_void,
    descs: *const DynamicDesc,
    input_count: i32,
    output_count: i32,
    room: *mut TensorDesc,
    count: i32,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let tensors = tensors(instance, descs, (input_count, output_count))?;
            let described = instance.described(&tensors[..instance.shared.counts().0])?;
            let listed = &described.combinations;
            if usize::try_from(count).ok() != Some(listed.len()) {
                return Err(impossible(format_args!(
                    "room for {count} combinations to a plugin with {}",
                    listed.len()
                )));
            }
            let all = i32::try_from(listed.len() * tensors.len()).unwrap_or(i32::MAX);
            let room = slice_mut(room, all, "room for combinations")?;
            for (room, combination) in room.chunks_exact_mut(tensors.len()).zip(listed) {
                write(room, tensors, combination)?;
            }
            Ok(0)
        })
    }
}

/// Tensors as they are, in the types and layouts of a combination.
fn write(room: &mut [TensorDesc], tensors: &[DynamicDesc], combination: &Combination) -> Result<()> {
    let laid_out = combination.types.iter().zip(&combination.formats);
    for ((room, tensor), (&dtype, &format)) in room.iter_mut().zip(tensors).zip(laid_out) {
        *room = TensorDesc { dtype: type_number(dtype)?, format: format_number(format)?, ..tensor.desc };
    }
    Ok(())
}

/// # Safety
/// Called by the host, with expressions and descs, and with what takes launch dimensions and arguments.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn launch_params(
    this: *mut c_void,
    inputs: *const DimsExprs,
    descs: *const DynamicDesc,
    input_count: i32,
    output_count: i32,
    params: *mut KernelLaunchParams,
    arguments: *mut SymExprs,
    builder: *mut ExprBuilder,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let tensors = tensors(instance, descs, (input_count, output_count))?;
            let inputs = slice(inputs, input_count, "inputs")?;
            let inputs = inputs.iter().map(|dims| extents(dims)).collect::<Result<Vec<_>>>()?;
            let params = LaunchParams::new(params, arguments)?;
            instance.launch(&inputs, tensors, params, Exprs::new(builder)?).map(|()| 0)
        })
    }
}

/// # Safety
/// Called by the host, with descs, and room for addresses and a number.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn kernel(
    this: *mut c_void,
    inputs: *const TensorDesc,
    input_count: i32,
    outputs: *const TensorDesc,
    output_count: i32,
    name: *mut *const c_char,
    image: *mut *mut c_char,
    bytes: *mut i32,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        ask(FAILED, this, |instance| {
            let name = slice_mut(name, 1, "room for a kernel's name")?;
            let image = slice_mut(image, 1, "room for a kernel's image")?;
            let bytes = slice_mut(bytes, 1, "room for a kernel's size")?;
            let counts = instance.shared.counts();
            let (inputs, outputs) = descs((inputs, input_count), (outputs, output_count), counts)?;
            let kernel = instance.kernel(inputs, outputs)?;
            name.fill(kernel.name);
            image.fill(kernel.image.cast_mut().cast());
            bytes.fill(kernel.bytes);
            Ok(0)
        })
    }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn set_tactic(this: *mut c_void, tactic: i32) -> i32 {
    // SAFETY: as above.
    unsafe { ask(FAILED, this, |instance| instance.set_tactic(tactic).map(|()| 0)) }
}
