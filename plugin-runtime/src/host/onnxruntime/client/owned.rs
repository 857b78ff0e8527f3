//! Handles of the runtime's that are this program's to release.

use crate::host::onnxruntime::abi::Api;

/// A handle of the runtime's, which is released with it.
pub(super) struct Owned<T> {
    pub(super) raw: *mut T,
    api: Api,
    release: unsafe fn(Api, *mut T),
}

impl<T> Owned<T> {
    pub(super) fn new(api: Api, raw: *mut T, release: unsafe fn(Api, *mut T)) -> Self {
        Owned { raw, api, release }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: the handle came from the runtime, and is released here only.
            #[expect(unsafe_code, reason = "calls the runtime")]
            unsafe {
                (self.release)(self.api, self.raw);
            }
        }
    }
}
