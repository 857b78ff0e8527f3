//! Tensors of other libraries, and tensors for them, through [DLPack](https://dmlc.github.io/dlpack/latest/).
//!
//! | | in | out |
//! |---|---|---|
//! | [`HostTensor`] | [`from_dlpack`][`HostTensor::from_dlpack`], a copy | [`into_dlpack`][`HostTensor::into_dlpack`], no copy |
//! | [`DeviceTensor`] | [`from_dlpack`][`DeviceTensor::from_dlpack`], no copy | [`into_dlpack`][`DeviceTensor::into_dlpack`], no copy |
//!
//! A capsule is taken in any case: where a function here refuses it, its deleter was called when the error is returned. In
//! terms of Python's protocol, a capsule is renamed to `used_dltensor_versioned` before its pointer is given to one of
//! these functions.
//!
//! Tensors are row-major, at most 8-dimensional, and of a type that both sides have: FP32, FP16, BF16, FP8 (`float8_e4m3fn`),
//! INT64, INT32, INT8, UINT8, BOOL. What isn't so is refused.
//!
//! [`HostTensor`]: crate::tensor::HostTensor
//! [`HostTensor::from_dlpack`]: crate::tensor::HostTensor::from_dlpack
//! [`HostTensor::into_dlpack`]: crate::tensor::HostTensor::into_dlpack
//! [`DeviceTensor`]: crate::device::cuda::DeviceTensor
//! [`DeviceTensor::from_dlpack`]: crate::device::cuda::DeviceTensor::from_dlpack
//! [`DeviceTensor::into_dlpack`]: crate::device::cuda::DeviceTensor::into_dlpack

mod abi;
mod element_type;
mod exported;
mod from_device;
mod from_host;
mod managed;
#[cfg(test)]
mod tests;

#[cfg(feature = "tvm_ffi")]
pub(crate) use abi::{CPU, CUDA, CUDA_HOST, CUDA_MANAGED};
pub use abi::{
    DLDataType, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLPACK_FLAG_READ_ONLY, DLPackVersion, DLTensor,
};
#[cfg(feature = "tvm_ffi")]
pub(crate) use element_type::{from_dlpack, to_dlpack};
#[cfg(feature = "tvm_ffi")]
pub(crate) use managed::{check_strides, device_name};
