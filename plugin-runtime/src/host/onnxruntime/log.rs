//! The session's log.

use std::ffi::{CString, c_int};

use super::abi::{Api, OrtLogger};

/// The log of a session, while its node is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    api: Api,
    raw: *const OrtLogger,
}

impl Log {
    pub(super) fn new(api: Api, raw: *const OrtLogger) -> Log {
        Log { api, raw }
    }

    /// Writes a line, where the log is to hold the least of all.
    pub(super) fn verbose(self, message: &dyn std::fmt::Display) {
        const VERBOSE: c_int = 0;
        let mut least = VERBOSE;
        // SAFETY: the logger lives while its node is made, and the other pointer is to a local.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let told = unsafe { self.api.log_level(self.raw, &raw mut least) };
        if told.is_err() || least > VERBOSE {
            return;
        }
        let Ok(message) = CString::new(message.to_string()) else { return };
        // SAFETY: as above; the texts end with 0 and are copied. That it fails is nothing that could be acted upon.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let _ = unsafe {
            self.api.log(self.raw, VERBOSE, message.as_ptr(), c"plugin-runtime".as_ptr(), 0, c"create".as_ptr())
        };
    }
}
