//! A panic in a plugin's own function becomes an error.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

/// Runs `f`, turning a panic into an error that quotes it. What `f` may leave half done must be made anew or thrown
/// away by the caller.
#[inline]
pub(crate) fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    guarded_in("the plugin", f)
}

/// The same for what isn't a plugin's own function: `what` panicked.
#[inline]
pub(crate) fn guarded_in<T>(what: &str, f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| {
        let error = panicked(what, &*payload);
        discard(payload);
        Err(error)
    })
}

/// Drops what a panic carries, which may panic itself.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // It might go on like this for ever.
        std::mem::forget(another);
    }
}

#[cold]
fn panicked(what: &str, payload: &(dyn Any + Send)) -> Error {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that isn't text");
    Error::plugin(format_args!("{what} panicked: {text}"))
}
