//! Tensors of PyTorch's.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::slice;

use super::abi::{Handle, Torch};
use crate::error::Result;
use crate::shape::MAX_RANK;

/// A tensor that somebody keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct TensorRef<'t> {
    torch: &'t Torch,
    raw: Handle,
}

/// Type and index, in PyTorch's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) kind: i32,
    pub(super) index: i32,
}

macro_rules! questions {
    ($($name:ident: $function:ident -> $ty:ty, $null:expr;)*) => {$(
        #[inline]
        pub(super) fn $name(self) -> Result<$ty> {
            let mut answer = $null;
            // SAFETY: the tensor lives; the answer is a local.
            #[expect(unsafe_code, reason = "calls PyTorch")]
            let code = unsafe { (self.torch.functions.$function)(self.raw, &raw mut answer) };
            self.torch.done(code, concat!("tell a tensor's ", stringify!($name)))?;
            Ok(answer)
        }
    )*};
}

impl<'t> TensorRef<'t> {
    /// # Safety
    /// The tensor lives as long as this is used.
    #[expect(unsafe_code, reason = "takes a handle on trust")]
    pub(super) unsafe fn new(torch: &'t Torch, raw: Handle) -> Self {
        TensorRef { torch, raw }
    }

    questions! {
        data: aoti_torch_get_data_ptr -> *mut c_void, ptr::null_mut();
        rank: aoti_torch_get_dim -> i64, 0;
        dtype: aoti_torch_get_dtype -> i32, 0;
        device_type: aoti_torch_get_device_type -> i32, 0;
        device_index: aoti_torch_get_device_index -> i32, 0;
        is_contiguous: aoti_torch_is_contiguous -> bool, false;
        sizes: aoti_torch_get_sizes -> *const i64, ptr::null();
    }

    #[inline]
    pub(super) fn place(self) -> Result<Place> {
        let kind = self.device_type()?;
        let index = if kind == self.torch.cpu { 0 } else { self.device_index()? };
        Ok(Place { kind, index })
    }

    /// Its extents, which stay where they are as long as the tensor.
    #[inline]
    pub(super) fn extents(&self) -> Result<&[i64]> {
        let rank = usize::try_from(self.rank()?).unwrap_or_default();
        let sizes = self.sizes()?;
        if rank == 0 || sizes.is_null() {
            return Ok(&[]);
        }
        // SAFETY: PyTorch keeps as many extents there as the tensor has dimensions, as long as it lives.
        #[expect(unsafe_code, reason = "reads memory of PyTorch")]
        Ok(unsafe { slice::from_raw_parts(sizes, rank) })
    }

    /// So many elements.
    #[inline]
    pub(super) fn elements(self) -> Result<usize> {
        let elements = self.extents()?.iter().map(|extent| usize::try_from(*extent).unwrap_or_default());
        Ok(elements.fold(1, usize::saturating_mul))
    }

    /// A tensor of the same elements that is row-major and starts where any plugin can use it.
    #[cold]
    pub(super) fn copied(self) -> Result<Tensor<'t>> {
        let copy = Tensor::empty(self.torch, self.extents()?, self.dtype()?, self.place()?)?;
        copy.view().assign(self)?;
        Ok(copy)
    }

    /// Copies elements from another tensor.
    pub(super) fn assign(self, from: TensorRef<'_>) -> Result<()> {
        let (to, from) = (self.another()?, from.another()?);
        let mut stack = [word(to.into_raw()), word(from.into_raw()), 0];
        self.dispatch(c"aten::copy_", &mut stack)?;
        // SAFETY: the result is the caller's.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        drop(unsafe { Tensor::owned(self.torch, handle(stack[0])) });
        Ok(())
    }

    /// Another handle of the same tensor.
    fn another(self) -> Result<Tensor<'t>> {
        let mut other = ptr::null_mut();
        // SAFETY: the tensor lives; the handle is a local.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let code = unsafe { (self.torch.functions.aoti_torch_new_tensor_handle)(self.raw, &raw mut other) };
        self.torch.done(code, "share a tensor")?;
        // SAFETY: it was made for the caller.
        #[expect(unsafe_code, reason = "owns a handle")]
        Ok(unsafe { Tensor::owned(self.torch, other) })
    }

    fn dispatch(self, operator: &CStr, stack: &mut [u64]) -> Result<()> {
        // SAFETY: the stack is as the operator's schema says, and what is in it is given away.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let code = unsafe {
            (self.torch.functions.aoti_torch_call_dispatcher)(operator.as_ptr(), c"".as_ptr(), stack.as_mut_ptr())
        };
        self.torch.done(code, &format!("run {}", operator.to_string_lossy()))
    }
}

/// A handle as a word of a stack.
#[inline]
pub(super) fn word(handle: Handle) -> u64 {
    handle.expose_provenance() as u64
}

/// A word of a stack as a handle.
#[inline]
pub(super) fn handle(word: u64) -> Handle {
    ptr::with_exposed_provenance_mut(word as usize)
}

/// A tensor that is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Tensor<'t> {
    torch: &'t Torch,
    raw: Handle,
}

impl<'t> Tensor<'t> {
    /// # Safety
    /// The handle is the caller's to give away.
    #[expect(unsafe_code, reason = "takes a handle on trust")]
    pub(super) unsafe fn owned(torch: &'t Torch, raw: Handle) -> Self {
        Tensor { torch, raw }
    }

    /// A new tensor, row-major, of PyTorch's memory: on a GPU, in the order of the current stream.
    #[inline]
    pub(super) fn empty(torch: &'t Torch, extents: &[i64], dtype: i32, place: Place) -> Result<Self> {
        let mut strides = [1; MAX_RANK];
        let strides = &mut strides[..extents.len().min(MAX_RANK)];
        let mut stride = 1i64;
        for (slot, extent) in strides.iter_mut().zip(extents).rev() {
            *slot = stride;
            stride = stride.saturating_mul((*extent).max(1));
        }
        let (rank, mut raw) = (strides.len() as i64, ptr::null_mut());
        // SAFETY: there are as many extents and strides as the rank says; the handle is a local.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        let code = unsafe {
            (torch.functions.aoti_torch_empty_strided)(
                rank,
                extents.as_ptr(),
                strides.as_ptr(),
                dtype,
                place.kind,
                place.index,
                &raw mut raw,
            )
        };
        torch.done(code, "allocate a tensor")?;
        Ok(Tensor { torch, raw })
    }

    #[inline]
    pub(super) fn view(&self) -> TensorRef<'t> {
        TensorRef { torch: self.torch, raw: self.raw }
    }

    /// Gives the handle away.
    #[inline]
    pub(super) fn into_raw(self) -> Handle {
        let raw = self.raw;
        std::mem::forget(self);
        raw
    }
}

impl Drop for Tensor<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the handle is this one's own, and isn't used again.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        unsafe {
            (self.torch.functions.aoti_torch_delete_tensor_object)(self.raw);
        }
    }
}
