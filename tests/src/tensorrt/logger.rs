//! The host's log, one a thread.

#![expect(unsafe_code, reason = "is called by a plugin library")]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Vec<(i32, String)>> = const { RefCell::new(Vec::new()) };
}

#[repr(C)]
struct InterfaceInfo {
    kind: *const c_char,
    major: i32,
    minor: i32,
}

type This = *mut c_void;

/// A versioned interface with one function of its own.
#[repr(C)]
struct Table<F> {
    language: unsafe extern "C" fn(This) -> i32,
    info: unsafe extern "C" fn(This) -> InterfaceInfo,
    destructors: [unsafe extern "C" fn(This); 2],
    function: F,
}

#[repr(C)]
struct Object<F: 'static> {
    table: &'static Table<F>,
}

unsafe extern "C" fn language(_: This) -> i32 {
    0
}

unsafe extern "C" fn info(_: This) -> InterfaceInfo {
    InterfaceInfo { kind: c"ILogger".as_ptr(), major: 1, minor: 0 }
}

unsafe extern "C" fn never(_: This) {}

unsafe extern "C" fn write(_: This, severity: i32, message: *const c_char) {
    // SAFETY: a plugin library gives a text that ends with 0.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    LINES.with_borrow_mut(|lines| lines.push((severity, message)));
}

unsafe extern "C" fn find_logger(_: This) -> This {
    ptr::from_ref(&LOGGER).cast_mut().cast()
}

static LOGGER: Object<unsafe extern "C" fn(This, i32, *const c_char)> =
    Object { table: &Table { language, info, destructors: [never; 2], function: write } };

static FINDER: Object<unsafe extern "C" fn(This) -> This> =
    Object { table: &Table { language, info, destructors: [never; 2], function: find_logger } };

/// Gives the plugins this log.
pub(super) fn give() {
    static GIVEN: Once = Once::new();
    GIVEN.call_once(|| {
        let finder = ptr::from_ref(&FINDER).cast_mut().cast();
        // SAFETY: it is a finder, and a static.
        unsafe { plugin_runtime::host::tensorrt::setLoggerFinder(finder) };
    });
}

/// What this thread's plugins wrote since it was asked last, line by line: errors alone.
pub fn log() -> Vec<String> {
    let lines = LINES.with_borrow_mut(std::mem::take);
    lines.into_iter().filter(|(severity, _)| *severity <= 1).map(|(_, message)| message).collect()
}

/// Asserts that nothing was written since.
///
/// # Panics
/// When something was.
pub fn quiet(what: &str) {
    let lines = log();
    assert!(lines.is_empty(), "{what}: {lines:?}");
}
