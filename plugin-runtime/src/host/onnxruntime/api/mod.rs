//! What the runtime hands to its callbacks, each as a value with methods.

mod context;
mod inference;
mod info;
mod memory;
mod tensor_shape;

pub(super) use context::Context;
pub(super) use inference::{Found, Inference};
pub(super) use info::Info;
pub(super) use memory::{Allocator, Scratch};
pub(super) use tensor_shape::{ElementType, TensorShape};

use std::ffi::{CString, c_char};

use crate::error::{Error, Result};

/// A name for the runtime.
fn c_name(name: &str) -> Result<CString> {
    CString::new(name).map_err(|_| Error::invalid(format_args!("`{}` holds a 0", name.escape_debug())))
}

/// A text that the runtime copies: `read` is first asked for its size, the 0 at the end included, then for the text.
fn text(mut read: impl FnMut(*mut c_char, &mut usize) -> Result<()>) -> Result<Vec<u8>> {
    let mut size = 0;
    read(std::ptr::null_mut(), &mut size)?;
    let mut bytes = vec![0u8; size];
    if size > 0 {
        read(bytes.as_mut_ptr().cast(), &mut size)?;
    }
    bytes.truncate(size);
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}
