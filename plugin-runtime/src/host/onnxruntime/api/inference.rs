//! Inference of one node's output shapes.

use std::ffi::CString;
use std::marker::PhantomData;
use std::ptr;

use super::tensor_shape::OwnShape;
use super::{ElementType, TensorShape, c_name};
use crate::error::Result;
use crate::host::onnxruntime::abi::{Api, OrtOpAttr, OrtShapeInferContext};
use crate::host::onnxruntime::attributes::Read;

/// Inference of one node's output shapes: what it says of types and attributes, and nothing of values.
#[derive(Clone, Copy, Debug)]
pub(in crate::host::onnxruntime) struct Inference<'c> {
    api: Api,
    raw: *mut OrtShapeInferContext,
    life: PhantomData<&'c OrtShapeInferContext>,
}

/// What of an attribute can be read.
#[derive(Debug)]
pub(in crate::host::onnxruntime) enum Found {
    Value(Read),
    Missing,
    /// Of a kind that isn't told, or an empty list.
    Unknown,
}

#[expect(unsafe_code, reason = "calls the runtime; each call's arguments are the context, and locals")]
impl Inference<'_> {
    /// # Safety
    /// The context is the runtime's, and lives.
    pub(in crate::host::onnxruntime) unsafe fn new(api: Api, raw: *mut OrtShapeInferContext) -> Self {
        Inference { api, raw, life: PhantomData }
    }

    pub(in crate::host::onnxruntime) fn inputs(self) -> Result<Vec<TensorShape>> {
        let mut count = 0;
        // SAFETY: a local.
        unsafe { self.api.infer_inputs(self.raw, &raw mut count)? };
        let input = |index: usize| {
            let mut shape = ptr::null_mut();
            // SAFETY: a local; the shape is borrowed.
            unsafe {
                self.api.infer_input(self.raw, index, &raw mut shape)?;
                TensorShape::read(self.api, shape)
            }
        };
        (0..count).map(input).collect()
    }

    /// Says what an output is. Extents that aren't known are -1, and have a name each; the others' names are empty.
    pub(in crate::host::onnxruntime) fn set_output(
        self,
        index: usize,
        ty: ElementType,
        extents: &[i64],
        names: &[CString],
    ) -> Result<()> {
        let shape = OwnShape::new(self.api, ty, extents, names)?;
        // SAFETY: the shape lives, and is copied.
        unsafe { self.api.infer_output(self.raw, index, shape.raw) }
    }

    pub(in crate::host::onnxruntime) fn attribute(self, name: &str) -> Result<Found> {
        const INT: i32 = 1;
        const INTS: i32 = 2;
        const FLOAT: i32 = 3;
        const FLOATS: i32 = 4;
        const STRING: i32 = 5;
        let name = c_name(name)?;
        let mut attribute = ptr::null();
        // SAFETY: the name ends with 0; what is given is borrowed.
        let found = unsafe { self.api.infer_attribute(self.raw, name.as_ptr(), &raw mut attribute) };
        if found.is_err() || attribute.is_null() {
            return Ok(Found::Missing);
        }
        if let Some([value]) = self.read::<i64>(attribute, INT).as_deref() {
            return Ok(Found::Value(Read::Int(*value)));
        }
        if let Some([value]) = self.read::<f32>(attribute, FLOAT).as_deref() {
            return Ok(Found::Value(Read::Float((*value).into())));
        }
        if let Some(values) = self.read::<i64>(attribute, INTS).filter(|values| !values.is_empty()) {
            return Ok(Found::Value(Read::Ints(values)));
        }
        if let Some(values) = self.read::<f32>(attribute, FLOATS).filter(|values| !values.is_empty()) {
            return Ok(Found::Value(Read::Floats(values.into_iter().map(f64::from).collect())));
        }
        // Before version 1.23 there is a 0 at the end, also of what isn't a string.
        if let Some(mut bytes) = self.read::<u8>(attribute, STRING).filter(|bytes| !matches!(bytes[..], [] | [0])) {
            if bytes.last() == Some(&0) {
                bytes.pop();
            }
            return Ok(Found::Value(Read::Text(bytes)));
        }
        Ok(Found::Unknown)
    }

    /// The values of an attribute that is of this kind.
    fn read<T: bytemuck::Pod>(self, attribute: *const OrtOpAttr, kind: i32) -> Option<Vec<T>> {
        // One word holds every single value; where more is needed, it is an error that says how much.
        let mut values = vec![T::zeroed(); 8 / size_of::<T>()];
        loop {
            let bytes = size_of_val(&values[..]);
            let mut needed = 0;
            // SAFETY: there is as much room as it is said.
            let read =
                unsafe { self.api.read_attribute(attribute, kind, values.as_mut_ptr().cast(), bytes, &raw mut needed) };
            match read {
                Ok(()) => {
                    values.truncate(needed / size_of::<T>());
                    return Some(values);
                }
                Err(_) if needed > bytes => values.resize(needed.div_ceil(size_of::<T>()), T::zeroed()),
                Err(_) => return None,
            }
        }
    }
}
