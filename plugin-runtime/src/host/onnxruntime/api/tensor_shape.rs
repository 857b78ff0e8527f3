//! Element types and dimensions.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use crate::error::Result;
use crate::host::onnxruntime::abi::{Api, OrtTensorTypeAndShapeInfo};
use crate::network::Dim;

/// An element type as ONNX numbers it.
pub(in crate::host::onnxruntime) type ElementType = c_int;

/// What is known of a tensor before it is there.
#[derive(Clone, Debug)]
pub(in crate::host::onnxruntime) struct TensorShape {
    pub(in crate::host::onnxruntime) ty: ElementType,
    /// `None` where the rank isn't known: a scalar's can't be told from that.
    pub(in crate::host::onnxruntime) dims: Option<Vec<Dim>>,
}

impl TensorShape {
    /// # Safety
    /// The shape is the runtime's, and lives.
    ///
    /// # Errors
    /// What the runtime says.
    #[expect(unsafe_code, reason = "calls the runtime")]
    pub(in crate::host::onnxruntime) unsafe fn read(
        api: Api,
        shape: *const OrtTensorTypeAndShapeInfo,
    ) -> Result<TensorShape> {
        let (mut ty, mut rank) = (0, 0);
        // SAFETY: the shape is as the caller says; the other pointers are to locals of the size that is given.
        let (extents, names) = unsafe {
            api.element_type(shape, &raw mut ty)?;
            api.rank(shape, &raw mut rank)?;
            let (mut extents, mut names) = (vec![0i64; rank], vec![ptr::null::<c_char>(); rank]);
            api.extents(shape, extents.as_mut_ptr(), rank)?;
            api.extent_names(shape, names.as_mut_ptr(), rank)?;
            (extents, names)
        };
        let dim = |(extent, name): (i64, *const c_char)| match extent {
            0.. => Dim::Fixed(extent),
            _ if name.is_null() => Dim::Dynamic,
            _ => {
                // SAFETY: a name that isn't null is a text that lives as long as the shape.
                #[expect(unsafe_code, reason = "a text of the runtime")]
                let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
                if name.is_empty() { Dim::Dynamic } else { Dim::Named(name.into_owned()) }
            }
        };
        let dims = (rank > 0).then(|| extents.into_iter().zip(names).map(dim).collect());
        Ok(TensorShape { ty, dims })
    }
}

/// A shape of our own, for the runtime to copy.
pub(super) struct OwnShape {
    api: Api,
    pub(super) raw: *mut OrtTensorTypeAndShapeInfo,
}

impl OwnShape {
    /// Extents that aren't known are -1, and have a name each; the others' names are empty.
    ///
    /// # Errors
    /// What the runtime says.
    #[expect(unsafe_code, reason = "calls the runtime")]
    pub(super) fn new(api: Api, ty: ElementType, extents: &[i64], names: &[CString]) -> Result<OwnShape> {
        let mut shape = OwnShape { api, raw: ptr::null_mut() };
        let names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: all pointers are to locals, as long as it is said, and what is made is released when it is dropped.
        unsafe {
            api.create_shape(&raw mut shape.raw)?;
            api.set_element_type(shape.raw, ty)?;
            api.set_extents(shape.raw, extents.as_ptr(), extents.len())?;
            api.set_extent_names(shape.raw, names.as_ptr(), names.len())?;
        }
        Ok(shape)
    }
}

impl Drop for OwnShape {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: it was made by `new`.
            #[expect(unsafe_code, reason = "calls the runtime")]
            unsafe {
                self.api.release_shape(self.raw);
            }
        }
    }
}
