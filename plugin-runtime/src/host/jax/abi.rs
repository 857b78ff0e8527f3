//! What is used of XLA's foreign function interface, version 0.1 and all newer ones.
//!
//! Every structure begins with its size and an extension; newer versions append fields. State of a call site isn't used:
//! the functions for it have changed their arguments from version to version.

use std::ffi::{c_char, c_void};
use std::{ptr, slice};

use crate::error::{Error, ErrorKind, Result};

/// The version that is claimed: every runtime takes those before its own.
const VERSION: (i32, i32) = (0, 1);

/// What a handler is called with.
#[repr(C)]
#[derive(Debug)]
pub struct CallFrame {
    size: usize,
    extension: *mut Extension,
    pub(super) api: *const Api,
    pub(super) context: *mut c_void,
    pub(super) stage: i32,
    pub(super) arguments: Buffers,
    pub(super) results: Buffers,
    pub(super) attributes: Attributes,
}

/// Stages in which a handler is called.
pub(super) const INSTANTIATE: i32 = 0;
pub(super) const EXECUTE: i32 = 3;

#[repr(C)]
#[derive(Debug)]
struct Extension {
    size: usize,
    kind: i32,
    next: *mut Extension,
}

/// An extension by which a runtime asks what a handler is.
const METADATA: i32 = 1;

#[repr(C)]
struct MetadataExtension {
    base: Extension,
    metadata: *mut Metadata,
}

#[repr(C)]
struct Metadata {
    size: usize,
    version_size: usize,
    version_extension: *mut Extension,
    major: i32,
    minor: i32,
    traits: u32,
}

/// That calls may be recorded and replayed.
const RECORDABLE: u32 = 1;

#[repr(C)]
#[derive(Debug)]
pub(super) struct Buffers {
    size: usize,
    extension: *mut Extension,
    count: i64,
    types: *const i32,
    items: *const *const Buffer,
}

/// A tensor, row-major.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Buffer {
    size: usize,
    extension: *mut Extension,
    pub(super) dtype: i32,
    pub(super) data: *mut c_void,
    rank: i64,
    extents: *const i64,
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct Attributes {
    size: usize,
    extension: *mut Extension,
    count: i64,
    types: *const i32,
    names: *const *const ByteSpan,
    items: *const *const c_void,
}

#[repr(C)]
#[derive(Debug)]
struct ByteSpan {
    start: *const u8,
    len: usize,
}

#[repr(C)]
struct Scalar {
    dtype: i32,
    value: *const c_void,
}

#[repr(C)]
struct Array {
    dtype: i32,
    len: usize,
    items: *const c_void,
}

/// What an attribute is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'f> {
    /// A type, and the bytes of one element.
    Scalar(i32, *const c_void),
    /// A type, how many elements there are, and their bytes.
    Array(i32, usize, *const c_void),
    Text(&'f [u8]),
    Other(i32),
}

type Call = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// The functions of a runtime.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Api {
    size: usize,
    extension: *mut Extension,
    version_size: usize,
    version_extension: *mut Extension,
    major: i32,
    minor: i32,
    internal: *const c_void,
    create_error: Option<Call>,
    error_message: Option<Call>,
    destroy_error: Option<Call>,
    register_handler: Option<Call>,
    stream: Option<Call>,
    register_type: Option<Call>,
    context: Option<Call>,
    set_state: Option<Call>,
    state: Option<Call>,
    allocate: Option<Call>,
    free: Option<Call>,
    schedule: Option<Call>,
    threads: Option<Call>,
    futures: [Option<Call>; 3],
    run_id: Option<Call>,
    device_ordinal: Option<Call>,
}

/// Where functions have more arguments than a context and one answer.
#[repr(C)]
struct Arguments<const N: usize> {
    size: usize,
    extension: *mut Extension,
    words: [usize; N],
}

impl<const N: usize> Arguments<N> {
    fn new(words: [usize; N]) -> Self {
        Arguments { size: size_of::<Self>(), extension: ptr::null_mut(), words }
    }
}

impl CallFrame {
    /// # Safety
    /// The frame is a runtime's, and lives as long as this is used.
    #[inline]
    #[expect(unsafe_code, reason = "takes a pointer on trust")]
    pub(super) unsafe fn of<'f>(frame: *mut CallFrame) -> Option<&'f CallFrame> {
        // SAFETY: as the caller says.
        unsafe { frame.as_ref() }
    }

    /// Answers a runtime that asks what the handler is; whether it did.
    #[inline]
    pub(super) fn answers_metadata(&self, recordable: bool) -> bool {
        // SAFETY: an extension of this kind holds a place for the answer.
        #[expect(unsafe_code, reason = "writes to memory of the runtime")]
        unsafe {
            let Some(extension) = self.extension.as_ref().filter(|extension| extension.kind == METADATA) else {
                return false;
            };
            if let Some(metadata) = (*ptr::from_ref(extension).cast::<MetadataExtension>()).metadata.as_mut() {
                (metadata.major, metadata.minor) = VERSION;
                metadata.traits = if recordable { RECORDABLE } else { 0 };
            }
            true
        }
    }

    fn api(&self) -> Option<&Api> {
        // SAFETY: the runtime's table lives as long as it.
        #[expect(unsafe_code, reason = "reads memory of the runtime")]
        unsafe {
            self.api.as_ref()
        }
    }

    /// An error of the runtime's.
    #[cold]
    pub(super) fn error(&self, kind: ErrorKind, message: &str) -> *mut c_void {
        const INVALID_ARGUMENT: usize = 3;
        const RESOURCE_EXHAUSTED: usize = 8;
        const INTERNAL: usize = 13;
        let code = match kind {
            ErrorKind::OutOfMemory => RESOURCE_EXHAUSTED,
            ErrorKind::Plugin | ErrorKind::Device | ErrorKind::DeviceLost | ErrorKind::Io => INTERNAL,
            _ => INVALID_ARGUMENT,
        };
        let mut text = message.replace('\0', "\u{fffd}").into_bytes();
        text.push(0);
        let mut arguments = Arguments::new([text.as_ptr().addr(), code]);
        arguments.words[0] = text.as_ptr().expose_provenance();
        // SAFETY: the arguments are as the interface says; the text ends with 0 and is copied.
        #[expect(unsafe_code, reason = "calls the runtime")]
        self.api()
            .and_then(|api| api.create_error)
            .map_or(ptr::null_mut(), |create| unsafe { create((&raw mut arguments).cast()) })
    }

    /// Calls a function of the runtime that takes the frame's context first.
    #[inline]
    fn ask<const N: usize>(&self, function: Option<Call>, arguments: &mut Arguments<N>, what: &str) -> Result<()> {
        let Some(function) = function else { return Err(lacks(what)) };
        arguments.words[0] = self.context.expose_provenance();
        // SAFETY: the arguments are as the interface says.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let error = unsafe { function(ptr::from_mut(arguments).cast()) };
        if error.is_null() { Ok(()) } else { Err(self.failed(error, what)) }
    }

    /// Takes over what the runtime says went wrong.
    #[cold]
    fn failed(&self, error: *mut c_void, what: &str) -> Error {
        let mut message = Arguments::new([error.expose_provenance(), 0]);
        let mut destroyed = Arguments::new([error.expose_provenance()]);
        let api = self.api();
        // SAFETY: the error is ours to read and to give back; its text lives as long as it.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let text = unsafe {
            api.and_then(|api| api.error_message).map(|read| read((&raw mut message).cast()));
            let text = ptr::with_exposed_provenance::<c_char>(message.words[1]);
            let text = (!text.is_null()).then(|| std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned());
            api.and_then(|api| api.destroy_error).map(|destroy| destroy((&raw mut destroyed).cast()));
            text.unwrap_or_default()
        };
        Error::invalid(format_args!("XLA can't {what}: {text}"))
    }

    /// The stream of a call on a GPU.
    #[inline]
    pub(super) fn stream(&self) -> Result<*mut c_void> {
        let mut arguments = Arguments::new([0, 0]);
        self.ask(self.api().and_then(|api| api.stream), &mut arguments, "tell the stream")?;
        Ok(ptr::with_exposed_provenance_mut(arguments.words[1]))
    }

    /// The GPU of a call.
    #[inline]
    pub(super) fn device_ordinal(&self) -> Result<usize> {
        let mut arguments = Arguments::new([0, 0]);
        let has_it = |api: &&Api| api.size > std::mem::offset_of!(Api, device_ordinal);
        let function = self.api().filter(has_it).and_then(|api| api.device_ordinal);
        self.ask(function, &mut arguments, "tell the device")?;
        Ok(arguments.words[1] & 0xffff_ffff)
    }

    /// Memory of a GPU, for this call, at a multiple of `alignment`, which is a power of two.
    #[inline]
    pub(super) fn allocate(&self, bytes: usize, alignment: usize) -> Result<*mut c_void> {
        /// The most that XLA can be asked for.
        const MOST: usize = 16;
        let room = bytes.saturating_add(alignment.saturating_sub(MOST));
        let mut arguments = Arguments::new([0, room, alignment.min(MOST), 0]);
        self.ask(self.api().and_then(|api| api.allocate), &mut arguments, "allocate scratch memory")?;
        let address = arguments.words[3];
        Ok(ptr::with_exposed_provenance_mut(address.checked_next_multiple_of(alignment).unwrap_or(address)))
    }
}

#[cold]
fn lacks(what: &str) -> Error {
    Error::invalid(format_args!("this version of JAX can't {what}"))
}

/// As many items as a runtime says that there are.
///
/// # Safety
/// There are, and they live that long.
#[inline]
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn items<'f, T>(start: *const T, count: i64) -> &'f [T] {
    match usize::try_from(count) {
        // SAFETY: as the caller says.
        Ok(count) if count > 0 && !start.is_null() => unsafe { slice::from_raw_parts(start, count) },
        _ => &[],
    }
}

impl Buffers {
    #[inline]
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Buffer> {
        // SAFETY: the runtime keeps as many buffers as it says, as long as the frame.
        #[expect(unsafe_code, reason = "reads memory of the runtime")]
        unsafe {
            items(self.items, self.count).iter().map(|item| &**item)
        }
    }
}

impl Buffer {
    #[inline]
    pub(super) fn extents(&self) -> &[i64] {
        // SAFETY: as many extents are there as the rank says, as long as the frame.
        #[expect(unsafe_code, reason = "reads memory of the runtime")]
        unsafe {
            items(self.extents, self.rank)
        }
    }
}

impl Attributes {
    /// By name, in the order of names.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Item<'_>)> {
        // SAFETY: the runtime keeps as many attributes as it says, as long as the frame; each is what its type says.
        #[expect(unsafe_code, reason = "reads memory of the runtime")]
        unsafe {
            let names = items(self.names, self.count);
            let types = items(self.types, self.count);
            let values = items(self.items, self.count);
            names.iter().zip(types).zip(values).map(|((name, ty), value)| ((**name).bytes(), item(*ty, *value)))
        }
    }
}

impl ByteSpan {
    #[inline]
    fn bytes(&self) -> &[u8] {
        // SAFETY: the runtime says how many bytes there are.
        #[expect(unsafe_code, reason = "reads memory of the runtime")]
        unsafe {
            items(self.start, self.len as i64)
        }
    }
}

/// # Safety
/// The value is what the type says, and lives that long.
#[inline]
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn item<'f>(ty: i32, value: *const c_void) -> Item<'f> {
    // SAFETY: as the caller says.
    unsafe {
        match ty {
            1 => {
                let array = &*value.cast::<Array>();
                Item::Array(array.dtype, array.len, array.items)
            }
            3 => {
                let scalar = &*value.cast::<Scalar>();
                Item::Scalar(scalar.dtype, scalar.value)
            }
            4 => Item::Text((*value.cast::<ByteSpan>()).bytes()),
            other => Item::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn structures_are_laid_out_as_the_interface_says() {
        assert_eq!(size_of::<CallFrame>(), 168);
        assert_eq!([offset_of!(CallFrame, stage), offset_of!(CallFrame, arguments)], [32, 40]);
        assert_eq!([offset_of!(CallFrame, results), offset_of!(CallFrame, attributes)], [80, 120]);
        assert_eq!([size_of::<Buffers>(), size_of::<Buffer>(), size_of::<Attributes>()], [40, 48, 48]);
        assert_eq!([offset_of!(Buffer, dtype), offset_of!(Buffer, data), offset_of!(Buffer, extents)], [16, 24, 40]);
        assert_eq!([size_of::<ByteSpan>(), size_of::<Scalar>(), size_of::<Array>()], [16, 16, 24]);
        assert_eq!([offset_of!(Metadata, traits), offset_of!(MetadataExtension, metadata)], [32, 24]);
        assert_eq!([offset_of!(Api, create_error), offset_of!(Api, stream)], [48, 80]);
        assert_eq!([offset_of!(Api, allocate), offset_of!(Api, device_ordinal)], [120, 184]);
        assert_eq!([size_of::<Arguments<2>>(), size_of::<Arguments<4>>()], [32, 48]);
    }
}
