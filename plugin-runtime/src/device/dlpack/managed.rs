//! A capsule of another library, and what it says.

use std::ptr::NonNull;

use super::abi::{
    CPU, CUDA, CUDA_HOST, CUDA_MANAGED, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLPACK_FLAG_READ_ONLY,
    DLTensor, VERSION,
};
use super::element_type;
use crate::error::{Error, Result};
use crate::shape::{Dims, MAX_RANK};
use crate::tensor::{DataType, Representation};

/// A tensor that another library lends until this is dropped.
#[derive(Debug)]
pub(super) enum Managed {
    Versioned(NonNull<DLManagedTensorVersioned>),
    Legacy(NonNull<DLManagedTensor>),
}

// SAFETY: whoever gives a capsule says that its deleter may be called by any thread; until then it is only read.
#[expect(unsafe_code, reason = "pointers to what is lent")]
unsafe impl Send for Managed {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what is lent")]
unsafe impl Sync for Managed {}

/// The tensor that a capsule describes, checked.
pub(super) struct Described {
    pub(super) dtype: DataType,
    pub(super) dims: Dims,
    /// The first element; on a GPU only a number.
    pub(super) start: *mut u8,
    /// In bytes, at most `isize::MAX`. Where it isn't 0, `start` isn't null.
    pub(super) len: usize,
    pub(super) device: DLDevice,
}

impl Managed {
    /// # Safety
    /// `raw` is null or a capsule as `dlpack.h` describes it, which nobody else uses from now on; its deleter may be
    /// called by any thread.
    ///
    /// # Errors
    /// When it is null, or of another layout: its deleter was called then.
    #[expect(unsafe_code, reason = "takes a capsule on trust")]
    pub(super) unsafe fn versioned(raw: *mut DLManagedTensorVersioned) -> Result<Self> {
        let raw = NonNull::new(raw).ok_or_else(no_capsule)?;
        let managed = Managed::Versioned(raw);
        // SAFETY: the caller says that it is a capsule. Version and deleter have their places in all versions.
        #[expect(unsafe_code, reason = "reads what is lent")]
        let version = unsafe { (*raw.as_ptr()).version };
        if version.major != VERSION.major {
            return Err(Error::invalid(format_args!(
                "the DLPack capsule is of version {}.{}; taken are those of version {}",
                version.major, version.minor, VERSION.major
            )));
        }
        Ok(managed)
    }

    /// As [`Managed::versioned`], of a capsule from before version 1.
    ///
    /// # Safety
    /// As there.
    ///
    /// # Errors
    /// When it is null.
    #[expect(unsafe_code, reason = "takes a capsule on trust")]
    pub(super) unsafe fn legacy(raw: *mut DLManagedTensor) -> Result<Self> {
        NonNull::new(raw).map(Managed::Legacy).ok_or_else(no_capsule)
    }

    pub(super) fn is_read_only(&self) -> bool {
        match self {
            // SAFETY: the capsule lives until this is dropped.
            #[expect(unsafe_code, reason = "reads what is lent")]
            Managed::Versioned(raw) => unsafe { (*raw.as_ptr()).flags & DLPACK_FLAG_READ_ONLY != 0 },
            Managed::Legacy(_) => false,
        }
    }

    fn tensor(&self) -> &DLTensor {
        // SAFETY: the capsule lives until this is dropped, and nobody else uses it.
        #[expect(unsafe_code, reason = "reads what is lent")]
        unsafe {
            match self {
                Managed::Versioned(raw) => &(*raw.as_ptr()).dl_tensor,
                Managed::Legacy(raw) => &(*raw.as_ptr()).dl_tensor,
            }
        }
    }

    /// # Errors
    /// When it isn't a row-major tensor of a known type: says what it is.
    pub(super) fn described(&self) -> Result<Described> {
        let tensor = self.tensor();
        let extents = self.numbers(tensor.shape)?;
        let extents = extents.ok_or_else(|| Error::invalid("its extents are missing"))?;
        let dtype = element_type::from_dlpack(tensor.dtype)?;
        let dims = Dims::new(extents).ok_or_else(|| Error::invalid("it has too many dimensions"))?;
        let len = Representation::linear(dtype).bytes(&dims)?;
        if let Some(strides) = self.numbers(tensor.strides)? {
            check_strides(&dims, strides)?;
        }
        let offset = usize::try_from(tensor.byte_offset).ok();
        let end = offset.and_then(|offset| tensor.data.addr().checked_add(offset)?.checked_add(len));
        let Some((offset, _)) = offset.zip(end) else {
            return Err(Error::invalid("it is longer than there are addresses"));
        };
        if len > 0 && tensor.data.is_null() {
            return Err(Error::invalid(format_args!("it has {len} bytes, but no address")));
        }
        Ok(Described { dtype, dims, start: tensor.data.cast::<u8>().wrapping_add(offset), len, device: tensor.device })
    }

    /// One number for each dimension, where there are numbers.
    fn numbers(&self, start: *const i64) -> Result<Option<&[i64]>> {
        let ndim = self.tensor().ndim;
        let Some(rank) = usize::try_from(ndim).ok().filter(|rank| *rank <= MAX_RANK) else {
            return Err(Error::invalid(format_args!("it has {ndim} dimensions; taken are 0 to {MAX_RANK}")));
        };
        match (rank, start.is_null()) {
            (0, _) => Ok(Some(&[])),
            (_, true) => Ok(None),
            // SAFETY: by DLPack there are so many; they live until this is dropped, and nobody changes them.
            #[expect(unsafe_code, reason = "reads what is lent")]
            (_, false) => Ok(Some(unsafe { std::slice::from_raw_parts(start, rank) })),
        }
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        // SAFETY: the deleter is called here only, with what it belongs to; who made this said that any thread may.
        // What it points to isn't used afterwards.
        #[expect(unsafe_code, reason = "gives back what was lent")]
        unsafe {
            match self {
                Managed::Versioned(raw) => (*raw.as_ptr()).deleter.into_iter().for_each(|delete| delete(raw.as_ptr())),
                Managed::Legacy(raw) => (*raw.as_ptr()).deleter.into_iter().for_each(|delete| delete(raw.as_ptr())),
            }
        }
    }
}

#[cold]
fn no_capsule() -> Error {
    Error::invalid("a null pointer isn't a DLPack capsule")
}

/// # Errors
/// When the strides aren't those of a row-major tensor. Strides of dimensions with extent 0 or 1 don't matter.
pub(crate) fn check_strides(dims: &Dims, strides: &[i64]) -> Result<()> {
    let compact = row_major(dims);
    let matters = |extent: i64| extent > 1 && dims.numel() != Some(0);
    let differs = dims.iter().zip(strides).zip(&*compact).any(|((extent, a), b)| matters(*extent) && a != b);
    match differs {
        false => Ok(()),
        true => Err(Error::invalid(format_args!(
            "its strides are {strides:?} for extents {dims}, but only row-major tensors are taken, whose strides are \
             {compact}: make a contiguous copy first"
        ))),
    }
}

/// Row-major strides, in elements.
pub(super) fn row_major(dims: &Dims) -> Dims {
    let (mut strides, mut stride) = (*dims, 1i64);
    for (place, extent) in strides.iter_mut().zip(dims.iter()).rev() {
        *place = stride;
        stride = stride.saturating_mul((*extent).max(1));
    }
    strides
}

/// The name of a device, for messages.
pub(crate) fn device_name(device: DLDevice) -> String {
    match device.device_type {
        CPU => "host memory".into(),
        CUDA => format!("the memory of `cuda:{}`", device.device_id),
        CUDA_HOST => "page-locked host memory".into(),
        CUDA_MANAGED => "managed memory of CUDA".into(),
        other => format!("memory of DLPack's device type {other}"),
    }
}
