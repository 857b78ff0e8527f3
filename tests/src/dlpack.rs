//! A library that lends tensors through DLPack, and counts what is given back.

#![expect(unsafe_code, reason = "makes what C programs make")]

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugin_runtime::device::dlpack::{
    DLDataType, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLPackVersion, DLTensor,
};

/// What a capsule says; each field may be nonsense.
#[derive(Clone, Debug)]
pub struct Lent {
    /// Of the struct.
    pub version: (u32, u32),
    /// Of the struct.
    pub flags: u64,
    /// Type and number.
    pub device: (i32, i32),
    /// Code, bits and lanes.
    pub dtype: (u8, u8, u16),
    /// `None`: a null pointer.
    pub shape: Option<Vec<i64>>,
    /// `None`: a null pointer.
    pub strides: Option<Vec<i64>>,
    /// `None`: as many as the shape has.
    pub ndim: Option<i32>,
    /// Address of the memory.
    pub data: *mut c_void,
    /// From there to the first element.
    pub byte_offset: u64,
    /// Whether there is a deleter.
    pub deletable: bool,
}

/// Counts the calls of a capsule's deleter.
#[derive(Clone, Debug, Default)]
pub struct Deletions(Arc<AtomicUsize>);

impl Deletions {
    /// So far.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A capsule with what it points to.
#[repr(C)]
struct Capsule<M> {
    managed: M,
    shape: Vec<i64>,
    strides: Vec<i64>,
    deletions: Deletions,
    /// Called before anything is given back.
    before: Option<Box<dyn FnOnce() + Send>>,
}

unsafe extern "C" fn delete<M>(managed: *mut M) {
    // SAFETY: the pointer is that of a capsule made here, whose first field is this, and it is the only call.
    let mut capsule = unsafe { Box::from_raw(managed.cast::<Capsule<M>>()) };
    if let Some(before) = capsule.before.take() {
        before();
    }
    capsule.deletions.0.fetch_add(1, Ordering::SeqCst);
}

impl Lent {
    /// Floats in host memory.
    pub fn floats(data: *mut c_void, shape: &[i64]) -> Lent {
        Lent {
            version: (1, 0),
            flags: 0,
            device: (1, 0),
            dtype: (2, 32, 1),
            shape: Some(shape.to_vec()),
            strides: None,
            ndim: None,
            data,
            byte_offset: 0,
            deletable: true,
        }
    }

    /// A capsule, and the count of its deleter's calls.
    pub fn versioned(&self) -> (*mut DLManagedTensorVersioned, Deletions) {
        self.versioned_with(None)
    }

    /// As [`Lent::versioned`], with something to do when the deleter is called.
    pub fn versioned_with(
        &self,
        before: Option<Box<dyn FnOnce() + Send>>,
    ) -> (*mut DLManagedTensorVersioned, Deletions) {
        self.capsule(before, |dl_tensor| DLManagedTensorVersioned {
            version: DLPackVersion { major: self.version.0, minor: self.version.1 },
            manager_ctx: null_mut(),
            deleter: self.deletable.then_some(delete::<DLManagedTensorVersioned> as _),
            flags: self.flags,
            dl_tensor,
        })
    }

    /// As [`Lent::versioned`], from before DLPack's version 1.
    pub fn legacy(&self) -> (*mut DLManagedTensor, Deletions) {
        self.capsule(None, |dl_tensor| DLManagedTensor {
            dl_tensor,
            manager_ctx: null_mut(),
            deleter: self.deletable.then_some(delete::<DLManagedTensor> as _),
        })
    }

    fn capsule<M>(
        &self,
        before: Option<Box<dyn FnOnce() + Send>>,
        manage: impl FnOnce(DLTensor) -> M,
    ) -> (*mut M, Deletions) {
        let mut shape = self.shape.clone().unwrap_or_default();
        let mut strides = self.strides.clone().unwrap_or_default();
        let (code, bits, lanes) = self.dtype;
        let dl_tensor = DLTensor {
            data: self.data,
            device: DLDevice { device_type: self.device.0, device_id: self.device.1 },
            ndim: self.ndim.unwrap_or(shape.len() as i32),
            dtype: DLDataType { code, bits, lanes },
            shape: if self.shape.is_some() { shape.as_mut_ptr() } else { null_mut() },
            strides: if self.strides.is_some() { strides.as_mut_ptr() } else { null_mut() },
            byte_offset: self.byte_offset,
        };
        let deletions = Deletions::default();
        let managed = manage(dl_tensor);
        let capsule = Capsule { managed, shape, strides, deletions: deletions.clone(), before };
        (Box::into_raw(Box::new(capsule)).cast(), deletions)
    }
}

/// Gives a capsule back, as a consumer does that is done with it.
///
/// # Safety
/// The capsule is a whole one, and isn't used afterwards.
pub unsafe fn give_back(capsule: *mut DLManagedTensorVersioned) {
    // SAFETY: as the caller says.
    unsafe { (*capsule).deleter.expect("it has a deleter")(capsule) }
}
