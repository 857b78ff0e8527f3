//! What tvm-ffi's C header says.

use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

use crate::device::dlpack::DLTensor;

/// A value that is handed over: its type, and itself or its address.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Any {
    pub(super) type_index: i32,
    /// Of a short text or short bytes, how long.
    pub(super) small_len: u32,
    pub(super) payload: Payload,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union Payload {
    pub(super) int: i64,
    pub(super) float: f64,
    pub(super) pointer: *mut c_void,
    pub(super) bytes: [u8; 8],
}

impl Any {
    pub(super) const NONE: Any = Any { type_index: types::NONE, small_len: 0, payload: Payload { int: 0 } };

    pub(super) fn int(value: i64) -> Any {
        Any { type_index: types::INT, small_len: 0, payload: Payload { int: value } }
    }

    pub(super) fn object(type_index: i32, object: *mut c_void) -> Any {
        Any { type_index, small_len: 0, payload: Payload { pointer: object } }
    }
}

impl std::fmt::Debug for Any {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", type_name(self.type_index))
    }
}

/// Type indices.
pub(super) mod types {
    pub(crate) const NONE: i32 = 0;
    pub(crate) const INT: i32 = 1;
    pub(crate) const BOOL: i32 = 2;
    pub(crate) const FLOAT: i32 = 3;
    pub(crate) const DL_TENSOR: i32 = 7;
    pub(crate) const C_STRING: i32 = 8;
    pub(crate) const BYTE_ARRAY: i32 = 9;
    pub(crate) const SMALL_STR: i32 = 11;
    pub(crate) const SMALL_BYTES: i32 = 12;
    pub(crate) const STR: i32 = 65;
    pub(crate) const BYTES: i32 = 66;
    pub(crate) const FUNCTION: i32 = 68;
    pub(crate) const SHAPE: i32 = 69;
    pub(crate) const TENSOR: i32 = 70;
    pub(crate) const ARRAY: i32 = 71;
}

/// A type in words.
pub(super) fn type_name(index: i32) -> &'static str {
    match index {
        types::NONE => "None",
        types::INT => "an int",
        types::BOOL => "a bool",
        types::FLOAT => "a float",
        types::C_STRING | types::SMALL_STR | types::STR => "a str",
        types::BYTE_ARRAY | types::SMALL_BYTES | types::BYTES => "bytes",
        types::DL_TENSOR | types::TENSOR => "an array",
        types::ARRAY => "a list",
        types::SHAPE => "a shape",
        types::FUNCTION => "a function",
        5 => "a dtype",
        6 => "a device",
        72 => "a dict",
        _ => "an object",
    }
}

/// What every object begins with.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Header {
    counts: u64,
    type_index: i32,
    padding: u32,
    deleter: *const c_void,
}

/// An array's object.
#[derive(Debug)]
#[repr(C)]
pub(super) struct TensorObject {
    header: Header,
    pub(super) tensor: DLTensor,
}

/// Texts and bytes: of their own, or in an object.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct ByteArray {
    pub(super) data: *const c_char,
    pub(super) size: usize,
}

/// A text's object, or that of bytes.
#[derive(Debug)]
#[repr(C)]
pub(super) struct BytesObject {
    header: Header,
    pub(super) bytes: ByteArray,
}

/// A list's object.
#[derive(Debug)]
#[repr(C)]
pub(super) struct ArrayObject {
    header: Header,
    pub(super) data: *const Any,
    pub(super) size: i64,
}

/// A shape's object.
#[derive(Debug)]
#[repr(C)]
pub(super) struct ShapeObject {
    header: Header,
    pub(super) data: *const i64,
    pub(super) size: usize,
}

/// A function as the runtime calls it: 0 is success, -1 an error that was raised.
pub(super) type Call = unsafe extern "C" fn(*mut c_void, *const Any, i32, *mut Any) -> i32;

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<Any>() == 16 && offset_of!(Any, payload) == 8);
    assert!(size_of::<Header>() == 24 && offset_of!(Header, type_index) == 8);
    assert!(offset_of!(TensorObject, tensor) == 24 && offset_of!(BytesObject, bytes) == 24);
    assert!(offset_of!(ArrayObject, data) == 24 && offset_of!(ArrayObject, size) == 32);
    assert!(offset_of!(ShapeObject, data) == 24 && offset_of!(ShapeObject, size) == 32);
};
