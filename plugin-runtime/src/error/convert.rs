//! Errors of others that become errors of this crate, as `?` does it in a plugin's own functions.

use std::collections::TryReserveError;
use std::error::Error as StdError;
use std::num::{ParseFloatError, ParseIntError, TryFromIntError};
use std::str::Utf8Error;
use std::string::FromUtf8Error;
use std::{fmt, io};

use super::{Error, ErrorKind};

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::OutOfMemory => ErrorKind::OutOfMemory,
            _ => ErrorKind::Io,
        };
        Error::from_error(kind, error)
    }
}

impl From<TryReserveError> for Error {
    fn from(error: TryReserveError) -> Self {
        Error::from_error(ErrorKind::OutOfMemory, error)
    }
}

macro_rules! invalid {
    ($($error:ty)*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::from_error(ErrorKind::Invalid, error)
            }
        }
    )*};
}

invalid! { TryFromIntError ParseIntError ParseFloatError Utf8Error FromUtf8Error }

impl From<String> for Error {
    fn from(message: String) -> Self {
        Error::plugin(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Error::plugin(message)
    }
}

/// An error of this crate in a box is that error again.
impl From<Box<dyn StdError + Send + Sync>> for Error {
    fn from(error: Box<dyn StdError + Send + Sync>) -> Self {
        match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::from_error(ErrorKind::Plugin, Boxed(other)),
        }
    }
}

/// Only the text of it is kept, as it may not change threads.
impl From<Box<dyn StdError>> for Error {
    fn from(error: Box<dyn StdError>) -> Self {
        match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::plugin(other),
        }
    }
}

/// A box that is an error itself.
#[derive(Debug)]
struct Boxed(Box<dyn StdError + Send + Sync>);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Boxed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
