//! One call of a plugin's function.

use std::ffi::c_void;
use std::ptr;

use super::abi::Any;
use super::api::{Api, Object, drop_any};
use super::arguments::Arguments;
use super::memory::{Capsule, Memory, framework, start};
use crate::device::Stream;
use crate::device::dlpack::{CUDA, to_dlpack};
use crate::error::{Error, Result};
use crate::host::{Few, Lease, Places, ReadyCall, copy};
use crate::shape::Dims;
use crate::tensor::{DataType, HostBytes, Representation};

/// The outputs of a call in their order, of which each is there once its memory is.
struct Outputs {
    few: [Option<Memory>; SHORT],
    many: Vec<Option<Memory>>,
    len: usize,
}

/// How many outputs a call has without a list of its own for them.
const SHORT: usize = 4;

impl Outputs {
    fn new(len: usize) -> Outputs {
        let mut many = Vec::new();
        if len > SHORT {
            many.resize_with(len, || None);
        }
        Outputs { few: [const { None }; SHORT], many, len }
    }

    fn all(&mut self) -> &mut [Option<Memory>] {
        if self.len > SHORT { &mut self.many } else { &mut self.few[..self.len] }
    }
}

/// Runs a node on arguments; what the function returns.
///
/// # Errors
/// When an input can't be used, the plugin refuses or fails, or there isn't enough memory.
pub(super) fn run(api: &Api, ready: &ReadyCall, arguments: &Arguments<'_>) -> Result<Any> {
    let mut lease = ready.call.begin();
    let mut inputs = Few::new(ready.call.node().inputs.len(), ptr::null());
    for (index, place) in inputs.as_mut().iter_mut().enumerate() {
        let input = arguments.input(index)?;
        lease.set_input(index, input.extents)?;
        *place = input.start;
    }
    lease.prepare()?;
    let stream = stream(api, ready, &mut lease)?;
    let count = lease.outputs()?.len();
    let mut places = Few::new(count, ptr::null_mut());
    let mut outputs = Outputs::new(count);
    for (index, (memory, place)) in outputs.all().iter_mut().zip(places.as_mut()).enumerate() {
        let alias = lease.outputs()?.get(index).and_then(|output| output.alias);
        let made = match alias {
            Some(input) => {
                arguments.check_apart(input)?;
                *place = inputs.as_ref().get(input).map_or(ptr::null_mut(), |start| start.cast_mut());
                Memory::Input(input)
            }
            None => {
                let output = lease.output(index)?;
                let made = match output.data_dependent {
                    true => Capsule::new(output.dtype, &output.dims, &stream).map(Memory::Own)?,
                    false => Memory::new(api, output.dtype, &output.dims, &stream)?,
                };
                *place = made.start();
                made
            }
        };
        *memory = Some(made);
    }
    let workspace = Workspace::new(api, ready, lease.workspace()?, &stream)?;
    let places = Places { inputs: inputs.as_ref(), outputs: places.as_ref(), workspace: workspace.start() };
    // SAFETY: the caller keeps the inputs until the call returns, and on a GPU in the order of the stream; so do the
    // allocators with the memory of outputs and workspace, which has the size that the extents say.
    #[expect(unsafe_code, reason = "runs on memory of the caller")]
    unsafe {
        lease.run(&places, &stream)?;
    }
    workspace.give_back(ready);
    for (index, memory) in outputs.all().iter_mut().enumerate() {
        let output = lease.output(index)?;
        let (dtype, largest, is_found) = (output.dtype, output.dims, output.data_dependent);
        if is_found && let Some(Memory::Own(capsule)) = memory.take() {
            *memory = Some(found(api, capsule, (dtype, largest), &lease.found(index)?, &stream)?);
        }
    }
    returned(api, outputs)
}

/// The stream of a call.
#[inline]
fn stream(api: &Api, ready: &ReadyCall, lease: &mut Lease<'_>) -> Result<Stream> {
    let Some(gpu) = ready.call.node().device.gpu() else {
        return ready.stream.clone().ok_or_else(|| Error::invalid("a node of the CPU has no stream"));
    };
    let raw = api.stream(CUDA, gpu.ordinal() as i32);
    // SAFETY: it is the stream that the caller works in, and lives as long as the work.
    #[expect(unsafe_code, reason = "takes a stream of the caller")]
    unsafe {
        lease.cuda_stream(raw)
    }
}

/// An output that was found, at its true extents. In host memory, what is more stays unused, and takes none where it wasn't
/// touched.
fn found(
    api: &Api,
    mut capsule: Capsule,
    (dtype, largest): (DataType, Dims),
    dims: &Dims,
    stream: &Stream,
) -> Result<Memory> {
    if *dims == largest && !api.has_allocator() {
        return Ok(Memory::Own(capsule));
    }
    if stream.device().gpu().is_none() && !api.has_allocator() {
        capsule.shrink(dims);
        return Ok(Memory::Own(capsule));
    }
    let exact = Memory::new(api, dtype, dims, stream)?;
    let bytes = Representation::linear(dtype).bytes(dims)?;
    let source = Memory::Own(capsule);
    // SAFETY: the extents that were found are at most the largest, and both have as many bytes.
    #[expect(unsafe_code, reason = "copies between memory of outputs")]
    unsafe {
        copy(source.start().cast_const(), exact.start(), bytes, stream)?;
    }
    Ok(exact)
}

/// The output, or a list of several.
#[inline]
fn returned(api: &Api, mut outputs: Outputs) -> Result<Any> {
    if let [memory] = outputs.all() {
        return memory.take().map_or(Ok(Any::NONE), |memory| memory.into_any(api));
    }
    let count = outputs.len;
    let mut values = Few::new(count, Any::NONE);
    let mut made = Ok(());
    for (value, memory) in values.as_mut().iter_mut().zip(outputs.all()) {
        match memory.take().map_or(Ok(Any::NONE), |memory| memory.into_any(api)) {
            Ok(any) => *value = any,
            Err(error) => {
                made = Err(error);
                break;
            }
        }
    }
    let list = made.and_then(|()| api.list(values.as_ref()));
    values.as_ref().iter().for_each(|value| drop_any(*value));
    list
}

/// Scratch memory of a call.
#[derive(Debug)]
enum Workspace {
    None,
    Host(Box<HostBytes>),
    Framework(Object),
    /// Memory of our own on a GPU, given back in the order of the stream.
    Own(Capsule),
}

impl Workspace {
    fn new(api: &Api, ready: &ReadyCall, bytes: usize, stream: &Stream) -> Result<Workspace> {
        if bytes == 0 {
            return Ok(Workspace::None);
        }
        let len = i64::try_from(bytes).ok().and_then(|len| Dims::new(&[len]));
        let len = len.ok_or_else(|| Error::invalid(format_args!("a workspace can't have {bytes} bytes")))?;
        if stream.device().gpu().is_none() {
            return ready.workspace(bytes).map(Workspace::Host);
        }
        match api.has_allocator() {
            true => framework(api, to_dlpack(DataType::UInt8)?, &len, stream).map(Workspace::Framework),
            false => Capsule::new(DataType::UInt8, &len, stream).map(Workspace::Own),
        }
    }

    fn start(&self) -> *mut c_void {
        match self {
            Workspace::None => ptr::null_mut(),
            Workspace::Host(bytes) => bytes.as_ptr().cast_mut().cast(),
            Workspace::Framework(object) => start(object),
            Workspace::Own(capsule) => capsule.start(),
        }
    }

    fn give_back(self, ready: &ReadyCall) {
        if let Workspace::Host(bytes) = self {
            ready.give_back(bytes);
        }
    }
}
