//! Tensors in host memory.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::Handle;

struct Storage(Vec<u128>);

/// A tensor; a handle is a box of one.
#[derive(Clone)]
struct Tensor {
    storage: Arc<Storage>,
    offset: usize,
    sizes: Vec<i64>,
    strides: Vec<i64>,
    dtype: i32,
}

static HANDLES: AtomicI64 = AtomicI64::new(0);

/// How many handles of tensors weren't given back.
#[unsafe(no_mangle)]
extern "C-unwind" fn stand_in_tensors() -> i64 {
    HANDLES.load(Ordering::SeqCst)
}

fn bytes_of(dtype: i32) -> usize {
    match dtype {
        4 | 7 => 8,
        3 | 6 => 4,
        5 | 15 => 2,
        _ => 1,
    }
}

fn handle(tensor: Tensor) -> Handle {
    HANDLES.fetch_add(1, Ordering::SeqCst);
    Box::into_raw(Box::new(tensor)).cast()
}

/// # Safety
/// It is a handle of a tensor.
unsafe fn tensor<'t>(raw: Handle) -> &'t Tensor {
    // SAFETY: as the caller says.
    unsafe { &*raw.cast::<Tensor>() }
}

impl Tensor {
    fn data(&self) -> *mut u8 {
        if self.sizes.contains(&0) {
            return std::ptr::null_mut();
        }
        self.storage.0.as_ptr().cast::<u8>().cast_mut().wrapping_add(self.offset * bytes_of(self.dtype))
    }

    fn dense(sizes: &[i64]) -> Vec<i64> {
        let mut stride = 1;
        let mut strides: Vec<i64> = sizes.iter().rev().map(|size| (stride, stride *= (*size).max(1)).0).collect();
        strides.reverse();
        strides
    }

    /// Where each element is, row by row.
    fn places(&self) -> Vec<*mut u8> {
        let count: i64 = self.sizes.iter().product();
        let place = |mut index: i64| {
            let mut at = 0;
            for (size, stride) in self.sizes.iter().zip(&self.strides).rev() {
                at += index % size * stride;
                index /= size;
            }
            self.data().wrapping_add(at as usize * bytes_of(self.dtype))
        };
        (0..count).map(place).collect()
    }
}

/// # Safety
/// As PyTorch's header says. Fresh memory is poisoned.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_empty_strided(
    rank: i64,
    sizes: *const i64,
    strides: *const i64,
    dtype: i32,
    device: i32,
    _index: i32,
    out: *mut Handle,
) -> i32 {
    let rank = rank as usize;
    // SAFETY: as the caller says.
    let (sizes, strides) = unsafe {
        let list = |start| if rank == 0 { Vec::new() } else { std::slice::from_raw_parts(start, rank).to_vec() };
        (list(sizes), list(strides))
    };
    let count = sizes.iter().try_fold(1i64, |count, size| count.checked_mul(*size));
    let Some(count) = count.filter(|count| *count < 1 << 30 && device == 0) else { return 1 };
    let words = (count as usize * bytes_of(dtype)).div_ceil(16) + 4;
    let storage = Arc::new(Storage(vec![u128::from_ne_bytes([0xa5; 16]); words]));
    // SAFETY: as the caller says.
    unsafe { out.write(handle(Tensor { storage, offset: 0, sizes, strides, dtype })) };
    0
}

/// A view of a tensor by other extents and strides.
///
/// # Safety
/// They stay within its memory.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn stand_in_view(
    raw: Handle,
    rank: usize,
    sizes: *const i64,
    strides: *const i64,
    offset: usize,
) -> Handle {
    // SAFETY: as the caller says.
    let (base, sizes, strides) = unsafe {
        let list = |start| std::slice::from_raw_parts(start, rank).to_vec();
        (tensor(raw), list(sizes), list(strides))
    };
    handle(Tensor { sizes, strides, offset, ..base.clone() })
}

macro_rules! answers {
    ($($name:ident($tensor:ident) -> $ty:ty = $answer:expr;)*) => {$(
        /// # Safety
        /// As PyTorch's header says.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(raw: Handle, out: *mut $ty) -> i32 {
            // SAFETY: as the caller says.
            unsafe {
                let $tensor = tensor(raw);
                out.write($answer);
            }
            0
        }
    )*};
}

answers! {
    aoti_torch_get_data_ptr(tensor) -> *mut c_void = tensor.data().cast();
    aoti_torch_get_dim(tensor) -> i64 = tensor.sizes.len() as i64;
    aoti_torch_get_sizes(tensor) -> *const i64 = tensor.sizes.as_ptr();
    aoti_torch_get_dtype(tensor) -> i32 = tensor.dtype;
    aoti_torch_get_device_type(_tensor) -> i32 = 0;
    aoti_torch_get_device_index(_tensor) -> i32 = -1;
    aoti_torch_is_contiguous(tensor) -> bool = {
        tensor.sizes.contains(&0) || tensor.strides == Tensor::dense(&tensor.sizes)
    };
    aoti_torch_new_tensor_handle(tensor) -> Handle = handle(tensor.clone());
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_delete_tensor_object(raw: Handle) -> i32 {
    HANDLES.fetch_sub(1, Ordering::SeqCst);
    // SAFETY: as the caller says.
    drop(unsafe { Box::from_raw(raw.cast::<Tensor>()) });
    0
}

/// Knows `aten::copy_`.
///
/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn aoti_torch_call_dispatcher(name: *const c_char, _: *const c_char, stack: *mut u64) -> i32 {
    // SAFETY: as the caller says.
    unsafe {
        if CStr::from_ptr(name) != c"aten::copy_" {
            return 1;
        }
        let (to, from) = (*stack as usize as Handle, *stack.add(1) as usize as Handle);
        let bytes = bytes_of(tensor(to).dtype);
        for (to, from) in tensor(to).places().into_iter().zip(tensor(from).places()) {
            std::ptr::copy_nonoverlapping(from, to, bytes);
        }
        aoti_torch_delete_tensor_object(from);
    }
    0
}
