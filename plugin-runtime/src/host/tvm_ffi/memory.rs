//! Memory for outputs and workspaces.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::abi::{Any, TensorObject, types};
use super::api::{Api, Object};
use crate::device::Stream;
use crate::device::cuda::DeviceTensor;
use crate::device::dlpack::{CPU, CUDA, DLDataType, DLDevice, DLManagedTensorVersioned, DLTensor, to_dlpack};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DataType, HostTensor};

/// Memory of an output, before the caller has it.
#[derive(Debug)]
pub(super) enum Memory {
    /// Of the input that it is updated in place over.
    Input(usize),
    /// Of our own.
    Own(Capsule),
    /// Of the caller's framework.
    Framework(Object),
}

/// A tensor of our own, to be handed over by DLPack.
#[derive(Debug)]
pub(super) struct Capsule(NonNull<DLManagedTensorVersioned>);

impl Drop for Capsule {
    fn drop(&mut self) {
        // SAFETY: it wasn't handed over, so that its deleter is called here once.
        #[expect(unsafe_code, reason = "gives back what wasn't handed over")]
        unsafe {
            (*self.0.as_ptr()).deleter.into_iter().for_each(|delete| delete(self.0.as_ptr()));
        }
    }
}

impl Capsule {
    /// # Errors
    /// When there isn't as much memory, or DLPack has no such type.
    pub(super) fn new(dtype: DataType, dims: &Dims, stream: &Stream) -> Result<Capsule> {
        let capsule = match stream.device().gpu() {
            None => HostTensor::zeros(dtype, dims)?.into_dlpack()?,
            Some(_) => DeviceTensor::uninit(stream, dtype, dims)?.into_dlpack(stream)?,
        };
        Ok(Capsule(capsule))
    }

    fn tensor(&self) -> &DLTensor {
        // SAFETY: it lives until this is dropped.
        #[expect(unsafe_code, reason = "reads what is owned")]
        unsafe {
            &(*self.0.as_ptr()).dl_tensor
        }
    }

    pub(super) fn start(&self) -> *mut c_void {
        self.tensor().data
    }

    /// Lets it have smaller extents; what it has more is left unused.
    pub(super) fn shrink(&mut self, dims: &Dims) {
        let tensor = self.tensor();
        let (shape, strides, rank) =
            (tensor.shape, tensor.strides, dims.len().min(tensor.ndim.unsigned_abs() as usize));
        let mut stride = 1i64;
        for axis in (0..rank).rev() {
            // SAFETY: both lists are the capsule's own, with a place for each dimension, and nobody else has it yet.
            #[expect(unsafe_code, reason = "writes what is owned")]
            unsafe {
                shape.add(axis).write(dims[axis]);
                strides.add(axis).write(stride);
            }
            stride = stride.saturating_mul(dims[axis].max(1));
        }
    }
}

impl Memory {
    /// An output of these extents.
    ///
    /// # Errors
    /// When there isn't as much memory, or DLPack has no such type.
    #[inline]
    pub(super) fn new(api: &Api, dtype: DataType, dims: &Dims, stream: &Stream) -> Result<Memory> {
        if api.has_allocator() {
            return framework(api, to_dlpack(dtype)?, dims, stream).map(Memory::Framework);
        }
        Capsule::new(dtype, dims, stream).map(Memory::Own)
    }

    /// Where its first element lies.
    #[inline]
    pub(super) fn start(&self) -> *mut c_void {
        match self {
            Memory::Input(_) => ptr::null_mut(),
            Memory::Own(capsule) => capsule.start(),
            Memory::Framework(object) => start(object),
        }
    }

    /// As a value for the caller.
    ///
    /// # Errors
    /// When tvm-ffi refuses it.
    #[inline]
    pub(super) fn into_any(self, api: &Api) -> Result<Any> {
        match self {
            Memory::Input(input) => Ok(Any::int(input as i64)),
            Memory::Own(capsule) => {
                let raw = capsule.0;
                std::mem::forget(capsule);
                // SAFETY: it is handed over, and not used any more.
                #[expect(unsafe_code, reason = "hands over what is owned")]
                let object = unsafe { api.tensor(raw)? };
                Ok(object.into_any(types::TENSOR))
            }
            Memory::Framework(object) => Ok(object.into_any(types::TENSOR)),
        }
    }
}

/// Where the memory of a framework's array lies.
#[inline]
pub(super) fn start(object: &Object) -> *mut c_void {
    // SAFETY: the runtime gave an array, which lives as long as the object.
    #[expect(unsafe_code, reason = "reads an object of the runtime")]
    let tensor = unsafe { &(*object.as_ptr().cast::<TensorObject>()).tensor };
    tensor.data.wrapping_byte_add(usize::try_from(tensor.byte_offset).unwrap_or(0))
}

/// An array of the caller's framework.
///
/// # Errors
/// When it has no memory left.
pub(super) fn framework(api: &Api, dtype: DLDataType, dims: &Dims, stream: &Stream) -> Result<Object> {
    let device = match stream.device().gpu() {
        None => DLDevice { device_type: CPU, device_id: 0 },
        Some(gpu) => DLDevice { device_type: CUDA, device_id: gpu.ordinal() as i32 },
    };
    let mut dims = *dims;
    let mut prototype = DLTensor {
        data: ptr::null_mut(),
        device,
        ndim: i32::try_from(dims.len()).map_err(|_| Error::invalid("too many dimensions"))?,
        dtype,
        shape: dims.as_mut_ptr(),
        strides: ptr::null_mut(),
        byte_offset: 0,
    };
    api.allocate(&mut prototype)
}
