//! How a library of plugins is found by the host.

use std::ffi::c_void;
use std::ptr;

use super::creator::Creators;
use super::log::{answer, set_finder};
use crate::host::library::pin;

/// What TensorRT calls when it loads this library: all creators, one of each linked plugin. Not for use by hand.
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
    let creators: &[_] = answer(&[], || Ok(Creators::all()?.as_slice()));
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
