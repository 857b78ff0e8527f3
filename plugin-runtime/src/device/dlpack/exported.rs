//! A capsule for another library.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null_mut};

use super::abi::{DLDevice, DLManagedTensorVersioned, DLPACK_FLAG_READ_ONLY, DLTensor, VERSION};
use super::element_type;
use super::managed::row_major;
use crate::error::Result;
use crate::guard::discard;
use crate::shape::{Dims, MAX_RANK};
use crate::tensor::DataType;

/// Element type, extents, device and read-only flag of an exported tensor.
pub(super) struct Form {
    pub(super) dtype: DataType,
    pub(super) dims: Dims,
    pub(super) device: DLDevice,
    pub(super) read_only: bool,
}

/// A capsule with all that it points to.
#[repr(C)]
struct Exported<T> {
    /// First, so that its address is that of all.
    managed: DLManagedTensorVersioned,
    shape: [i64; MAX_RANK],
    strides: [i64; MAX_RANK],
    owner: T,
}

/// A capsule that owns `owner`, in which the data is at `place`. The deleter drops it, on any thread.
///
/// # Errors
/// When DLPack has no such element type.
pub(super) fn export<T: Send + 'static>(
    owner: T,
    form: &Form,
    place: impl FnOnce(&mut T) -> *mut c_void,
) -> Result<NonNull<DLManagedTensorVersioned>> {
    let dl_tensor = DLTensor {
        data: null_mut(),
        device: form.device,
        ndim: form.dims.len() as i32,
        dtype: element_type::to_dlpack(form.dtype)?,
        shape: null_mut(),
        strides: null_mut(),
        byte_offset: 0,
    };
    let managed = DLManagedTensorVersioned {
        version: VERSION,
        manager_ctx: null_mut(),
        deleter: Some(delete::<T>),
        flags: if form.read_only { DLPACK_FLAG_READ_ONLY } else { 0 },
        dl_tensor,
    };
    let padded = |numbers: &[i64]| std::array::from_fn(|i| numbers.get(i).copied().unwrap_or(0));
    let (shape, strides) = (padded(&form.dims), padded(&row_major(&form.dims)));
    let exported = NonNull::from(Box::leak(Box::new(Exported { managed, shape, strides, owner })));
    // SAFETY: it was just made, and nobody else has it. Pointers to its parts are made from that to all of it, and it
    // isn't borrowed as a whole again.
    #[expect(unsafe_code, reason = "points into what was allocated")]
    unsafe {
        let all = exported.as_ptr();
        (*all).managed.dl_tensor.data = place(&mut (*all).owner);
        (*all).managed.dl_tensor.shape = (&raw mut (*all).shape).cast();
        (*all).managed.dl_tensor.strides = (&raw mut (*all).strides).cast();
    }
    Ok(exported.cast())
}

/// The deleter of a capsule. No panic leaves it.
#[expect(unsafe_code, reason = "called from C")]
unsafe extern "C" fn delete<T>(managed: *mut DLManagedTensorVersioned) {
    // SAFETY: DLPack says that it is called once, with the capsule that it belongs to, which `export` made of a box.
    #[expect(unsafe_code, reason = "takes back what was given")]
    let exported = unsafe { Box::from_raw(managed.cast::<Exported<T>>()) };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(exported))) {
        discard(payload);
    }
}
