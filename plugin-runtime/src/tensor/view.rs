//! Borrowed views of tensors' data, as an impl receives them.

use std::sync::Arc;

use super::ElementTypeError;
use super::{DataType, Element, Format, Representation};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DeviceSlice, DeviceSliceMut};

/// A tensor's type, layout, extents and scale: all but where its data is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TensorInfo {
    /// The parameter's name, for messages.
    pub name: Arc<str>,
    /// Element type.
    pub dtype: DataType,
    /// Memory layout.
    pub format: Format,
    /// Extents in elements. An extent that the impl finds itself is at its upper bound; so is one that only the device
    /// knows, for an impl that says `device_shape = true`.
    pub dims: Dims,
    /// The quantisation scale of INT8 and FP8 data, else 1.
    pub scale: f32,
    /// The product of the extents, which impls ask for again and again.
    elements: usize,
}

impl TensorInfo {
    pub(crate) fn new(name: Arc<str>, representation: Representation, dims: Dims) -> Self {
        let Representation { dtype, format, scale } = representation;
        TensorInfo { name, dtype, format, dims, scale, elements: elements(&dims) }
    }

    pub(crate) fn resize(&mut self, dims: Dims) {
        self.dims = dims;
        self.elements = elements(&dims);
    }

    pub(crate) fn representation(&self) -> Representation {
        Representation { dtype: self.dtype, format: self.format, scale: self.scale }
    }

    /// `FP32 [2, 3]`, and the layout where it isn't LINEAR.
    pub(crate) fn layout(&self) -> String {
        laid_out(self.dtype, &self.dims, self.format)
    }
}

fn elements(dims: &Dims) -> usize {
    dims.numel().map_or(0, |elements| elements as usize)
}

/// `FP32 [2, 3]`, with the layout where it isn't LINEAR.
pub(crate) fn laid_out(dtype: DataType, dims: &Dims, format: Format) -> String {
    match format {
        Format::Linear => format!("{dtype} {dims}"),
        format => format!("{dtype} {dims} {format}"),
    }
}

/// Memory of an input.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    Host(&'a [u8]),
    /// Address in a device's memory, and length in bytes.
    Device(u64, usize),
    /// The bytes belong to the output of this index, which is updated in place.
    InPlace(usize),
}

/// Memory of an output.
#[derive(Debug)]
pub(crate) enum DataMut<'a> {
    Host(&'a mut [u8]),
    /// Address in a device's memory, and length in bytes.
    Device(u64, usize),
}

/// Accessors that both kinds of view have.
macro_rules! accessors {
    () => {
        /// Type, layout, extents and scale.
        #[inline]
        pub fn info(&self) -> &'a TensorInfo {
            self.info
        }

        /// Extents in elements; upper bounds where the impl finds the extent itself. Where an earlier plugin finds one
        /// on a GPU, the run waits for it, and these are the true extents; unless the impl says `device_shape = true`:
        /// then they are upper bounds, see [`device_shape`](Self::device_shape).
        #[inline]
        pub fn shape(&self) -> &'a [i64] {
            &self.info.dims
        }

        /// Number of dimensions.
        #[inline]
        pub fn rank(&self) -> usize {
            self.shape().len()
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
            self.info.elements
        }

        /// The true extents in device memory, one `i64` per dimension, for kernels to read, where an earlier plugin finds
        /// one of them and only the device knows it. Then [`shape`](Self::shape) holds upper bounds, and what lies beyond
        /// the true extents is unspecified. `None` where `shape` holds the true extents: on the CPU, and in an impl that
        /// doesn't say `device_shape = true` in its [`impl_plugin`](macro@crate::prelude::impl_plugin).
        #[inline]
        pub fn device_shape(&self) -> Option<DeviceSlice<'a, i64>> {
            let address = self.extents?;
            DeviceSlice::new(address, size_of_val(self.shape())).ok()
        }
    };
}

/// An input of an impl: data that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    info: &'a TensorInfo,
    data: Data<'a>,
    /// Address of the true extents in device memory.
    extents: Option<u64>,
}

impl<'a> Tensor<'a> {
    #[inline]
    pub(crate) fn new(info: &'a TensorInfo, data: Data<'a>, extents: Option<u64>) -> Self {
        Tensor { info, data, extents }
    }

    accessors!();

    /// The data as bytes, padding of the layout included.
    ///
    /// # Errors
    /// When an output is updated in place over this input: its data is then read through that output. When the data is
    /// in a GPU's memory: see [`Tensor::device_slice`].
    #[inline]
    pub fn bytes(&self) -> Result<&'a [u8]> {
        match self.data {
            Data::Host(bytes) => Ok(bytes),
            Data::Device(..) => Err(on_device(self.info, "device_slice")),
            Data::InPlace(output) => Err(in_place(self.info, output)),
        }
    }

    /// The data in a GPU's memory as bytes, padding of the layout included.
    ///
    /// # Errors
    /// When the data is in host memory, or an output is updated in place over this input.
    #[inline]
    pub fn device_bytes(&self) -> Result<DeviceSlice<'a, u8>> {
        match self.data {
            Data::Device(address, len) => DeviceSlice::new(address, len),
            Data::Host(_) => Err(on_host(self.info, "as_slice")),
            Data::InPlace(output) => Err(in_place(self.info, output)),
        }
    }

    /// The data in a GPU's memory as elements, padding of the layout included.
    ///
    /// # Errors
    /// When `T` isn't the element type, or as [`Tensor::device_bytes`].
    #[inline]
    pub fn device_slice<T: Element>(&self) -> Result<DeviceSlice<'a, T>> {
        check_type::<T>(self.info)?;
        self.device_bytes()?.cast()
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
    /// Address of the true extents in device memory.
    extents: Option<u64>,
}

impl<'a> TensorMut<'a> {
    #[inline]
    pub(crate) fn new(info: &'a TensorInfo, data: DataMut<'a>, extents: Option<u64>) -> Self {
        TensorMut { info, data, extents }
    }

    accessors!();

    /// The data as bytes, padding of the layout included.
    ///
    /// # Errors
    /// When the data is in a GPU's memory: see [`TensorMut::into_device_slice`].
    #[inline]
    pub fn into_bytes(self) -> Result<&'a mut [u8]> {
        match self.data {
            DataMut::Host(bytes) => Ok(bytes),
            DataMut::Device(..) => Err(on_device(self.info, "into_device_slice")),
        }
    }

    /// The data in a GPU's memory as bytes, padding of the layout included.
    ///
    /// # Errors
    /// When the data is in host memory.
    #[inline]
    pub fn into_device_bytes(self) -> Result<DeviceSliceMut<'a, u8>> {
        match self.data {
            DataMut::Device(address, len) => DeviceSliceMut::new(address, len),
            DataMut::Host(_) => Err(on_host(self.info, "into_slice")),
        }
    }

    /// The data in a GPU's memory as elements, padding of the layout included.
    ///
    /// # Errors
    /// When `T` isn't the element type, or the data is in host memory.
    #[inline]
    pub fn into_device_slice<T: Element>(self) -> Result<DeviceSliceMut<'a, T>> {
        check_type::<T>(self.info)?;
        self.into_device_bytes()?.cast()
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

    /// Address and bytes in a GPU's memory, of elements of type `T`.
    #[inline]
    pub(crate) fn device_memory<T: Element>(&self) -> Result<(u64, usize)> {
        check_type::<T>(self.info)?;
        self.any_device_memory()
    }

    /// Address and bytes in a GPU's memory.
    #[inline]
    pub(crate) fn any_device_memory(&self) -> Result<(u64, usize)> {
        match self.data {
            DataMut::Device(address, len) => Ok((address, len)),
            DataMut::Host(_) => Err(on_host(self.info, "into_slice")),
        }
    }

    /// Writes a size tensor in host memory; on a GPU a kernel writes it.
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
    /// When it is in a GPU's memory: see [`Workspace::into_device_slice`].
    #[inline]
    pub fn into_slice<T: Element>(self) -> Result<&'a mut [T]> {
        let DataMut::Host(bytes) = self.data else {
            return Err(Error::plugin("the workspace is in a GPU's memory: write workspace.into_device_slice::<T>()"));
        };
        let whole = bytes.len() / size_of::<T>() * size_of::<T>();
        bytemuck::try_cast_slice_mut(&mut bytes[..whole])
            .map_err(|e| Error::plugin(format_args!("workspace can't be viewed as {}: {e}", T::NAME)))
    }

    /// The whole of it in a GPU's memory, as elements; bytes at the end that don't make one are left out.
    ///
    /// # Errors
    /// When it is in host memory.
    #[inline]
    pub fn into_device_slice<T: Element>(self) -> Result<DeviceSliceMut<'a, T>> {
        match self.data {
            DataMut::Device(address, len) => DeviceSliceMut::new(address, len),
            DataMut::Host(_) => Err(workspace_on_host()),
        }
    }

    /// Address and bytes in a GPU's memory.
    #[inline]
    pub(crate) fn device_memory(&self) -> Result<(u64, usize)> {
        match self.data {
            DataMut::Device(address, len) => Ok((address, len)),
            DataMut::Host(_) => Err(workspace_on_host()),
        }
    }
}

#[cold]
fn workspace_on_host() -> Error {
    Error::plugin("the workspace is in host memory: write workspace.into_slice::<T>()")
}

#[inline]
fn check_type<T: Element>(info: &TensorInfo) -> Result<()> {
    if T::views(info.dtype) {
        return Ok(());
    }
    Err(type_mismatch(info, T::NAME))
}

#[cold]
fn in_place(info: &TensorInfo, output: usize) -> Error {
    Error::plugin(format_args!(
        "input `{}` is updated in place: read and write it through outputs[{output}]",
        info.name
    ))
}

#[cold]
fn on_device(info: &TensorInfo, accessor: &str) -> Error {
    Error::plugin(format_args!(
        "`{}` is in a GPU's memory, which the host can't read: give kernels its {accessor}::<T>()",
        info.name
    ))
}

#[cold]
fn on_host(info: &TensorInfo, accessor: &str) -> Error {
    Error::plugin(format_args!("`{}` is in host memory: write {accessor}::<T>()", info.name))
}

#[cold]
fn type_mismatch(info: &TensorInfo, requested: &'static str) -> Error {
    ElementTypeError { tensor: info.name.to_string(), dtype: info.dtype, requested }.into()
}

#[cold]
fn cast_error<T: Element>(info: &TensorInfo, error: bytemuck::PodCastError) -> Error {
    Error::plugin(format_args!("tensor `{}` can't be viewed as {}: {error}", info.name, T::NAME))
}
