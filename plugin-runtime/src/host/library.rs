//! Shared libraries of this process: which one an address lies in, and how ours stays mapped.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
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

const APPLE: bool = cfg!(target_vendor = "apple");
const RTLD_NODELETE: c_int = if APPLE { 0x80 } else { 0x1000 };
#[cfg(any(feature = "tensorrt", feature = "tvm_ffi", feature = "torch"))]
const RTLD_NOLOAD: c_int = if APPLE { 0x10 } else { 0x4 };

/// Opens the library that an address lies in, which is loaded already; `None` where it lies in none, or in the program.
#[cfg(feature = "tensorrt")]
pub(crate) fn library_of(address: *const c_void) -> Option<Library> {
    open(address, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD)
}

/// Opens a library by its name, if it is loaded already.
#[cfg(any(feature = "tensorrt", feature = "tvm_ffi", feature = "torch"))]
pub(crate) fn loaded(name: &str) -> Option<Library> {
    // SAFETY: nothing is loaded, so nothing is initialized.
    #[expect(unsafe_code, reason = "calls the system")]
    unsafe {
        Library::open(Some(name), RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD).ok()
    }
}

/// Keeps this library mapped for as long as the process lives: hosts go on using what is in it after they have unloaded it,
/// and threads of ours may run in it.
pub(crate) fn pin() {
    static PINNED: Once = Once::new();
    PINNED.call_once(|| {
        let library = open((&raw const PINNED).cast(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
        std::mem::forget(library);
    });
}

fn open(address: *const c_void, flags: c_int) -> Option<Library> {
    let mut found = Found { path: ptr::null(), base: ptr::null_mut(), symbol: ptr::null(), address: ptr::null_mut() };
    // SAFETY: the pointer is to a local; the path is a text that lives as long as its library. What is opened is loaded
    // and initialized; of a program's own code it fails, and nothing has to be done.
    #[expect(unsafe_code, reason = "calls the system")]
    unsafe {
        if dladdr(address, &raw mut found) == 0 || found.path.is_null() {
            return None;
        }
        let path = OsStr::from_bytes(CStr::from_ptr(found.path).to_bytes());
        Library::open(Some(path), flags).ok()
    }
}
