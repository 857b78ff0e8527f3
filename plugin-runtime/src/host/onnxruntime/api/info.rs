//! What the runtime says of a node when its kernel is made.

use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use half::{bf16, f16};

use super::{Allocator, ElementType, TensorShape, c_name, text};
use crate::error::{Error, Result};
use crate::host::onnxruntime::abi::{Api, OrtKernelInfo, OrtTypeInfo, OrtValue};
use crate::host::onnxruntime::attributes::Read;
use crate::host::onnxruntime::log::Log;
use crate::network::onnx::type_name;
use crate::wording::counted;

/// What the runtime says of a node when its kernel is made; gone after that.
#[derive(Clone, Copy, Debug)]
pub(in crate::host::onnxruntime) struct Info<'i> {
    api: Api,
    raw: *const OrtKernelInfo,
    life: PhantomData<&'i OrtKernelInfo>,
}

#[expect(unsafe_code, reason = "calls the runtime; each call's arguments are the info, and locals")]
impl Info<'_> {
    /// # Safety
    /// The info is the runtime's, and lives.
    pub(in crate::host::onnxruntime) unsafe fn new(api: Api, raw: *const OrtKernelInfo) -> Self {
        Info { api, raw, life: PhantomData }
    }

    pub(in crate::host::onnxruntime) fn api(self) -> Api {
        self.api
    }

    /// The node's name, which may be empty.
    pub(in crate::host::onnxruntime) fn node_name(self) -> Result<String> {
        // SAFETY: `text` gives as much room as it says.
        let name = text(|room, size| unsafe { self.api.info_node_name(self.raw, room, size) })?;
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    pub(in crate::host::onnxruntime) fn log(self) -> Option<Log> {
        let mut logger = ptr::null();
        // SAFETY: a local.
        let found = unsafe { self.api.info_logger(self.raw, &raw mut logger) };
        found.is_ok().then(|| Log::new(self.api, logger))
    }

    /// How many inputs the node has.
    pub(in crate::host::onnxruntime) fn inputs(self) -> Result<usize> {
        let mut count = 0;
        // SAFETY: a local.
        unsafe { self.api.info_inputs(self.raw, &raw mut count)? };
        Ok(count)
    }

    pub(in crate::host::onnxruntime) fn input(self, index: usize) -> Result<TensorShape> {
        let mut ty = ptr::null_mut();
        // SAFETY: a local; what is given is the caller's to release, which `tensor_shape` does.
        unsafe {
            self.api.info_input_type(self.raw, index, &raw mut ty)?;
            self.tensor_shape(ty)
        }
    }

    /// The element type of an output; `None` where the node has no such output.
    pub(in crate::host::onnxruntime) fn output(self, index: usize) -> Option<ElementType> {
        let mut ty = ptr::null_mut();
        // SAFETY: as for an input.
        let shape = unsafe {
            self.api.info_output_type(self.raw, index, &raw mut ty).ok()?;
            self.tensor_shape(ty)
        };
        shape.ok().map(|shape| shape.ty)
    }

    /// # Safety
    /// `ty` is the caller's.
    unsafe fn tensor_shape(self, ty: *mut OrtTypeInfo) -> Result<TensorShape> {
        let mut shape = ptr::null();
        // SAFETY: as the caller says; the shape is part of the type, and null where that isn't a tensor's.
        unsafe {
            let read = match self.api.as_tensor(ty, &raw mut shape) {
                Ok(()) if shape.is_null() => Err(Error::invalid("it isn't a tensor")),
                Ok(()) => TensorShape::read(self.api, shape),
                Err(error) => Err(error),
            };
            self.api.release_type(ty);
            read
        }
    }

    /// An option of the session; `None` where it isn't set, or before version 1.24, which doesn't tell.
    pub(in crate::host::onnxruntime) fn config(self, key: &CStr) -> Option<String> {
        let mut entries = ptr::null_mut();
        // SAFETY: the entries live until they are released, and the value as long as they.
        unsafe {
            self.api.info_config(self.raw, &raw mut entries).ok()?;
            let value = self.api.entry(entries, key.as_ptr());
            let value = (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned());
            self.api.release_entries(entries);
            value
        }
    }

    /// The allocator of the memory that the node's outputs lie in.
    pub(in crate::host::onnxruntime) fn allocator(self) -> Result<Allocator> {
        const DEFAULT: c_int = 0;
        let mut allocator = ptr::null_mut();
        // SAFETY: a local; what is given is ours to release.
        match unsafe { self.api.info_allocator(self.raw, DEFAULT, &raw mut allocator) } {
            Ok(()) => Ok(Allocator::own(self.api, allocator)),
            Err(error) if self.api.version() >= 18 => Err(error),
            Err(_) => Allocator::of_host(self.api),
        }
    }

    /// An attribute of the node; `None` where there is no such attribute.
    ///
    /// There is no question for its kind, and the getters of lists give an empty one where it is of another kind: so it
    /// counts as empty only where no other getter finds anything.
    pub(in crate::host::onnxruntime) fn attribute(self, name: &str) -> Result<Option<Read>> {
        let name = c_name(name)?;
        let (api, info, name) = (self.api, self.raw, name.as_ptr());
        let mut count = 0;
        // SAFETY: the name ends with 0, and lives; each pointer is to locals as long as it is said.
        unsafe {
            if api.info_ints(info, name, ptr::null_mut(), &raw mut count).is_err() {
                return Ok(None);
            }
            if count > 0 {
                let mut values = vec![0; count];
                api.info_ints(info, name, values.as_mut_ptr(), &raw mut count)?;
                return Ok(Some(Read::Ints(values)));
            }
            let (mut int, mut float) = (0, 0.0);
            if api.info_int(info, name, &raw mut int).is_ok() {
                return Ok(Some(Read::Int(int)));
            }
            if api.info_float(info, name, &raw mut float).is_ok() {
                return Ok(Some(Read::Float(float.into())));
            }
            if let Ok(bytes) = text(|room, size| api.info_text(info, name, room, size)) {
                return Ok(Some(Read::Text(bytes)));
            }
            if api.info_floats(info, name, ptr::null_mut(), &raw mut count).is_ok() && count > 0 {
                let mut values = vec![0.0; count];
                api.info_floats(info, name, values.as_mut_ptr(), &raw mut count)?;
                return Ok(Some(Read::Floats(values.into_iter().map(f64::from).collect())));
            }
            let allocator = Allocator::of_host(api)?;
            let mut value = ptr::null_mut();
            if api.info_tensor(info, name, allocator.raw(), &raw mut value).is_ok() {
                let numbers = self.numbers(value);
                api.release_value(value);
                return numbers.map(Some);
            }
            let mut texts = ptr::null_mut();
            if api.info_texts(info, name, allocator.raw(), &raw mut texts, &raw mut count).is_ok() {
                (0..count).for_each(|index| allocator.free((*texts.add(index)).cast()));
                if !texts.is_null() {
                    allocator.free(texts.cast());
                }
                if count > 0 {
                    let strings = counted(count, "string");
                    return Err(Error::invalid(format_args!("it is a list of {strings}, which a plugin can't take")));
                }
            }
            Ok(Some(Read::Ints(Vec::new())))
        }
    }

    /// The elements of a tensor in host memory.
    ///
    /// # Safety
    /// The value is a tensor, and lives.
    unsafe fn numbers(self, value: *mut OrtValue) -> Result<Read> {
        let (mut shape, mut data) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: as the caller says; the shape is ours to release.
        let shape = unsafe {
            self.api.tensor_shape(value, &raw mut shape)?;
            let read = TensorShape::read(self.api, shape);
            self.api.release_shape(shape);
            self.api.tensor_data(value, &raw mut data)?;
            read?
        };
        let extents = shape.dims.unwrap_or_default();
        let count = match extents[..] {
            [] => 1,
            [crate::network::Dim::Fixed(extent)] => usize::try_from(extent).unwrap_or(0),
            _ => {
                return Err(Error::invalid(format_args!(
                    "its tensor has {} dimensions; a list has 1, a single value none",
                    extents.len()
                )));
            }
        };
        // SAFETY: the tensor holds as many elements of its type.
        let read = unsafe { elements(shape.ty, data, count) }?;
        Ok(match (extents.len(), read) {
            (0, Read::Ints(values)) => Read::Int(values.first().copied().unwrap_or(0)),
            (0, Read::Floats(values)) => Read::Float(values.first().copied().unwrap_or(0.0)),
            (_, list) => list,
        })
    }
}

/// # Safety
/// `count` elements of the type lie there.
#[expect(unsafe_code, reason = "reads memory of the runtime")]
unsafe fn elements(ty: ElementType, data: *const c_void, count: usize) -> Result<Read> {
    macro_rules! list {
        ($element:ty, $kind:ident, $convert:expr) => {{
            // SAFETY: as the caller says; the runtime aligns tensors.
            let of = |index: usize| unsafe { data.cast::<$element>().add(index).read_unaligned() };
            Read::$kind((0..count).map(of).map($convert).collect())
        }};
    }
    Ok(match ty {
        1 => list!(f32, Floats, f64::from),
        2 | 9 => list!(u8, Ints, i64::from),
        3 => list!(i8, Ints, i64::from),
        4 => list!(u16, Ints, i64::from),
        5 => list!(i16, Ints, i64::from),
        6 => list!(i32, Ints, i64::from),
        7 => list!(i64, Ints, |value| value),
        10 => list!(f16, Floats, f64::from),
        11 => list!(f64, Floats, |value| value),
        12 => list!(u32, Ints, i64::from),
        16 => list!(bf16, Floats, f64::from),
        _ => return Err(Error::invalid(format_args!("its tensor is {}, which a plugin can't take", type_name(ty)))),
    })
}
