//! Tensors in host memory.

use std::ptr::NonNull;

use super::abi::{CPU, CUDA_HOST, DLDevice, DLManagedTensor, DLManagedTensorVersioned};
use super::exported::{Form, export};
use super::managed::{Managed, device_name};
use crate::error::{Error, Result};
use crate::tensor::HostTensor;

impl HostTensor {
    /// A copy of another library's tensor in host memory, page-locked or not. It is copied because `HostTensor`s are
    /// aligned to a cache line and writable, which another library's memory may not be. The capsule's deleter was
    /// called when this returns, also with an error.
    ///
    /// # Safety
    /// `raw` is null or a capsule as `dlpack.h` describes it, which nobody else uses from now on; its data is there and
    /// isn't written meanwhile.
    ///
    /// # Errors
    /// When `raw` is null or of another version than 1, and when the tensor isn't in host memory, isn't row-major, or
    /// has a type or a shape that this crate doesn't.
    #[expect(unsafe_code, reason = "takes a capsule on trust")]
    pub unsafe fn from_dlpack(raw: *mut DLManagedTensorVersioned) -> Result<HostTensor> {
        // SAFETY: as the caller says; it is dropped by this thread.
        #[expect(unsafe_code, reason = "takes a capsule on trust")]
        copied(unsafe { Managed::versioned(raw) })
    }

    /// As [`HostTensor::from_dlpack`], from a capsule from before DLPack's version 1.
    ///
    /// # Safety
    /// As there.
    ///
    /// # Errors
    /// As there.
    #[expect(unsafe_code, reason = "takes a capsule on trust")]
    pub unsafe fn from_dlpack_legacy(raw: *mut DLManagedTensor) -> Result<HostTensor> {
        // SAFETY: as the caller says; it is dropped by this thread.
        #[expect(unsafe_code, reason = "takes a capsule on trust")]
        copied(unsafe { Managed::legacy(raw) })
    }

    /// Gives the tensor to another library. Whoever has the capsule owns it: its deleter frees it, and has to be called
    /// once.
    ///
    /// # Errors
    /// For INT4, of which DLPack doesn't say which half of a byte is first.
    pub fn into_dlpack(self) -> Result<NonNull<DLManagedTensorVersioned>> {
        let device = DLDevice { device_type: CPU, device_id: 0 };
        let form = Form { dtype: self.dtype(), dims: self.extents(), device, read_only: false };
        export(self, &form, |tensor| tensor.bytes_mut().as_mut_ptr().cast())
    }
}

fn copied(managed: Result<Managed>) -> Result<HostTensor> {
    let copy = |managed: Managed| {
        let tensor = managed.described()?;
        if !matches!(tensor.device.device_type, CPU | CUDA_HOST) {
            return Err(Error::invalid(format_args!(
                "it lies in {}, and a HostTensor in host memory",
                device_name(tensor.device)
            )));
        }
        let bytes = match tensor.len {
            0 => &[],
            // SAFETY: by DLPack so many bytes are there, which the host can read; whoever gave them says that they aren't
            // written meanwhile. `described` saw that they aren't too many for a slice, and that there is an address.
            #[expect(unsafe_code, reason = "reads what is lent")]
            len => unsafe { std::slice::from_raw_parts(tensor.start, len) },
        };
        HostTensor::from_bytes(tensor.dtype, bytes, &tensor.dims)
    };
    managed.and_then(copy).map_err(|error| error.within("a tensor from DLPack"))
}
