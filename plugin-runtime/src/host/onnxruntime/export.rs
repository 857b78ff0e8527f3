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
    pin();
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

/// Keeps this library mapped for as long as the process lives: sessions go on using what is in it after the runtime has
/// unloaded it, and threads of ours may run in it.
#[cfg(unix)]
fn pin() {
    use std::ffi::{CStr, OsStr, c_char, c_int};
    use std::os::unix::ffi::OsStrExt;
    use std::sync::Once;

    use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};

    #[repr(C)]
    struct Found {
        path: *const c_char,
        base: *mut c_void,
        symbol: *const c_char,
        address: *mut c_void,
    }

    #[expect(unsafe_code, reason = "a function of the system")]
    unsafe extern "C" {
        fn dladdr(address: *const c_void, found: *mut Found) -> c_int;
    }

    const RTLD_NODELETE: c_int = if cfg!(target_vendor = "apple") { 0x80 } else { 0x1000 };

    static PINNED: Once = Once::new();
    PINNED.call_once(|| {
        let mut found =
            Found { path: ptr::null(), base: ptr::null_mut(), symbol: ptr::null(), address: ptr::null_mut() };
        // SAFETY: the pointers are to a static and to a local; the path is a text that lives as long as the library. What is
        // opened is this library, which is initialized; of a program's own code it fails, and nothing has to be done.
        #[expect(unsafe_code, reason = "calls the system")]
        unsafe {
            if dladdr((&raw const PINNED).cast(), &raw mut found) == 0 || found.path.is_null() {
                return;
            }
            let path = OsStr::from_bytes(CStr::from_ptr(found.path).to_bytes());
            if let Ok(library) = Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) {
                std::mem::forget(library);
            }
        }
    });
}

#[cfg(not(unix))]
fn pin() {}
