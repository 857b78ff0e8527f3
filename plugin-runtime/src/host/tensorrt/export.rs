//! How a library of plugins is found by the host.

use std::ffi::c_void;
use std::ptr;

use super::creator::{Creator, Creators};
use super::log::{answer, host_version, is_loading, set_finder};
use super::version::Version;
use crate::error::Result;
use crate::host::library::pin;

/// The creators of all linked plugins as a TensorRT of a version is given them, for programs that register them by hand:
/// addresses of objects whose class is `IPluginCreatorInterface`. They live for ever, and are the same each time.
///
/// `version` is what `getInferLibVersion()` of that TensorRT gives.
///
/// # Errors
/// When the linked plugins contradict each other.
pub fn creators_for(version: i32) -> Result<Vec<*const c_void>> {
    pin();
    Ok(Creators::of(Some(Version(version)), true)?.iter().map(|creator| creator.cast()).collect())
}

/// What TensorRT calls when it loads this library, and when it unloads it: the creators of all linked plugins. Not for use
/// by hand.
///
/// # Safety
/// Called by TensorRT: `count` is room for a number.
#[expect(unsafe_code, reason = "called by the host")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getCreators(count: *mut i32) -> *const *const c_void {
    pin();
    if count.is_null() || !count.is_aligned() {
        return ptr::null();
    }
    let creators: &[*const Creator] = answer(&[], || Creators::of(host_version(), is_loading()));
    // SAFETY: as the caller says.
    unsafe { count.write(i32::try_from(creators.len()).unwrap_or(0)) };
    creators.as_ptr().cast()
}

/// What TensorRT calls first: where its log is found. Not for use by hand.
///
/// # Safety
/// Called by TensorRT: what isn't null is a logger finder, which stays as long as its library.
#[expect(unsafe_code, reason = "called by the host")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setLoggerFinder(finder: *mut c_void) {
    pin();
    answer((), || {
        set_finder(finder);
        Ok(())
    });
}
