//! Kernels: one a node of a session.

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::Arc;

use super::abi::{Api, OrtCustomOp, OrtKernelContext, OrtKernelInfo, Status};
use super::api::{Allocator, Context, ElementType, Info, Scratch, TensorShape};
use super::attributes::{self, Wanted};
use super::operators::Operator;
use crate::device::cpu::with_threads_of;
use crate::device::{Device, DeviceKind, Stream};
use crate::error::{Error, ErrorKind, LayerContext, Result};
use crate::host::{Call, Few, Lease, Node, Places, Tactics, copy, fenced};
use crate::network::Dim;
use crate::network::onnx::{data_type, type_code, type_name};
use crate::shape::MAX_RANK;
use crate::tensor::Representation;

/// A node of a session. What each run reads stands at the front, together.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Kernel {
    api: Api,
    inputs: usize,
    /// Types of the inputs, then of the outputs as the session takes them: [`LEFT_OUT`] where the node leaves one out.
    types: Few<ElementType>,
    /// Of the CPU; the stream of a GPU comes with each run.
    stream: Option<Stream>,
    call: Call,
    allocator: Allocator,
}

/// Makes the kernel of a node.
///
/// # Safety
/// Called by the runtime.
#[expect(unsafe_code, reason = "called by the runtime")]
pub(super) unsafe extern "system" fn create(
    operator: *const OrtCustomOp,
    table: *const c_void,
    info: *const OrtKernelInfo,
    kernel: *mut *mut c_void,
) -> Status {
    // SAFETY: the runtime hands back the operator, and gives an info that lives during this call.
    let (operator, info) = unsafe {
        let operator = Operator::of(operator);
        (operator, Info::new(Api::of(table, operator.api.version()), info))
    };
    let create = || {
        let made = Kernel::new(operator, info)?;
        // SAFETY: the runtime gives room for a pointer.
        unsafe { kernel.write(Box::into_raw(Box::new(made)).cast()) };
        Ok(ptr::null_mut())
    };
    fenced(create, |kind, message| info.api().status(kind, message))
}

/// # Safety
/// Called by the runtime, once for what `create` made.
#[expect(unsafe_code, reason = "called by the runtime")]
pub(super) unsafe extern "system" fn destroy(kernel: *mut c_void) {
    let destroy = || {
        if !kernel.is_null() {
            // SAFETY: it came from a box in `create`, and isn't used any more.
            drop(unsafe { Box::from_raw(kernel.cast::<Kernel>()) });
        }
        Ok(())
    };
    fenced(destroy, |_, _| ());
}

/// Runs a node.
///
/// # Safety
/// Called by the runtime, by any thread.
#[expect(unsafe_code, reason = "called by the runtime")]
pub(super) unsafe extern "system" fn compute(kernel: *mut c_void, context: *mut OrtKernelContext) -> Status {
    // SAFETY: it came from `create`, and is only read; the context lives during this call.
    let (kernel, context) = unsafe {
        let kernel = &*kernel.cast::<Kernel>();
        (kernel, Context::new(kernel.api, context))
    };
    let run = || kernel.run(context).map(|()| ptr::null_mut());
    fenced(run, |kind, message| kernel.api.status(kind, message))
}

impl Kernel {
    fn new(operator: &'static Operator, info: Info<'_>) -> Result<Kernel> {
        let name = info.node_name()?;
        let operator_name = operator.group.name.to_string_lossy();
        let name = if name.is_empty() { operator_name.clone().into_owned() } else { name };
        let plugin = Wanted::read(&|name| info.attribute(name)).and_then(|wanted| operator.group.member(&wanted));
        let label = format!("{}::{operator_name}", operator.group.domain);
        let plugin = plugin.map_err(|error| error.in_layer(LayerContext::new(&name, &label)))?;
        let failed = |error: Error| error.in_layer(LayerContext::new(&name, &plugin.label()));
        let read = |name: &str| info.attribute(name);
        let shapes = (0..info.inputs()?).map(|index| info.input(index)).collect::<Result<Vec<TensorShape>>>()?;
        let allocator = info.allocator().map_err(failed)?;
        let device = match operator.device {
            DeviceKind::Cpu => Device::cpu(),
            DeviceKind::Cuda => allocator.device().and_then(Device::cuda).map_err(failed)?,
        };
        let types = shapes.iter().map(|shape| data_type(shape.ty));
        let node = Node {
            name: name.as_str().into(),
            plugin,
            attributes: attributes::of_plugin(plugin, &read).map_err(failed)?,
            preference: attributes::preference(plugin, &read).map_err(failed)?,
            inputs: types.collect::<Result<_>>().map_err(failed)?,
            device: device.clone(),
        };
        let dims: Option<Vec<Vec<Dim>>> = shapes.iter().map(|shape| shape.dims.clone()).collect();
        let option = |key: &str| CString::new(key).ok().and_then(|key| info.config(&key));
        let tactics = Arc::new(Tactics::new(&option).map_err(failed)?);
        let outputs = (0..plugin.entry.outputs).map(|index| info.output(index).unwrap_or(LEFT_OUT));
        let mut types = Few::new(shapes.len() + plugin.entry.outputs, LEFT_OUT);
        let given = shapes.iter().map(|shape| shape.ty).chain(outputs);
        types.as_mut().iter_mut().zip(given).for_each(|(ty, given)| *ty = given);
        let kernel = Kernel {
            api: info.api(),
            call: tactics.call(node, dims.as_deref())?,
            stream: (operator.device == DeviceKind::Cpu).then(|| device.create_stream()).transpose()?,
            allocator,
            types,
            inputs: shapes.len(),
        };
        kernel.log(info, &tactics);
        Ok(kernel)
    }

    /// Says what the node runs as, at level verbose.
    fn log(&self, info: Info<'_>, tactics: &Tactics) {
        let (Some(log), node) = (info.log(), self.call.node()) else { return };
        let (label, plan) = (node.plugin.label(), self.call.plan());
        if let Some(why) = tactics.left_untried(plan.as_ref().map(|plan| plan.decision())) {
            log.verbose(&format_args!("node `{}`: its tactics weren't tried, as {why}", node.name));
        }
        match plan {
            Some(plan) => {
                let (step, decision) = (plan.step(), plan.decision());
                let tactic = step.tactic.as_deref().unwrap_or("default");
                let (combination, device) = (&decision.choice.combination, &node.device);
                let line = format_args!(
                    "node `{}` runs `{label}` on {device}: {combination}, tactic {tactic}, {}",
                    node.name, decision.by
                );
                log.verbose(&line);
            }
            None => {
                let line = format_args!("node `{}` runs `{label}`: as what, its first run decides", node.name);
                log.verbose(&line);
            }
        }
    }

    fn run(&self, context: Context<'_>) -> Result<()> {
        let mut lease = self.call.begin();
        let (of_inputs, of_outputs) = self.types.as_ref().split_at(self.inputs);
        let mut inputs = Few::new(of_inputs.len(), ptr::null());
        let mut room = [0; MAX_RANK];
        for ((index, &expected), place) in of_inputs.iter().enumerate().zip(inputs.as_mut()) {
            let Some(input) = context.input(index, &mut room)? else { return Err(self.failed(left_out(index))) };
            if input.ty != expected {
                return Err(self.failed(other_type("input", index, (expected, input.ty))));
            }
            lease.set_input(index, input.extents)?;
            *place = input.data;
        }
        lease.prepare()?;
        let mut outputs = Few::new(of_outputs.len(), ptr::null_mut());
        let mut own = Own::default();
        let workspace = own.add(lease.workspace()?);
        for ((index, &wanted), place) in of_outputs.iter().enumerate().zip(outputs.as_mut()) {
            let output = lease.output(index)?;
            let code = type_code(output.dtype);
            if wanted != code && wanted != LEFT_OUT {
                return Err(self.failed(other_type("output", index, (wanted, code))));
            }
            if wanted != LEFT_OUT && !output.data_dependent {
                *place = context.output(index, &output.dims)?;
            } else {
                let offset = own.add(Representation::linear(output.dtype).bytes(&lease.largest(index)?)?);
                *place = own.mark(index, offset)?;
            }
        }
        let scratch = self.scratch(context, &own)?;
        let start = scratch.as_ref().map_or(ptr::null_mut(), |scratch| aligned(scratch.start()));
        own.settle(outputs.as_mut(), start);
        let workspace = start.wrapping_byte_add(workspace);
        let places = Places { inputs: inputs.as_ref(), outputs: outputs.as_ref(), workspace };
        self.run_at(context, &mut lease, &places, &own)
    }

    fn run_at(&self, context: Context<'_>, lease: &mut Lease<'_>, places: &Places<'_>, own: &Own) -> Result<()> {
        let of_gpu;
        let stream = match &self.stream {
            Some(stream) => stream,
            None => {
                // SAFETY: it is the run's stream, and lives as long as the run.
                #[expect(unsafe_code, reason = "takes a stream of the runtime")]
                let stream = unsafe { lease.cuda_stream(context.gpu_stream()?)? };
                of_gpu = stream;
                &of_gpu
            }
        };
        // SAFETY: the runtime keeps inputs and outputs, which have the extents that it was told, until the run is done; what
        // is our own has room for the largest extents, and is given back in the order of the stream.
        #[expect(unsafe_code, reason = "runs on memory of the runtime")]
        let mut run = || unsafe { lease.run(places, stream) };
        match self.stream.is_some() {
            true => with_threads_of(&context, run)?,
            false => run()?,
        }
        if own.outputs == 0 {
            return Ok(());
        }
        for (index, output) in lease.outputs()?.iter().enumerate() {
            if !own.has(index) || self.types.as_ref()[self.inputs + index] == LEFT_OUT {
                continue;
            }
            let found = lease.found(index)?;
            let target = context.output(index, &found)?;
            let bytes = Representation::linear(output.dtype).bytes(&found)?;
            // SAFETY: the output has the extents that were found, which are no more than the largest.
            #[expect(unsafe_code, reason = "writes to memory of the runtime")]
            unsafe {
                copy(places.outputs[index].cast_const(), target, bytes, stream)?;
            }
        }
        Ok(())
    }

    /// Memory for this run.
    fn scratch(&self, context: Context<'_>, own: &Own) -> Result<Option<Scratch<'_>>> {
        let Some(bytes) = own.bytes.checked_add(ALIGNMENT).filter(|bytes| *bytes <= isize::MAX as usize) else {
            return Err(self.failed(Error::new(ErrorKind::OutOfMemory, "it needs more memory than can be addressed")));
        };
        if own.bytes == 0 {
            return Ok(None);
        }
        let device = &self.call.node().device;
        let scratch = match device.cuda_properties() {
            None => self.allocator.host(bytes),
            // The runtime has no way to say that there is none.
            Some(gpu) if bytes > gpu.total_bytes => Err(Error::new(
                ErrorKind::OutOfMemory,
                format_args!("{bytes} bytes of scratch memory are needed, but `{device}` has {}", gpu.total_bytes),
            )),
            Some(_) => self.allocator.device_scratch(context, bytes),
        };
        scratch.map(Some).map_err(|error| self.failed(error))
    }

    #[cold]
    fn failed(&self, error: Error) -> Error {
        self.call.node().failed(error)
    }
}

/// In place of the type of an output that a node leaves out.
const LEFT_OUT: ElementType = -1;

/// What the parts of a run's own memory are multiples of.
const ALIGNMENT: usize = 256;

fn aligned(start: *mut c_void) -> *mut c_void {
    start.wrapping_byte_add(start.addr().wrapping_neg() % ALIGNMENT)
}

/// What a run needs besides the runtime's tensors: scratch memory, and outputs that the runtime can't make yet, or doesn't
/// want.
#[derive(Debug, Default)]
struct Own {
    bytes: usize,
    /// A bit an output.
    outputs: u64,
}

impl Own {
    /// Where a part begins.
    fn add(&mut self, bytes: usize) -> usize {
        let offset = self.bytes;
        self.bytes = offset.saturating_add(bytes).saturating_add((ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT);
        offset
    }

    /// Says that an output is at an offset; what stands for its place until then.
    fn mark(&mut self, output: usize, offset: usize) -> Result<*mut c_void> {
        match u32::try_from(output).ok().and_then(|output| 1u64.checked_shl(output)) {
            Some(bit) => self.outputs |= bit,
            None => return Err(Error::invalid(format_args!("a plugin has at most 64 outputs, not {output}"))),
        }
        Ok(ptr::without_provenance_mut(offset))
    }

    fn has(&self, output: usize) -> bool {
        self.outputs.checked_shr(output as u32).is_some_and(|bits| bits & 1 == 1)
    }

    fn settle(&self, places: &mut [*mut c_void], start: *mut c_void) {
        for (_, place) in places.iter_mut().enumerate().filter(|(index, _)| self.has(*index)) {
            *place = start.wrapping_byte_add(place.addr());
        }
    }
}

#[cold]
fn left_out(input: usize) -> Error {
    Error::invalid(format_args!("its input {input} is left out, but plugins need every input"))
}

#[cold]
fn other_type(what: &str, index: usize, (expected, found): (ElementType, ElementType)) -> Error {
    Error::invalid(format_args!(
        "{what} {index} was {} when the session was made, but is {}",
        type_name(expected),
        type_name(found)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_own_memory_are_aligned_and_apart() {
        let mut own = Own::default();
        assert_eq!([own.add(0), own.add(1), own.add(256), own.add(300), own.add(0)], [0, 0, 256, 512, 1024]);
        let mut places = [ptr::null_mut(), own.mark(1, 512).unwrap()];
        let mut room = [0u8; 1024];
        let start: *mut c_void = room.as_mut_ptr().cast();
        own.settle(&mut places, start);
        assert_eq!(places, [ptr::null_mut(), start.wrapping_byte_add(512)]);
        assert!(own.mark(64, 0).is_err() && !own.has(64) && own.mark(63, 0).is_ok() && own.has(63));
        assert_eq!(own.add(usize::MAX), 1024);
        assert_eq!(own.bytes, usize::MAX);
    }
}
