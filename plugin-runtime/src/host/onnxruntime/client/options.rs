//! How a session is made.

use std::ffi::{CString, c_int};
use std::ptr;

use super::Library;
use super::owned::Owned;
use crate::error::{Error, Result};
use crate::host::onnxruntime::abi::{Api, OrtSessionOptions};
use crate::host::onnxruntime::register;

/// How a session is made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[must_use]
pub struct SessionOptions {
    threads: Option<usize>,
    cuda: Option<usize>,
    verbose: bool,
    config: Vec<(String, String)>,
}

impl SessionOptions {
    /// On the CPU, with as many threads as the runtime chooses.
    pub fn new() -> Self {
        SessionOptions::default()
    }

    /// How many threads one node's work is spread over.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// On this GPU, counted from 0; what has no implementation for it runs on the CPU.
    pub fn cuda(mut self, gpu: usize) -> Self {
        self.cuda = Some(gpu);
        self
    }

    /// Logs all that the runtime has to say to standard error, what each plugin runs as among it; warnings otherwise.
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// An entry of the session's configuration, such as `session.intra_op.allow_spinning`.
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.push((key.into(), value.into()));
        self
    }
}

const VERBOSE: c_int = 0;
const WARNING: c_int = 2;

impl SessionOptions {
    /// As the runtime takes them, with the linked plugins among its operators.
    pub(super) fn made(&self, library: &Library) -> Result<Owned<OrtSessionOptions>> {
        let api = library.api();
        let mut options = Owned::new(api, ptr::null_mut(), Api::release_options);
        // SAFETY: what is made is released when it is dropped, texts end with 0 and are copied, and the rest are numbers.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            api.create_options(&raw mut options.raw)?;
            api.set_log_level(options.raw, if self.verbose { VERBOSE } else { WARNING })?;
            if let Some(threads) = self.threads {
                api.set_threads(options.raw, c_int::try_from(threads).unwrap_or(c_int::MAX))?;
            }
            for (key, value) in &self.config {
                let (key, value) = (c_text(key)?, c_text(value)?);
                api.add_config_entry(options.raw, key.as_ptr(), value.as_ptr())?;
            }
            register(options.raw.cast(), library.base().cast())?;
        }
        if let Some(gpu) = self.cuda {
            on_cuda(api, options.raw, gpu).map_err(|e| e.within("its CUDA provider"))?;
        }
        Ok(options)
    }
}

fn on_cuda(api: Api, options: *mut OrtSessionOptions, gpu: usize) -> Result<()> {
    let mut cuda = Owned::new(api, ptr::null_mut(), Api::release_cuda_options);
    let gpu = c_text(&gpu.to_string())?;
    let (keys, values) = ([c"device_id".as_ptr()], [gpu.as_ptr()]);
    // SAFETY: as many keys and values are given as is said, and what is made is released when it is dropped.
    #[expect(unsafe_code, reason = "calls the runtime")]
    unsafe {
        api.create_cuda_options(&raw mut cuda.raw)?;
        api.update_cuda_options(cuda.raw, keys.as_ptr(), values.as_ptr(), keys.len())?;
        api.append_cuda(options, cuda.raw)
    }
}

fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format_args!("`{}` holds a 0", text.escape_debug())))
}
