//! ONNX Runtime as a library that this program loads.

use std::ffi::c_int;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::host::onnxruntime::abi::{Api, OrtApiBase, OrtEnv};

/// ONNX Runtime, loaded into this program. It stays loaded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Library(Arc<Loaded>);

#[derive(Debug)]
struct Loaded {
    api: Api,
    base: *const OrtApiBase,
    environment: *mut OrtEnv,
}

// SAFETY: the runtime allows every thread to use an environment; the table is constant.
#[expect(unsafe_code, reason = "a handle of a library that locks by itself")]
unsafe impl Send for Loaded {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a handle of a library that locks by itself")]
unsafe impl Sync for Loaded {}

/// Above all that the runtime logs by itself: each session has a level of its own.
const FATAL: c_int = 4;

impl Library {
    /// Loads `libonnxruntime.so.1.32.0` or the like. What is in the file runs in this process.
    ///
    /// # Errors
    /// When it can't be loaded, isn't ONNX Runtime, or is older than 1.17.
    #[expect(unsafe_code, reason = "loads a library, and calls it by its interface")]
    pub fn load(path: impl AsRef<Path>) -> Result<Library> {
        let path = path.as_ref();
        let within = |error: Error| error.within(format_args!("{}", path.display()));
        let failed = |reason: String| within(Error::new(ErrorKind::Io, reason));
        // SAFETY: the caller names an ONNX Runtime, whose initializers are its makers' own.
        let library = unsafe { libloading::Library::new(path) }.map_err(|e| failed(format!("can't be loaded: {e}")))?;
        type GetApiBase = unsafe extern "system" fn() -> *const OrtApiBase;
        // SAFETY: a function of this name is the runtime's entry.
        let entry = unsafe { library.get::<GetApiBase>(b"OrtGetApiBase\0") }.map(|entry| *entry);
        let entry = entry.map_err(|_| failed("it isn't ONNX Runtime: it has no `OrtGetApiBase`".into()))?;
        std::mem::forget(library);
        // SAFETY: the library stays loaded from here on; the base is its own.
        let (base, api) = unsafe {
            let base = entry();
            (base, Api::newest(base))
        };
        let api = api.ok_or_else(|| failed("it doesn't give its interface".into()))?;
        api.check_version().map_err(within)?;
        let mut environment = ptr::null_mut();
        // SAFETY: the text ends with 0 and is copied; the other pointer is to a local.
        unsafe { api.create_environment(FATAL, c"plugin-runtime".as_ptr(), &raw mut environment) }.map_err(within)?;
        Ok(Library(Arc::new(Loaded { api, base, environment })))
    }

    /// The newest interface that both sides know: 32 of ONNX Runtime 1.32, as far as it is known here.
    pub fn interface(&self) -> u32 {
        self.0.api.version()
    }

    pub(super) fn api(&self) -> Api {
        self.0.api
    }

    pub(super) fn base(&self) -> *const OrtApiBase {
        self.0.base
    }

    pub(super) fn environment(&self) -> *mut OrtEnv {
        self.0.environment
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: no session is left: each holds the library.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            self.api.release_environment(self.environment);
        }
    }
}
