//! Values that a function is called with.

use std::borrow::Cow;
use std::ffi::{CStr, c_char};

use super::abi::{Any, ArrayObject, ByteArray, BytesObject, ShapeObject, TensorObject, type_name, types};
use crate::device::dlpack::{CPU, CUDA_HOST, DLTensor};
use crate::error::{Error, Result};
use crate::host::KeyRoom;
use crate::network::onnx::Given;
use crate::shape::MAX_RANK;

/// A value, as far as it may be an attribute or an input.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Missing,
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
    List(&'a [Any]),
    Shape(&'a [i64]),
    Array(&'a DLTensor),
    Other(i32),
}

/// How many elements a list may have.
const MOST: usize = 1 << 28;

impl<'a> Value<'a> {
    /// # Safety
    /// The value and what it points to live and stay as they are as long as this is used.
    #[inline]
    #[expect(unsafe_code, reason = "takes a value of the runtime on trust")]
    pub(super) unsafe fn of(any: &'a Any) -> Value<'a> {
        // SAFETY: what the payload is, the type says.
        unsafe {
            let pointer = any.payload.pointer.cast_const();
            let is_there = !pointer.is_null();
            match any.type_index {
                types::NONE => Value::Missing,
                types::INT | types::BOOL => Value::Int(any.payload.int),
                types::FLOAT => Value::Float(any.payload.float),
                types::TENSOR if is_there => Value::Array(&(*pointer.cast::<TensorObject>()).tensor),
                types::DL_TENSOR if is_there => Value::Array(&*pointer.cast::<DLTensor>()),
                types::ARRAY if is_there => {
                    let list = &*pointer.cast::<ArrayObject>();
                    Value::List(slice(list.data, usize::try_from(list.size).unwrap_or(0)))
                }
                types::SMALL_STR | types::SMALL_BYTES => {
                    let len = usize::try_from(any.small_len).unwrap_or(0).min(7);
                    Value::Text(slice((&raw const any.payload).cast(), len))
                }
                types::STR | types::BYTES if is_there => bytes((*pointer.cast::<BytesObject>()).bytes),
                types::BYTE_ARRAY if is_there => bytes(*pointer.cast::<ByteArray>()),
                types::C_STRING if is_there => Value::Text(CStr::from_ptr(pointer.cast::<c_char>()).to_bytes()),
                types::SHAPE if is_there => {
                    let shape = &*pointer.cast::<ShapeObject>();
                    Value::Shape(slice(shape.data, shape.size))
                }
                other => Value::Other(other),
            }
        }
    }

    /// What it is, in words.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Value::Missing => type_name(types::NONE),
            Value::Int(_) => type_name(types::INT),
            Value::Float(_) => type_name(types::FLOAT),
            Value::Text(_) => type_name(types::STR),
            Value::List(_) => type_name(types::ARRAY),
            Value::Shape(_) => type_name(types::SHAPE),
            Value::Array(_) => type_name(types::TENSOR),
            Value::Other(types::TENSOR | types::DL_TENSOR | types::ARRAY) => "something without an address",
            Value::Other(index) => type_name(index),
        }
    }

    /// As an attribute; `None` where it is missing.
    ///
    /// # Safety
    /// As [`Value::of`].
    ///
    /// # Errors
    /// When no attribute can be such.
    #[expect(unsafe_code, reason = "takes a value of the runtime on trust")]
    pub(super) unsafe fn given(self) -> Result<Option<Given<'a>>> {
        Ok(Some(match self {
            Value::Missing => return Ok(None),
            Value::Int(value) => Given::Int(value),
            Value::Float(value) => Given::Float(value),
            Value::Text(bytes) => Given::Text(bytes),
            Value::Shape(extents) => Given::Ints(extents.into()),
            // SAFETY: as the caller says.
            Value::List(items) => unsafe { numbers(items)? },
            // SAFETY: as the caller says.
            Value::Array(array) => unsafe { elements(array)? },
            Value::Other(_) => return Err(Error::invalid(format_args!("it is {}", self.describe()))),
        }))
    }

    /// Adds all that distinguishes it from other values.
    ///
    /// # Safety
    /// As [`Value::of`].
    #[inline]
    #[expect(unsafe_code, reason = "takes a value of the runtime on trust")]
    pub(super) unsafe fn add_to(self, key: &mut KeyRoom) {
        match self {
            Value::Missing => key.push(0),
            Value::Int(value) => push_all(key, 1, [value as u64]),
            Value::Float(value) => push_all(key, 2, [value.to_bits()]),
            Value::Text(bytes) => {
                key.push(3);
                key.push_bytes(bytes);
            }
            Value::Shape(extents) => push_all(key, 4, extents.iter().map(|extent| *extent as u64)),
            Value::List(items) => {
                push_all(key, 7, [items.len() as u64]);
                for item in items {
                    // SAFETY: as the caller says.
                    match unsafe { Value::of(item) } {
                        Value::Int(value) => push_all(key, 1, [value as u64]),
                        Value::Float(value) => push_all(key, 2, [value.to_bits()]),
                        _ => key.push(6),
                    }
                }
            }
            // SAFETY: as the caller says.
            Value::Array(array) => match unsafe { elements(array) } {
                Ok(Given::Ints(values)) => push_all(key, 4, values.iter().map(|value| *value as u64)),
                Ok(Given::Floats(values)) => push_all(key, 5, values.iter().map(|value| value.to_bits())),
                Ok(Given::Int(value)) => push_all(key, 1, [value as u64]),
                Ok(Given::Float(value)) => push_all(key, 2, [value.to_bits()]),
                _ => key.push(6),
            },
            Value::Other(_) => key.push(6),
        }
    }
}

/// Adds a kind, and the words that a value of it has, with how many there are.
#[inline]
fn push_all(key: &mut KeyRoom, kind: u64, words: impl IntoIterator<Item = u64, IntoIter: ExactSizeIterator>) {
    let words = words.into_iter();
    key.push(kind << 32 | words.len() as u64);
    words.for_each(|word| key.push(word));
}

/// # Safety
/// As many of them lie there, or none.
#[inline]
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn slice<'a, T>(start: *const T, count: usize) -> &'a [T] {
    if count == 0 || count > MOST || start.is_null() || !start.is_aligned() {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(start, count) }
}

/// # Safety
/// As many bytes lie there.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn bytes<'a>(array: ByteArray) -> Value<'a> {
    // SAFETY: as the caller says.
    Value::Text(unsafe { slice(array.data.cast(), array.size) })
}

/// The numbers in a list: integers, unless one is a float.
///
/// # Safety
/// As [`Value::of`].
#[expect(unsafe_code, reason = "takes values of the runtime on trust")]
unsafe fn numbers<'a>(items: &[Any]) -> Result<Given<'a>> {
    // SAFETY: as the caller says.
    let values = items.iter().map(|item| unsafe { Value::of(item) });
    let mut ints = Vec::with_capacity(items.len());
    let mut floats = Vec::with_capacity(items.len());
    for (index, value) in values.enumerate() {
        match value {
            Value::Int(value) => {
                let float = value as f64;
                if float as i128 != i128::from(value) {
                    floats.clear();
                } else if floats.len() == index {
                    floats.push(float);
                }
                ints.push(value);
            }
            Value::Float(value) => {
                if floats.len() == index {
                    floats.push(value);
                }
            }
            other => {
                return Err(Error::invalid(format_args!("element {index} of its list is {}", other.describe())));
            }
        }
    }
    match (ints.len() == items.len(), floats.len() == items.len()) {
        (true, _) => Ok(Given::Ints(ints.into())),
        (false, true) => Ok(Given::Floats(floats)),
        (false, false) => Err(Error::invalid("its list holds floats, and an int that no float is exactly")),
    }
}

/// The elements of an array of one dimension in host memory, or the one of an array without dimensions.
///
/// # Safety
/// As [`Value::of`].
#[expect(unsafe_code, reason = "takes an array of the runtime on trust")]
unsafe fn elements<'a>(array: &DLTensor) -> Result<Given<'a>> {
    // SAFETY: as the caller says.
    let (extents, strides) = unsafe { (extents(array)?, strides(array)?) };
    let is_list = strides.is_none_or(|strides| strides.iter().all(|stride| *stride == 1));
    if extents.len() > 1 || !matches!(array.device.device_type, CPU | CUDA_HOST) {
        return Err(Error::invalid("it is an array, which has to lie in host memory and to have one dimension"));
    }
    let count = usize::try_from(extents.first().copied().unwrap_or(1)).unwrap_or(0);
    if count > MOST || (count > 1 && !is_list) || (count > 0 && array.data.is_null()) {
        return Err(Error::invalid("it is an array that isn't contiguous"));
    }
    let start = array.data.cast::<u8>().wrapping_add(usize::try_from(array.byte_offset).unwrap_or(0)).cast_const();
    /// # Safety
    /// As many lie there.
    unsafe fn all<T: Copy, N: From<T>>(start: *const u8, count: usize) -> Vec<N> {
        // SAFETY: as the caller says; they may lie anywhere.
        (0..count).map(|at| unsafe { start.cast::<T>().add(at).read_unaligned() }.into()).collect()
    }
    // SAFETY: by DLPack so many lie there, of that type.
    let ints: Option<Vec<i64>> = unsafe {
        match (array.dtype.code, array.dtype.bits, array.dtype.lanes) {
            (0, 8, 1) => Some(all::<i8, i64>(start, count)),
            (0, 16, 1) => Some(all::<i16, i64>(start, count)),
            (0, 32, 1) => Some(all::<i32, i64>(start, count)),
            (0, 64, 1) => Some(all::<i64, i64>(start, count)),
            (1 | 6, 8, 1) => Some(all::<u8, i64>(start, count)),
            (1, 16, 1) => Some(all::<u16, i64>(start, count)),
            (1, 32, 1) => Some(all::<u32, i64>(start, count)),
            _ => None,
        }
    };
    // SAFETY: as above.
    let floats: Option<Vec<f64>> = unsafe {
        match (array.dtype.code, array.dtype.bits, array.dtype.lanes) {
            (2, 16, 1) => Some(all::<half::f16, f64>(start, count)),
            (2, 32, 1) => Some(all::<f32, f64>(start, count)),
            (2, 64, 1) => Some(all::<f64, f64>(start, count)),
            _ => None,
        }
    };
    match (ints, floats, extents.is_empty()) {
        (Some(ints), _, true) => Ok(Given::Int(ints.first().copied().unwrap_or(0))),
        (Some(ints), _, false) => Ok(Given::Ints(Cow::Owned(ints))),
        (None, Some(floats), true) => Ok(Given::Float(floats.first().copied().unwrap_or(0.0))),
        (None, Some(floats), false) => Ok(Given::Floats(floats)),
        (None, None, _) => Err(Error::invalid("it is an array of a type that no attribute has")),
    }
}

/// An array's extents.
///
/// # Safety
/// As [`Value::of`].
///
/// # Errors
/// When they are too many, or missing.
#[inline]
#[expect(unsafe_code, reason = "takes an array of the runtime on trust")]
pub(super) unsafe fn extents(array: &DLTensor) -> Result<&[i64]> {
    // SAFETY: as the caller says.
    unsafe { rank_of(array).and_then(|rank| list(array.shape, rank).ok_or_else(no_extents)) }
}

/// An array's strides, where it has some.
///
/// # Safety
/// As [`Value::of`].
///
/// # Errors
/// When there are too many.
#[inline]
#[expect(unsafe_code, reason = "takes an array of the runtime on trust")]
pub(super) unsafe fn strides(array: &DLTensor) -> Result<Option<&[i64]>> {
    // SAFETY: as the caller says.
    unsafe { rank_of(array).map(|rank| list(array.strides, rank)) }
}

#[inline]
fn rank_of(array: &DLTensor) -> Result<usize> {
    match usize::try_from(array.ndim) {
        Ok(rank) if rank <= MAX_RANK => Ok(rank),
        _ => Err(Error::invalid(format_args!("it has {} dimensions; at most {MAX_RANK} are possible", array.ndim))),
    }
}

/// # Safety
/// What isn't null are as many numbers.
#[inline]
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn list<'a>(start: *const i64, rank: usize) -> Option<&'a [i64]> {
    match (rank, start.is_null()) {
        (0, _) => Some(&[]),
        (_, true) => None,
        // SAFETY: as the caller says.
        (_, false) => Some(unsafe { std::slice::from_raw_parts(start, rank) }),
    }
}

#[cold]
fn no_extents() -> Error {
    Error::invalid("its extents are missing")
}
