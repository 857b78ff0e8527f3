//! Borrowed views of tensors' data, as an impl receives them.

use std::sync::Arc;

use super::{DataType, Element, Format, Representation};
use crate::error::{ElementTypeError, Error, Result};
use crate::shape::Dims;

/// What is known of a tensor's data besides where it is.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// The parameter's name, for messages.
    pub name: Arc<str>,
    /// Element type.
    pub dtype: DataType,
    /// Memory layout.
    pub format: Format,
    /// Extents in elements. For an output whose extent the impl finds itself: the upper bound.
    pub dims: Dims,
    /// The quantisation scale of INT8 and FP8 data, else 1.
    pub scale: f32,
}

impl TensorInfo {
    pub(crate) fn representation(&self) -> Representation {
        Representation { dtype: self.dtype, format: self.format, scale: self.scale }
    }

    /// `FP32 [2, 3]`, and the layout where it isn't LINEAR.
    pub(crate) fn layout(&self) -> String {
        match self.format {
            Format::Linear => format!("{} {}", self.dtype, self.dims),
            format => format!("{} {} {format}", self.dtype, self.dims),
        }
    }
}

/// Where an input's bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    Host(&'a [u8]),
    /// The bytes belong to the output of this index, which is updated in place.
    InPlace(usize),
}

/// Where an output's bytes are.
#[derive(Debug)]
pub(crate) enum DataMut<'a> {
    Host(&'a mut [u8]),
}

/// What both kinds of view say of themselves.
macro_rules! accessors {
    () => {
        /// Type, layout, extents and scale.
        #[inline]
        pub fn info(&self) -> &'a TensorInfo {
            self.info
        }

        /// Extents in elements; upper bounds where the impl finds the extent itself.
        #[inline]
        pub fn shape(&self) -> &'a [i64] {
            &self.info.dims
        }

        /// Element type.
        #[inline]
        pub fn dtype(&self) -> DataType {
            self.info.dtype
        }

        /// Memory layout.
        #[inline]
        pub fn format(&self) -> Format {
            self.info.format
        }

        /// Number of elements, padding of the layout not counted.
        #[inline]
        pub fn numel(&self) -> usize {
            numel(self.info)
        }
    };
}

/// An input of an impl: data that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    info: &'a TensorInfo,
    data: Data<'a>,
}

impl<'a> Tensor<'a> {
    #[inline]
    pub(crate) fn new(info: &'a TensorInfo, data: Data<'a>) -> Self {
        Tensor { info, data }
    }

    accessors!();

    /// The data as bytes, padding of the layout included.
    ///
    /// # Errors
    /// When an output is updated in place over this input: its data is then read through that output.
    #[inline]
    pub fn bytes(&self) -> Result<&'a [u8]> {
        match self.data {
            Data::Host(bytes) => Ok(bytes),
            Data::InPlace(output) => Err(Error::plugin(format_args!(
                "input `{}` is updated in place: read and write it through outputs[{output}]",
                self.info.name
            ))),
        }
    }

    /// The data as elements, padding of the layout included.
    ///
    /// # Errors
    /// When `T` isn't the element type, or as [`Tensor::bytes`].
    #[inline]
    pub fn as_slice<T: Element>(&self) -> Result<&'a [T]> {
        check_type::<T>(self.info)?;
        bytemuck::try_cast_slice(self.bytes()?).map_err(|e| cast_error::<T>(self.info, e))
    }
}

/// An output of an impl: data to be written. An in-place output holds the input's data when the impl starts.
#[derive(Debug)]
pub struct TensorMut<'a> {
    info: &'a TensorInfo,
    data: DataMut<'a>,
}

impl<'a> TensorMut<'a> {
    #[inline]
    pub(crate) fn new(info: &'a TensorInfo, data: DataMut<'a>) -> Self {
        TensorMut { info, data }
    }

    accessors!();

    /// The data as bytes, padding of the layout included.
    ///
    /// # Errors
    /// None on the CPU; a device's memory can't be borrowed.
    #[inline]
    pub fn into_bytes(self) -> Result<&'a mut [u8]> {
        match self.data {
            DataMut::Host(bytes) => Ok(bytes),
        }
    }

    /// The data as elements, padding of the layout included.
    ///
    /// # Errors
    /// When `T` isn't the element type, or as [`TensorMut::into_bytes`].
    #[inline]
    pub fn into_slice<T: Element>(self) -> Result<&'a mut [T]> {
        let info = self.info;
        check_type::<T>(info)?;
        bytemuck::try_cast_slice_mut(self.into_bytes()?).map_err(|e| cast_error::<T>(info, e))
    }

    /// Writes a size tensor.
    ///
    /// # Errors
    /// When this isn't a scalar of INT32 or INT64, or `value` doesn't fit.
    #[inline]
    pub fn write_size(self, value: usize) -> Result<()> {
        let info = self.info;
        let too_large =
            || Error::plugin(format_args!("{value} doesn't fit `{}`, a size tensor of {}", info.name, info.dtype));
        let not_a_size = || {
            Error::plugin(format_args!(
                "`{}` is {} {}, not a size tensor (a scalar of INT32 or INT64)",
                info.name, info.dtype, info.dims
            ))
        };
        if !info.dims.is_empty() {
            return Err(not_a_size());
        }
        match info.dtype {
            DataType::Int64 => {
                self.into_slice::<i64>()?[0] = i64::try_from(value).map_err(|_| too_large())?;
            }
            DataType::Int32 => {
                self.into_slice::<i32>()?[0] = i32::try_from(value).map_err(|_| too_large())?;
            }
            _ => return Err(not_a_size()),
        }
        Ok(())
    }
}

/// Scratch memory of an impl, aligned to 64 bytes. What it holds when the impl starts is unspecified.
#[derive(Debug)]
pub struct Workspace<'a> {
    data: DataMut<'a>,
}

impl<'a> Workspace<'a> {
    #[inline]
    pub(crate) fn new(data: DataMut<'a>) -> Self {
        Workspace { data }
    }

    /// The whole of it, as elements; bytes at the end that don't make one are left out.
    ///
    /// # Errors
    /// None on the CPU; a device's memory can't be borrowed.
    #[inline]
    pub fn into_slice<T: Element>(self) -> Result<&'a mut [T]> {
        let DataMut::Host(bytes) = self.data;
        let whole = bytes.len() / size_of::<T>() * size_of::<T>();
        bytemuck::try_cast_slice_mut(&mut bytes[..whole])
            .map_err(|e| Error::plugin(format_args!("workspace can't be viewed as {}: {e}", T::NAME)))
    }
}

fn numel(info: &TensorInfo) -> usize {
    info.dims.numel().map_or(0, |n| n as usize)
}

#[inline]
fn check_type<T: Element>(info: &TensorInfo) -> Result<()> {
    if T::views(info.dtype) {
        return Ok(());
    }
    Err(type_mismatch(info, T::NAME))
}

#[cold]
fn type_mismatch(info: &TensorInfo, requested: &'static str) -> Error {
    ElementTypeError { tensor: info.name.to_string(), dtype: info.dtype, requested }.into()
}

#[cold]
fn cast_error<T: Element>(info: &TensorInfo, error: bytemuck::PodCastError) -> Error {
    Error::plugin(format_args!("tensor `{}` can't be viewed as {}: {error}", info.name, T::NAME))
}
