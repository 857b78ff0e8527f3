//! DLPack's C structs, by the names in `dlpack.h`.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};

/// The version that capsules made here say. Their element types are known since 1.1.
pub(super) const VERSION: DLPackVersion = DLPackVersion { major: 1, minor: 1 };

/// A flag of [`DLManagedTensorVersioned`]: the consumer may not write the memory.
pub const DLPACK_FLAG_READ_ONLY: u64 = 1;

/// Device types.
pub(crate) const CPU: i32 = 1;
pub(crate) const CUDA: i32 = 2;
pub(crate) const CUDA_HOST: i32 = 3;
pub(crate) const CUDA_MANAGED: i32 = 13;

/// The device that memory is on.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DLDevice {
    /// 1 the CPU, 2 a GPU of CUDA, 3 page-locked memory of the host, 13 managed memory of CUDA.
    pub device_type: i32,
    /// Which one, from 0.
    pub device_id: i32,
}

/// An element type.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DLDataType {
    /// The kind of number.
    pub code: u8,
    /// Bits of one number.
    pub bits: u8,
    /// How many numbers an element has.
    pub lanes: u16,
}

/// A view of memory.
#[repr(C)]
#[derive(Debug)]
pub struct DLTensor {
    /// On a GPU, an address that only the GPU follows.
    pub data: *mut c_void,
    /// The device that the memory is on.
    pub device: DLDevice,
    /// How many dimensions.
    pub ndim: i32,
    /// Element type.
    pub dtype: DLDataType,
    /// `ndim` extents, in elements.
    pub shape: *mut i64,
    /// `ndim` strides, in elements; null where the tensor is row-major.
    pub strides: *mut i64,
    /// From `data` to the first element.
    pub byte_offset: u64,
}

/// Version of the structs' layout.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DLPackVersion {
    /// Another one has another layout.
    pub major: u32,
    /// A higher one has more types and flags.
    pub minor: u32,
}

/// A tensor, and how to give it back: what the pointer of a capsule `dltensor_versioned` points to.
#[repr(C)]
#[derive(Debug)]
pub struct DLManagedTensorVersioned {
    /// Version of the layout.
    pub version: DLPackVersion,
    /// The producer's.
    pub manager_ctx: *mut c_void,
    /// Called once by the consumer, with this, when it doesn't use the memory any more.
    pub deleter: Option<unsafe extern "C" fn(*mut DLManagedTensorVersioned)>,
    /// [`DLPACK_FLAG_READ_ONLY`] and others.
    pub flags: u64,
    /// The tensor.
    pub dl_tensor: DLTensor,
}

/// As [`DLManagedTensorVersioned`], from before version 1: what the pointer of a capsule `dltensor` points to.
#[repr(C)]
#[derive(Debug)]
pub struct DLManagedTensor {
    /// The tensor.
    pub dl_tensor: DLTensor,
    /// The producer's.
    pub manager_ctx: *mut c_void,
    /// Called once by the consumer, with this, when it doesn't use the memory any more.
    pub deleter: Option<unsafe extern "C" fn(*mut DLManagedTensor)>,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<DLTensor>() == 48);
    assert!(offset_of!(DLTensor, device) == 8 && offset_of!(DLTensor, ndim) == 16);
    assert!(offset_of!(DLTensor, dtype) == 20 && offset_of!(DLTensor, shape) == 24);
    assert!(offset_of!(DLTensor, strides) == 32 && offset_of!(DLTensor, byte_offset) == 40);
    assert!(size_of::<DLManagedTensorVersioned>() == 80);
    assert!(offset_of!(DLManagedTensorVersioned, manager_ctx) == 8);
    assert!(offset_of!(DLManagedTensorVersioned, deleter) == 16);
    assert!(offset_of!(DLManagedTensorVersioned, flags) == 24);
    assert!(offset_of!(DLManagedTensorVersioned, dl_tensor) == 32);
    assert!(size_of::<DLManagedTensor>() == 64);
    assert!(offset_of!(DLManagedTensor, manager_ctx) == 48 && offset_of!(DLManagedTensor, deleter) == 56);
};
