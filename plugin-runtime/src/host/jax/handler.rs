//! Handlers: one function a platform, which runs every plugin.

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use super::abi::{Buffer, CallFrame, EXECUTE, INSTANTIATE};
use super::attributes::{self, add_to};
use super::types::data_type;
use crate::device::{Device, DeviceKind, Stream};
use crate::error::{Error, LayerContext, Result};
use crate::host::settings::{self, extents_matter};
use crate::host::{Calls, Described, Few, KeyRoom, Lease, Places, ReadyCall, fenced};
use crate::plugin::{BoundPlugin, Plugin, Registry};
use crate::tensor::{DeviceSliceMut, HostBytes, Representation};

/// Answers a runtime.
///
/// # Safety
/// The frame is the runtime's.
#[expect(unsafe_code, reason = "called by the runtime")]
pub(super) unsafe fn handle(frame: *mut CallFrame, device: DeviceKind, recordable: bool) -> *mut c_void {
    // SAFETY: as the caller says.
    let Some(frame) = (unsafe { CallFrame::of(frame) }) else { return ptr::null_mut() };
    if frame.answers_metadata(recordable) {
        return ptr::null_mut();
    }
    let answer = || {
        match frame.stage {
            INSTANTIATE => check(frame)?,
            EXECUTE => execute(frame, device)?,
            _ => {}
        }
        Ok(ptr::null_mut())
    };
    fenced(answer, |kind, message| frame.error(kind, message))
}

/// The plugin of a call, with what is kept of its calls.
fn plugin(frame: &CallFrame) -> Result<(&'static Plugin, &'static Calls)> {
    static CALLS: OnceLock<Vec<Calls>> = OnceLock::new();
    let index = attributes::plugin(frame)?;
    let plugins = Registry::global()?.plugins();
    let calls = CALLS.get_or_init(|| plugins.iter().map(|_| Calls::new()).collect());
    plugins.get(index).zip(calls.get(index)).ok_or_else(|| Error::invalid("no such plugin"))
}

/// Sees, before anything runs, whether the attributes are the plugin's.
#[cold]
fn check(frame: &CallFrame) -> Result<()> {
    let (plugin, _) = plugin(frame)?;
    let values = attributes::of_plugin(plugin, frame).map_err(|error| named(plugin, error))?;
    let given = |name: &str| values.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
    let all = plugin.entry.attributes.iter().map(|schema| {
        given(schema.name)
            .or_else(|| schema.default.map(|default| default()))
            .ok_or_else(|| named(plugin, Error::invalid(format_args!("attribute `{}` is missing", schema.name))))
    });
    BoundPlugin::new(plugin, all.collect::<Result<Vec<_>>>()?.into()).map(|_| ())
}

/// Says of an error which plugin it is of, unless it says so.
#[cold]
fn named(plugin: &Plugin, error: Error) -> Error {
    match error.layer() {
        Some(_) => error,
        None => error.in_layer(LayerContext::new(plugin.entry.id, &plugin.label())),
    }
}

#[inline]
fn execute(frame: &CallFrame, device: DeviceKind) -> Result<()> {
    let (plugin, calls) = plugin(frame)?;
    run(frame, device, plugin, calls).map_err(|error| named(plugin, error))
}

fn run(frame: &CallFrame, device: DeviceKind, plugin: &'static Plugin, calls: &Calls) -> Result<()> {
    let ordinal = if device == DeviceKind::Cpu { 0 } else { frame.device_ordinal()? };
    let ready = {
        let mut key = KeyRoom::new(settings::generation());
        key.push(device as u64);
        key.push(ordinal as u64);
        for input in frame.arguments.iter() {
            key.push(input.dtype as u64);
            if extents_matter() {
                key.push(input.extents().len() as u64);
                input.extents().iter().for_each(|extent| key.push(extent.cast_unsigned()));
            }
        }
        add_to(&mut key, frame);
        calls.get(key.words(), || describe(frame, (device, ordinal), plugin))?
    };
    let mut lease = ready.call.begin();
    let mut inputs = Few::new(frame.arguments.iter().len(), ptr::null());
    for ((index, input), slot) in frame.arguments.iter().enumerate().zip(inputs.as_mut()) {
        lease.set_input(index, input.extents())?;
        *slot = input.data.cast_const();
    }
    lease.prepare()?;
    let mut outputs = Few::new(frame.results.iter().len(), ptr::null_mut());
    for ((index, output), slot) in frame.results.iter().enumerate().zip(outputs.as_mut()) {
        check_output(&lease, index, output)?;
        *slot = output.data;
    }
    let mut places = Places { inputs: inputs.as_ref(), outputs: outputs.as_ref(), workspace: ptr::null_mut() };
    match &ready.stream {
        Some(stream) => run_on_host(&ready, &mut lease, &mut places, stream),
        None => {
            // SAFETY: it is the call's stream, and lives as long as the call.
            #[expect(unsafe_code, reason = "takes a stream of the runtime")]
            let stream = unsafe { lease.cuda_stream(frame.stream()?)? };
            run_on_gpu(frame, &mut lease, &mut places, &stream)
        }
    }
}

#[cold]
fn describe(frame: &CallFrame, (device, ordinal): (DeviceKind, usize), plugin: &'static Plugin) -> Result<Described> {
    let inputs = frame.arguments.iter().zip(plugin.entry.inputs.iter().copied().chain(std::iter::repeat("")));
    let types = inputs
        .map(|(input, name)| data_type(input.dtype).map_err(|error| error.within(format_args!("input `{name}`"))));
    let extents = || frame.arguments.iter().map(|input| input.extents().to_vec()).collect();
    Ok(Described {
        name: plugin.entry.id.into(),
        plugin,
        device: if device == DeviceKind::Cpu { Device::cpu() } else { Device::cuda(ordinal)? },
        types: types.collect::<Result<_>>()?,
        attributes: attributes::of_plugin(plugin, frame)?,
        extents: extents_matter().then(extents),
        tactics: settings::tactics()?,
    })
}

/// Sees whether an output is what the plugin gives.
#[inline]
fn check_output(lease: &Lease<'_>, index: usize, output: &Buffer) -> Result<()> {
    let expected = lease.output(index)?;
    if *expected.dims != *output.extents() || expected.dtype != data_type(output.dtype)? {
        return Err(Error::invalid(format_args!(
            "output {index} is {} {}, but the call has {} {:?} for it",
            expected.dtype,
            expected.dims,
            data_type(output.dtype)?,
            output.extents()
        )));
    }
    if !expected.data_dependent {
        return Ok(());
    }
    // What depends on data stands at the front of its output, which it does in memory only if rows stay as they are.
    let fixed = lease.outputs()?.get(index).is_some_and(|output| !output.inner_extents_depend_on_data);
    if fixed { Ok(()) } else { Err(inner_extent(index)) }
}

#[cold]
fn inner_extent(output: usize) -> Error {
    Error::invalid(format_args!(
        "an extent of output {output} that isn't the first depends on data, which JAX's outputs of fixed size can't show"
    ))
}

fn run_on_host(ready: &ReadyCall, lease: &mut Lease<'_>, places: &mut Places<'_>, stream: &Stream) -> Result<()> {
    let bytes = lease.workspace()?;
    let mut scratch = if bytes > 0 { Some(ready.workspace(bytes)?) } else { None };
    if let Some(scratch) = &mut scratch {
        places.workspace = scratch.as_mut_ptr().cast();
    }
    // SAFETY: the runtime keeps inputs and outputs until the call is done; the outputs' extents were checked.
    #[expect(unsafe_code, reason = "runs on memory of the runtime")]
    unsafe {
        lease.run(places, stream)?;
    }
    scratch.into_iter().for_each(|scratch| ready.give_back(scratch));
    for (index, &place) in places.outputs.iter().enumerate() {
        let output = *lease.output(index)?;
        if output.data_dependent {
            let bytes = Representation::linear(output.dtype);
            let (largest, found) = (bytes.bytes(&output.dims)?, bytes.bytes(&lease.found(index)?)?);
            // SAFETY: the output has room for its largest extents, of which what was found is the front.
            #[expect(unsafe_code, reason = "writes to memory of the runtime")]
            unsafe {
                place.cast::<u8>().add(found).write_bytes(0, largest.saturating_sub(found));
            }
        }
    }
    Ok(())
}

/// Waits for nothing: what lies behind the elements that a plugin finds is zeroed before.
fn run_on_gpu(frame: &CallFrame, lease: &mut Lease<'_>, places: &mut Places<'_>, stream: &Stream) -> Result<()> {
    let _bound = stream.bind()?;
    let workspace = lease.workspace()?;
    if workspace > 0 {
        places.workspace = frame.allocate(workspace, HostBytes::ALIGNMENT)?;
    }
    for (index, &place) in places.outputs.iter().enumerate() {
        let output = lease.output(index)?;
        let bytes = Representation::linear(output.dtype).bytes(&output.dims)?;
        if output.data_dependent && bytes > 0 {
            stream.fill(DeviceSliceMut::<u8>::new(place.addr() as u64, bytes)?, 0)?;
        }
    }
    // SAFETY: the runtime keeps inputs, outputs and scratch memory in the order of the stream; the outputs' extents were
    // checked.
    #[expect(unsafe_code, reason = "runs on memory of the runtime")]
    unsafe {
        lease.enqueue(places, stream)
    }
}
