//! The functions of PyTorch's stable C interface that plugins use, on the CPU: tensors have a place, extents and strides, and
//! live as long as there are handles of them. What isn't given back is counted.
//!
//! Signatures are written down here once more, from PyTorch's headers, and not shared with what is tested.

#![expect(unsafe_code, reason = "exports functions of C")]

mod list;
mod registry;
mod tensor;

use std::ffi::c_void;

/// A tensor, list, text or registration.
pub(crate) type Handle = *mut c_void;

/// Numbers of types, devices and so on.
macro_rules! numbers {
    ($($name:ident = $value:literal;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C-unwind" fn $name() -> i32 {
            $value
        }
    )*};
}

numbers! {
    aoti_torch_dtype_uint8 = 0;
    aoti_torch_dtype_int8 = 1;
    aoti_torch_dtype_int32 = 3;
    aoti_torch_dtype_int64 = 4;
    aoti_torch_dtype_float16 = 5;
    aoti_torch_dtype_float32 = 6;
    aoti_torch_dtype_bool = 11;
    aoti_torch_dtype_bfloat16 = 15;
    aoti_torch_dtype_float8_e4m3fn = 24;
    aoti_torch_device_type_cpu = 0;
    aoti_torch_device_type_cuda = 1;
}

/// 2.11, or what the environment says of the minor version.
#[unsafe(no_mangle)]
extern "C-unwind" fn aoti_torch_abi_version() -> u64 {
    let minor = std::env::var("STAND_IN_TORCH_MINOR").ok().and_then(|minor| minor.parse().ok()).unwrap_or(11u64);
    2 << 56 | minor << 48
}
