//! What decides the tactics of hosts without sessions: said once for all plugins of a library.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::{Said, Tactics, fenced};
use crate::error::{Error, ErrorKind, Result};

static SAID: RwLock<Said> = RwLock::new(Said { lockfile: None, tune: None });

/// Twice how often something was said, and 1 where the inputs' extents matter; [`UNKNOWN`] until the first call.
static STATE: AtomicU64 = AtomicU64::new(UNKNOWN);
const UNKNOWN: u64 = u64::MAX;

/// What decides the tactics of a call that is made now.
///
/// # Errors
/// When a variable of the environment is neither 0 nor 1.
pub(crate) fn tactics() -> Result<Tactics> {
    SAID.read().unwrap_or_else(PoisonError::into_inner).tactics()
}

/// Changes whenever something is said: keys of calls begin with it, so that calls are made anew then.
#[inline]
pub(crate) fn generation() -> u64 {
    match STATE.load(Ordering::Relaxed) {
        UNKNOWN => begin(),
        state => state,
    }
}

/// Whether the inputs' extents decide what runs, so that calls are kept by them too.
#[inline]
pub(crate) fn extents_matter() -> bool {
    generation() & 1 == 1
}

#[cold]
fn begin() -> u64 {
    // What is wrong with the environment, the call that is made next says.
    let matter = tactics().is_ok_and(|tactics| tactics.need_extents());
    match STATE.compare_exchange(UNKNOWN, u64::from(matter), Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => u64::from(matter),
        Err(state) => state,
    }
}

/// Says what decides the tactics of the library's plugins in PyTorch and JAX from now on: `lockfile` is the path of a tuning
/// lockfile, and with `tune` of 1 all tactics are tried at the first call of each extents. Null and -1 leave it to
/// `PLUGIN_RUNTIME_LOCKFILE` and `PLUGIN_RUNTIME_TUNE`. Null is success; else a text that says what is wrong, which ends with
/// 0 and is never freed.
///
/// # Safety
/// `lockfile` is null or a text that ends with 0.
#[expect(unsafe_code, reason = "called by the Python package")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plugin_runtime_set_tactics(lockfile: *const c_char, tune: i32) -> *const c_char {
    let set = || {
        // SAFETY: as the caller says.
        let lockfile = (!lockfile.is_null()).then(|| unsafe { CStr::from_ptr(lockfile) });
        let lockfile = lockfile.map(|path| path.to_str().map(str::to_owned)).transpose();
        let lockfile = lockfile.map_err(|_| Error::invalid("the lockfile's path isn't UTF-8"))?;
        let tune = if tune < 0 { None } else { Some(tune != 0) };
        let said = Said { lockfile, tune };
        let matter = said.tactics()?.need_extents();
        let before = generation();
        *SAID.write().unwrap_or_else(PoisonError::into_inner) = said;
        STATE.store(((before >> 1) + 1) << 1 | u64::from(matter), Ordering::Relaxed);
        Ok(ptr::null())
    };
    fenced(set, |_: ErrorKind, message: &str| super::leaked(message))
}
