//! How a library of plugins is found by the runtime.

use std::ffi::c_void;
use std::ptr;

use super::abi::{Api, OrtApiBase, OrtSessionOptions, Status};
use super::domain;
use crate::error::{Error, ErrorKind, Result};
use crate::host::fenced;

/// What ONNX Runtime calls when it loads this library for the options of a session. Not for use by hand: see [`register`].
///
/// # Safety
/// Called by the runtime, with its own pointers.
#[expect(unsafe_code, reason = "called by the runtime")]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn RegisterCustomOps(options: *mut c_void, base: *const OrtApiBase) -> *mut c_void {
    #[cfg(unix)]
    crate::host::library::pin();
    // SAFETY: as the caller says.
    let Some(api) = (unsafe { Api::newest(base) }) else { return ptr::null_mut() };
    let add = || domain::add_to(options.cast::<OrtSessionOptions>(), api).map(|()| ptr::null_mut());
    let status: Status = fenced(add, |kind, message| api.status(kind, message));
    status.cast()
}

/// Adds the linked plugins to the options of a session, for programs that have ONNX Runtime and the plugins in one: a
/// `*mut OrtSessionOptions`, and what `OrtGetApiBase()` returns. Plugins that the program never names aren't linked: write
/// `use my_plugins as _;`.
///
/// # Safety
/// Both pointers are ONNX Runtime's own; the options aren't used by another thread meanwhile.
///
/// # Errors
/// When the runtime is older than 1.17, the linked plugins contradict each other, or another plugin library has added a
/// domain of theirs to these options.
#[expect(unsafe_code, reason = "takes the runtime's pointers on trust")]
pub unsafe fn register(options: *mut c_void, base: *const c_void) -> Result<()> {
    // SAFETY: as the caller says.
    let Some(api) = (unsafe { Api::newest(base.cast()) }) else {
        return Err(Error::new(ErrorKind::Invalid, "this ONNX Runtime doesn't give its interface"));
    };
    domain::add_to(options.cast(), api)
}
