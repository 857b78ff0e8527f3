//! The functions that a library is asked by.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use super::json::Json;
use super::outputs::Request;
use super::plugins::plugins;
use crate::error::{Error, Result};
use crate::host::fenced;
use crate::network::onnx::Given;
use crate::shape::MAX_RANK;
use crate::tensor::DataType;

/// An input that [`plugin_runtime_outputs`] is asked about.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RequestedInput {
    /// The element type's name, such as `FP32`; ends with 0.
    pub dtype: *const c_char,
    /// One for each dimension: an extent, -1 where it is open, or a number below -1, which stands for one extent wherever it
    /// is.
    pub extents: *const i64,
    /// How many dimensions.
    pub rank: usize,
}

/// An attribute that [`plugin_runtime_outputs`] is asked with.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RequestedAttribute {
    /// Ends with 0.
    pub name: *const c_char,
    /// 0: an integer, 1: a float, 2: text or bytes, 3: integers, 4: floats.
    pub kind: i32,
    /// How many integers, floats or bytes.
    pub count: usize,
    /// An `i64`, an `f64`, or as many as there are; or bytes.
    pub data: *const c_void,
}

/// What [`plugin_runtime_outputs`] is asked.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct OutputsRequest {
    /// `namespace::name`; ends with 0.
    pub id: *const c_char,
    /// The newest if it is 0.
    pub version: u32,
    /// As many as the plugin has.
    pub inputs: *const RequestedInput,
    /// How many.
    pub input_count: usize,
    /// Those that have a default may be left out.
    pub attributes: *const RequestedAttribute,
    /// How many.
    pub attribute_count: usize,
}

/// The plugins of this library, as JSON.
#[expect(unsafe_code, reason = "called from outside")]
#[unsafe(no_mangle)]
pub extern "C" fn plugin_runtime_plugins() -> *mut c_char {
    told(plugins)
}

/// The outputs of one plugin, as JSON.
///
/// # Safety
/// The request and all that it points to are there, as many as it says; texts end with 0.
#[expect(unsafe_code, reason = "called from outside")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_runtime_outputs(request: *const OutputsRequest) -> *mut c_char {
    // SAFETY: as the caller says.
    told(|| unsafe { read(request) }?.answer())
}

/// Gives back a text that one of these functions gave; null is nothing.
///
/// # Safety
/// It came from this library, and isn't used any more.
#[expect(unsafe_code, reason = "called from outside")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_runtime_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: as the caller says.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// What a question gave, or why it gave nothing.
fn told(ask: impl FnOnce() -> Result<Json>) -> *mut c_char {
    let failed = |message: &str| Json::Object(vec![("error", Json::text(message))]);
    let json = fenced(ask, |_, message| failed(message));
    // What is written as JSON holds no 0.
    CString::new(json.to_string()).map_or(ptr::null_mut(), CString::into_raw)
}

/// # Safety
/// As [`plugin_runtime_outputs`].
#[expect(unsafe_code, reason = "takes pointers on trust")]
unsafe fn read<'r>(request: *const OutputsRequest) -> Result<Request<'r>> {
    // SAFETY: as the caller says.
    unsafe {
        let [request] = slice(request, 1, "request")? else { return Err(missing("request")) };
        let mut inputs = Vec::new();
        for input in slice(request.inputs, request.input_count, "inputs")? {
            if input.rank > MAX_RANK {
                return Err(Error::invalid(format_args!(
                    "an input has {} dimensions; at most {MAX_RANK} are possible",
                    input.rank
                )));
            }
            let dtype: DataType = text(input.dtype, "element type")?.parse()?;
            inputs.push((dtype, slice(input.extents, input.rank, "extents")?));
        }
        let mut attributes = Vec::new();
        for attribute in slice(request.attributes, request.attribute_count, "attributes")? {
            attributes.push((text(attribute.name, "attribute's name")?, given(attribute)?));
        }
        Ok(Request { id: text(request.id, "plugin's id")?, version: request.version, inputs, attributes })
    }
}

/// # Safety
/// The attribute holds as many elements as it says.
#[expect(unsafe_code, reason = "takes pointers on trust")]
unsafe fn given(attribute: &RequestedAttribute) -> Result<Given<'_>> {
    let (data, count) = (attribute.data, attribute.count);
    // SAFETY: as the caller says.
    unsafe {
        match attribute.kind {
            0 => slice::<i64>(data.cast(), 1, "integer").map(|value| Given::Int(value[0])),
            1 => slice::<f64>(data.cast(), 1, "float").map(|value| Given::Float(value[0])),
            2 => slice(data.cast(), count, "bytes").map(Given::Text),
            3 => slice::<i64>(data.cast(), count, "integers").map(|values| Given::Ints(values.into())),
            4 => slice::<f64>(data.cast(), count, "floats").map(|values| Given::Floats(values.to_vec())),
            kind => Err(Error::invalid(format_args!("an attribute can't be of kind {kind}"))),
        }
    }
}

/// # Safety
/// As many of them lie there; they live and stay as they are while they are used.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn slice<'a, T>(start: *const T, count: usize, what: &str) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if start.is_null() || !start.is_aligned() || count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(missing(what));
    }
    // SAFETY: as the caller says.
    Ok(unsafe { std::slice::from_raw_parts(start, count) })
}

/// # Safety
/// What isn't null ends with 0, lives, and stays as it is while it is used.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn text<'a>(start: *const c_char, what: &str) -> Result<&'a str> {
    if start.is_null() {
        return Err(missing(what));
    }
    // SAFETY: as the caller says.
    let text = unsafe { CStr::from_ptr(start) };
    text.to_str().map_err(|_| Error::invalid(format_args!("the {what} isn't UTF-8")))
}

fn missing(what: &str) -> Error {
    Error::invalid(format_args!("no {what} where there should be, but a pointer that can't be used"))
}
