//! Kernels: one function an operator, since PyTorch hands over nothing that tells operators apart.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::slice;

use super::abi::{Kernel, Torch};
use super::arguments::Arguments;
use super::operators::{Host, Operator, host};
use super::tensor::{Place, Tensor, handle, word};
use crate::device::Stream;
use crate::error::{Error, LayerContext, Result};
use crate::host::{Few, Lease, Places, copy, fenced};
use crate::tensor::{DataType, HostBytes, Representation};

macro_rules! rows {
    ($($row:literal)*) => { [$([
        kernel::<{ 16 * $row }>, kernel::<{ 16 * $row + 1 }>, kernel::<{ 16 * $row + 2 }>, kernel::<{ 16 * $row + 3 }>,
        kernel::<{ 16 * $row + 4 }>, kernel::<{ 16 * $row + 5 }>, kernel::<{ 16 * $row + 6 }>, kernel::<{ 16 * $row + 7 }>,
        kernel::<{ 16 * $row + 8 }>, kernel::<{ 16 * $row + 9 }>, kernel::<{ 16 * $row + 10 }>, kernel::<{ 16 * $row + 11 }>,
        kernel::<{ 16 * $row + 12 }>, kernel::<{ 16 * $row + 13 }>, kernel::<{ 16 * $row + 14 }>, kernel::<{ 16 * $row + 15 }>,
    ]),*] };
}

/// That of each operator, in rows of 16.
pub(super) static KERNELS: [[Kernel; 16]; 32] =
    rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

/// The kernel of an operator, by its position.
///
/// # Safety
/// Called by PyTorch, as the operator's schema says: the stack has room for the arguments, and for the results.
#[expect(unsafe_code, reason = "called by PyTorch")]
unsafe extern "C-unwind" fn kernel<const INDEX: usize>(stack: *mut u64, arguments: u64, results: u64) {
    // SAFETY: as the caller says.
    unsafe { enter(INDEX, stack, arguments.max(results)) }
}

/// Runs an operator. Nothing here has a destructor, so that an exception can pass.
///
/// # Safety
/// As [`kernel`], for an operator's position.
#[inline(never)]
#[expect(unsafe_code, reason = "called by PyTorch")]
unsafe extern "C-unwind" fn enter(index: usize, stack: *mut u64, words: u64) {
    let Some(host) = host() else { return };
    // SAFETY: as the caller says.
    let message = unsafe { answer(host, index, stack, words) };
    if !message.is_null() {
        // SAFETY: the text is kept until this thread's next error; no frame from here to PyTorch has anything to drop.
        unsafe { host.torch.raise(message) }
    }
}

/// What went wrong, as a text that ends with 0; null where nothing did.
///
/// # Safety
/// As [`kernel`].
#[expect(unsafe_code, reason = "takes a stack on trust")]
unsafe fn answer(host: &'static Host, index: usize, stack: *mut u64, words: u64) -> *const c_char {
    let run = || {
        let Some(operator) = host.operators.get(index) else { return Ok(ptr::null()) };
        let stack: &mut [u64] = match words {
            0 => &mut [],
            // SAFETY: as the caller says.
            words => unsafe { slice::from_raw_parts_mut(stack, words as usize) },
        };
        // SAFETY: as the caller says.
        unsafe { operator.run(host, stack) }.map(|()| ptr::null())
    };
    fenced(run, |_, message| keep(message))
}

/// Keeps an error's text until this thread's next one.
#[cold]
fn keep(message: &str) -> *const c_char {
    thread_local! {
        static MESSAGE: RefCell<CString> = RefCell::default();
    }
    let text = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
    let kept = MESSAGE.try_with(|kept| {
        let mut kept = kept.try_borrow_mut().ok()?;
        *kept = text;
        Some(kept.as_ptr())
    });
    kept.ok().flatten().unwrap_or(c"a plugin failed while its thread ended".as_ptr())
}

impl Operator {
    /// # Safety
    /// The words are the arguments that the schema says, and the callee's to give back; results are left in their place.
    #[inline]
    #[expect(unsafe_code, reason = "takes a stack on trust")]
    unsafe fn run(&self, host: &'static Host, stack: &mut [u64]) -> Result<()> {
        // SAFETY: as the caller says.
        let mut arguments = unsafe { Arguments::take(&host.torch, self, stack) };
        let results = self.results(host, &mut arguments).map_err(|error| self.named(error))?;
        results.leave(stack);
        Ok(())
    }

    /// Says of an error which plugin it is of, unless it says so.
    #[cold]
    fn named(&self, error: Error) -> Error {
        match error.layer() {
            Some(_) => error,
            None => error.in_layer(LayerContext::new(&self.label, &self.plugin.label())),
        }
    }

    #[inline]
    fn results<'t>(&self, host: &'t Host, arguments: &mut Arguments<'t>) -> Result<Results<'t>> {
        let place = arguments.place()?;
        let key = arguments.key(place)?;
        let ready = self.calls.get(key.words(), || arguments.describe(host, place))?;
        drop(key);
        let mut lease = ready.call.begin();
        for (index, input) in arguments.inputs().enumerate() {
            lease.set_input(index, input.extents()?)?;
        }
        lease.prepare()?;
        arguments.make_dense()?;
        let mut results = Results::new(host, place, self.plugin.entry.outputs);
        let mut inputs = Few::new(self.plugin.entry.inputs.len(), ptr::null());
        for (slot, input) in inputs.as_mut().iter_mut().zip(arguments.inputs()) {
            *slot = input.data()?.cast_const();
        }
        let mut outputs = Few::new(self.plugin.entry.outputs, ptr::null_mut());
        for (index, slot) in outputs.as_mut().iter_mut().enumerate() {
            let alias = lease.outputs()?.get(index).and_then(|output| output.alias);
            *slot = match (alias, self.schema.aliases.get(index).copied().flatten()) {
                (None, None) => results.allocate(index, &lease)?,
                (Some(input), Some(declared)) if input == declared => arguments.input(input).data()?,
                _ => return Err(self.other_alias(index)),
            };
        }
        self.check_overlaps(host, arguments, &inputs)?;
        let scratch = Scratch::new(host, place, lease.workspace()?)?;
        let places = Places { inputs: inputs.as_ref(), outputs: outputs.as_ref(), workspace: scratch.start()? };
        match &ready.stream {
            Some(stream) => results.run(&mut lease, &places, stream)?,
            None => {
                let stream = current_stream(host, &mut lease, place)?;
                results.run(&mut lease, &places, &stream)?;
            }
        }
        arguments.write_back()?;
        Ok(results)
    }

    #[cold]
    fn other_alias(&self, output: usize) -> Error {
        Error::invalid(format_args!(
            "whether output {output} is updated in place depends on its attributes or ranks, and isn't as in its schema, \
             `{}`",
            self.schema.text.to_string_lossy()
        ))
    }

    /// An input that is updated may not be another one too.
    #[inline]
    fn check_overlaps(&self, host: &Host, arguments: &Arguments<'_>, inputs: &Few<*const c_void>) -> Result<()> {
        for &updated in self.schema.aliases.iter().flatten() {
            for other in (0..inputs.as_ref().len()).filter(|other| *other != updated) {
                let bytes = |input: usize| -> Result<usize> {
                    let input = arguments.input(input);
                    let dtype = host.types.data_type(input.dtype()?)?;
                    Ok(input.elements()?.saturating_mul(dtype.bits().div_ceil(8) as usize))
                };
                let (a, b) = (inputs.as_ref()[updated].addr(), inputs.as_ref()[other].addr());
                if a < b.saturating_add(bytes(other)?) && b < a.saturating_add(bytes(updated)?) {
                    let names = self.plugin.entry.inputs;
                    return Err(Error::invalid(format_args!(
                        "`{}` is updated in place, but `{}` lies in the same memory: clone one of them",
                        names[updated], names[other]
                    )));
                }
            }
        }
        Ok(())
    }
}

/// PyTorch's current stream of a GPU.
#[inline]
fn current_stream(host: &Host, lease: &mut Lease<'_>, place: Place) -> Result<Stream> {
    let Some(find) = host.current_stream else {
        return Err(Error::invalid("this PyTorch has no `aoti_torch_get_current_cuda_stream`"));
    };
    let mut raw = ptr::null_mut();
    // SAFETY: the answer is a local; the stream lives as long as this call.
    #[expect(unsafe_code, reason = "takes a stream of PyTorch")]
    unsafe {
        host.torch.done(find(place.index, &raw mut raw), "tell its current stream")?;
        lease.cuda_stream(raw)
    }
}

/// Scratch memory of PyTorch's.
struct Scratch<'t>(Option<Tensor<'t>>);

impl<'t> Scratch<'t> {
    #[inline]
    fn new(host: &'t Host, place: Place, bytes: usize) -> Result<Scratch<'t>> {
        if bytes == 0 {
            return Ok(Scratch(None));
        }
        let room = i64::try_from(bytes.saturating_add(HostBytes::ALIGNMENT)).unwrap_or(i64::MAX);
        Tensor::empty(&host.torch, &[room], host.types.code(DataType::UInt8)?, place).map(|room| Scratch(Some(room)))
    }

    #[inline]
    fn start(&self) -> Result<*mut c_void> {
        let Some(room) = &self.0 else { return Ok(ptr::null_mut()) };
        let start = room.view().data()?;
        Ok(start.wrapping_byte_add(start.addr().wrapping_neg() % HostBytes::ALIGNMENT))
    }
}

/// The outputs that PyTorch is given: null where an output is an input.
struct Results<'t> {
    host: &'t Host,
    place: Place,
    handles: Few<u64>,
}

impl<'t> Results<'t> {
    #[inline]
    fn new(host: &'t Host, place: Place, outputs: usize) -> Self {
        Results { host, place, handles: Few::new(outputs, 0) }
    }

    fn torch(&self) -> &'t Torch {
        &self.host.torch
    }

    /// Makes room for the largest that an output can be.
    #[inline]
    fn allocate(&mut self, index: usize, lease: &Lease<'_>) -> Result<*mut c_void> {
        let output = lease.output(index)?;
        let tensor = Tensor::empty(self.torch(), &output.dims, self.host.types.code(output.dtype)?, self.place)?;
        let data = tensor.view().data()?;
        self.handles.as_mut()[index] = word(tensor.into_raw());
        Ok(data)
    }

    /// Runs the plugin, and puts tensors of the found lengths in the place of the largest.
    #[inline]
    fn run(&mut self, lease: &mut Lease<'_>, places: &Places<'_>, stream: &Stream) -> Result<()> {
        // SAFETY: arguments and results live until the call is done, and PyTorch frees in the order of the stream; results
        // have the largest extents; inputs are row-major, and those that are updated overlap no other.
        #[expect(unsafe_code, reason = "runs on memory of PyTorch")]
        unsafe {
            lease.run(places, stream)?;
        }
        for index in 0..places.outputs.len() {
            let output = *lease.output(index)?;
            let found = lease.found(index)?;
            if !output.data_dependent || *found == *output.dims || self.handles.as_ref()[index] == 0 {
                continue;
            }
            let exact = Tensor::empty(self.torch(), &found, self.host.types.code(output.dtype)?, self.place)?;
            let bytes = Representation::linear(output.dtype).bytes(&found)?;
            // SAFETY: both have room for the extents that were found, which are no more than the largest.
            #[expect(unsafe_code, reason = "writes to memory of PyTorch")]
            unsafe {
                copy(places.outputs[index].cast_const(), exact.view().data()?, bytes, stream)?;
                let largest = std::mem::replace(&mut self.handles.as_mut()[index], word(exact.into_raw()));
                drop(Tensor::owned(self.torch(), handle(largest)));
            }
        }
        Ok(())
    }

    /// Leaves them in the first words of a stack.
    #[inline]
    fn leave(mut self, stack: &mut [u64]) {
        let given = self.handles.as_mut().iter_mut().filter(|handle| **handle != 0);
        for (slot, handle) in stack.iter_mut().zip(given) {
            *slot = std::mem::take(handle);
        }
    }
}

impl Drop for Results<'_> {
    #[inline]
    fn drop(&mut self) {
        for &left in self.handles.as_ref().iter().filter(|handle| **handle != 0) {
            // SAFETY: the handle was made for this, and wasn't given away.
            #[expect(unsafe_code, reason = "owns a handle")]
            drop(unsafe { Tensor::owned(self.torch(), handle(left)) });
        }
    }
}
