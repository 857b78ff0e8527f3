//! How PyTorch comes to the plugins of a library.

use std::ffi::c_char;
use std::ptr;

use super::operators::register;
use crate::error::ErrorKind;
use crate::host::library::pin;
use crate::host::{fenced, leaked};

/// Registers the library's plugins with the PyTorch of this process, where that wasn't done when it was loaded. Null where
/// they are registered; else a text that says why not, which ends with 0 and is never freed.
#[expect(unsafe_code, reason = "called by the Python package")]
#[unsafe(no_mangle)]
pub extern "C" fn plugin_runtime_register_torch() -> *const c_char {
    pin();
    let registered = || match register()? {
        true => Ok(ptr::null()),
        false => Ok(c"PyTorch isn't loaded in this process: import torch first".as_ptr()),
    };
    fenced(registered, |_: ErrorKind, message: &str| leaked(message))
}

/// Registers them when the library is loaded into a process that has PyTorch, as by `torch.ops.load_library`.
extern "C" fn loaded() {
    let registered = || register().map(|_| ());
    fenced(registered, |_, message| {
        // There is nobody to tell that stderr is closed.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("torch operators of plugins: {message}\n").as_bytes(),
        );
    });
}

#[cfg(target_os = "linux")]
#[used]
#[expect(unsafe_code, reason = "a function that the loader calls")]
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C" fn() = loaded;
