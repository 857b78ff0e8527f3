//! Errors of shapes.

use super::profile::ProfileError;
use crate::error::{Error, ErrorKind};

/// An error of a shape expression, its evaluation, or an optimization profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// An expression that carries a mistake from where it was made.
    #[error("{reason}")]
    Invalid {
        /// The mistake.
        reason: String,
    },
    /// A value that 64 bits can't hold.
    #[error("`{expression}` leaves the 64-bit range of shape expressions{values}")]
    Overflow {
        /// The expression, cut where it is long.
        expression: String,
        /// The values of its symbols: ` where d0 = 1`.
        values: String,
    },
    /// A division by zero.
    #[error("`{expression}` divides by zero{values}")]
    DivisionByZero {
        /// The expression, cut where it is long.
        expression: String,
        /// The values of its symbols: ` where d0 = 0`.
        values: String,
    },
    /// Extents that have to be equal, and aren't.
    #[error("`{left}` must equal `{right}`{values}")]
    Differ {
        /// One of them.
        left: String,
        /// The other one.
        right: String,
        /// The values of their symbols: ` where d0 = 1, d1 = 2`.
        values: String,
    },
    /// A symbol that no value was given for.
    #[error("`{symbol}` is symbol {index}, but there are values for {available} symbols only")]
    MissingSymbol {
        /// The symbol's name.
        symbol: String,
        /// The index at which its value was looked for.
        index: u32,
        /// How many values were given.
        available: usize,
    },
    /// A size tensor that is still being described has no value.
    #[error("the extent of size tensor `{symbol}` is known only when the plugin that describes it has run")]
    UnknownExtent {
        /// The symbol's name.
        symbol: String,
    },
    /// A buffer given to an evaluation is too small.
    #[error("the {buffer} buffer of a shape evaluation holds {got} values, but {expected} are needed")]
    Buffer {
        /// Which one.
        buffer: &'static str,
        /// Values needed.
        expected: usize,
        /// Values it holds.
        got: usize,
    },
    /// A range of a symbol whose minimum is above its maximum.
    #[error("the range of `{symbol}` is empty: its minimum {min} is above its maximum {max}")]
    EmptyRange {
        /// The symbol's name.
        symbol: String,
        /// The minimum given.
        min: i64,
        /// The maximum given.
        max: i64,
    },
    /// A profile that doesn't fit the network.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl From<ShapeError> for Error {
    fn from(error: ShapeError) -> Self {
        Error::from_error(ErrorKind::Shape, error)
    }
}

impl From<ProfileError> for Error {
    fn from(error: ProfileError) -> Self {
        ShapeError::from(error).into()
    }
}
