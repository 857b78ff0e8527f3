//! The border to a host: no panic crosses it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::{discard, guarded_in};

/// Runs what a host called. Of what goes wrong in it, a panic included, `fail` makes the host's status: it is given the
/// whole message.
#[inline]
pub(crate) fn fenced<S>(body: impl FnOnce() -> Result<S>, fail: impl Fn(ErrorKind, &str) -> S) -> S {
    match guarded_in("the plugin library", body) {
        Ok(status) => status,
        Err(error) => told(error, fail),
    }
}

#[cold]
fn told<S>(error: Error, fail: impl Fn(ErrorKind, &str) -> S) -> S {
    let kind = error.kind();
    // To write or drop an error may run a plugin's own code.
    let told = catch_unwind(AssertUnwindSafe(|| {
        let message = error.to_string();
        drop(error);
        message
    }));
    match told {
        Ok(message) => fail(kind, &message),
        Err(payload) => {
            discard(payload);
            fail(kind, "the plugin library failed, and panicked when it was to say why")
        }
    }
}

/// A text that ends with 0 and is never freed: for what goes wrong at most once or twice in a process.
#[cfg(any(feature = "torch", feature = "jax"))]
#[cold]
pub(crate) fn leaked(message: &str) -> *const std::ffi::c_char {
    let text = std::ffi::CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
    text.into_raw().cast_const()
}

#[cfg(test)]
mod tests {
    use super::fenced;
    use crate::error::Error;

    #[test]
    fn an_error_or_panic_becomes_a_status() {
        let fail = |_, message: &str| message.to_owned();
        assert_eq!(fenced(|| Ok("done".to_owned()), fail), "done");
        assert_eq!(fenced(|| Err(Error::invalid("no").within("here")), fail), "here: no");
        let panicked = fenced(|| panic!("at {}", 7), fail);
        assert_eq!(panicked, "the plugin library panicked: at 7");
    }

    #[test]
    fn an_error_that_panics_when_it_is_written_becomes_a_status() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let status = fenced::<String>(|| std::panic::panic_any(Bomb), |_, message| message.to_owned());
        assert_eq!(status, "the plugin library panicked: a value that isn't text");
    }
}
