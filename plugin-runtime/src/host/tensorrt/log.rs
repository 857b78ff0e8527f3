//! The host's log.

use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::abi::{FinderTable, Foreign, OldFinderTable, Severity};
use super::version::Version;
use crate::error::{ErrorKind, Result};
use crate::host::fenced;

/// The host that gave its logger last. Finders are statics of its library.
#[derive(Clone, Copy)]
struct Host {
    finder: *mut c_void,
    version: Option<Version>,
    /// Whether it was given and not asked for since: a host gives it when it loads this library, not when it unloads it.
    is_new: bool,
}

// SAFETY: a logger of TensorRT may be called by every thread, and so may what finds it.
#[expect(unsafe_code, reason = "a handle that every thread may use")]
unsafe impl Send for Host {}

static HOST: Mutex<Host> = Mutex::new(Host { finder: ptr::null_mut(), version: None, is_new: false });

fn host() -> Host {
    *HOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the host's logger: null takes it away.
pub(super) fn set_finder(finder: *mut c_void) {
    let version = Version::of_object(finder);
    *HOST.lock().unwrap_or_else(PoisonError::into_inner) = Host { finder, version, is_new: true };
}

/// The version of the library that loaded this one, where it is known.
pub(super) fn host_version() -> Option<Version> {
    host().version
}

/// Whether the host loads this library, or unloads it: asked once each time.
pub(super) fn is_loading() -> bool {
    std::mem::take(&mut HOST.lock().unwrap_or_else(PoisonError::into_inner).is_new)
}

/// Runs what the host called. What goes wrong in it, a panic included, is written to the host's log, and `failed` is what
/// the host is given.
#[inline]
pub(super) fn answer<S: Copy>(failed: S, body: impl FnOnce() -> Result<S>) -> S {
    fenced(body, |_: ErrorKind, message: &str| {
        write(Severity::Error, message);
        failed
    })
}

/// Writes a line: to the host's log, or to stderr where it has given none.
#[cold]
pub(super) fn write(severity: Severity, message: &str) {
    let text: Vec<u8> = message.bytes().map(|byte| if byte == 0 { b' ' } else { byte }).collect();
    let Ok(text) = CString::new(text) else { return };
    if !log(host(), severity, &text) && severity != Severity::Verbose {
        // There is nobody to tell that stderr is closed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{message}\n").as_bytes());
    }
}

/// Whether the host has a logger that it was given to.
fn log(host: Host, severity: Severity, text: &CString) -> bool {
    if host.finder.is_null() {
        return false;
    }
    let severity = severity as i32;
    // SAFETY: the host gave this finder, whose functions stand where its version puts them; a logger that it finds lives
    // as long as this call. The text ends with 0 and is copied.
    #[expect(unsafe_code, reason = "calls the host")]
    unsafe {
        if host.version.is_some_and(Version::has_old_loggers) {
            let finder = host.finder.cast::<Foreign<OldFinderTable>>();
            let logger = ((*(*finder).table).find)(finder.cast());
            if logger.is_null() {
                return false;
            }
            ((*(*logger).table).log)(logger.cast(), severity, text.as_ptr());
        } else {
            let finder = host.finder.cast::<Foreign<FinderTable>>();
            let logger = ((*(*finder).table).find)(finder.cast());
            if logger.is_null() {
                return false;
            }
            ((*(*logger).table).log)(logger.cast(), severity, text.as_ptr());
        }
    }
    true
}
