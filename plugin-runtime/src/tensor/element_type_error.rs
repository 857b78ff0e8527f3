//! A tensor viewed as another type than its own.

use super::DataType;
use crate::error::{Error, ErrorKind};

/// A tensor viewed as a type that its elements don't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tensor `{tensor}` holds {dtype}, which can't be viewed as {requested}")]
#[non_exhaustive]
pub struct ElementTypeError {
    /// The parameter's or binding's name.
    pub tensor: String,
    /// Its element type.
    pub dtype: DataType,
    /// The Rust type asked for.
    pub requested: &'static str,
}

impl From<ElementTypeError> for Error {
    fn from(error: ElementTypeError) -> Self {
        Error::from_error(ErrorKind::ElementType, error)
    }
}
