//! Errors: kind, message, context, causes.

mod context;
mod convert;
mod kind;
#[cfg(test)]
mod tests;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

pub use context::{Context, LayerContext};
pub use kind::ErrorKind;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every error of this crate: a kind to match, a message, and the context that it passed through on its way.
///
/// ```
/// use plugin_runtime::{Error, ErrorKind, prelude::*};
///
/// fn parse(text: &str) -> Result<i64> {
///     Ok(text.parse::<i64>()?)
/// }
///
/// let error = parse("many").unwrap_err().within("attribute `count`");
/// assert_eq!(error.to_string(), "attribute `count`: invalid digit found in string");
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// ```
///
/// `Display` and `Debug` say the same: the context, the outermost first, then the message. `Debug` adds the causes, since
/// `main() -> Result`, `unwrap` and tests print nothing else.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    /// The innermost first.
    context: Vec<Context>,
    /// The error that `message` was made from.
    payload: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Error(Box::new(Inner { kind, message: message.to_string(), context: Vec::new(), payload: None }))
    }

    /// A mistake to report from a plugin's own function.
    pub fn plugin(message: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Plugin, message)
    }

    pub(crate) fn invalid(message: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Invalid, message)
    }

    /// An error made from another one, which [`Error::downcast_ref`] finds again.
    pub fn from_error(kind: ErrorKind, error: impl StdError + Send + Sync + 'static) -> Self {
        let mut made = Error::new(kind, &error);
        made.0.payload = Some(Arc::new(error));
        made
    }

    /// The kind of error, whatever context it passed through.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message, without the context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The context, the outermost place first.
    pub fn context(&self) -> impl Iterator<Item = &Context> {
        self.0.context.iter().rev()
    }

    /// The layer where it went wrong, if it did in one.
    pub fn layer(&self) -> Option<&LayerContext> {
        self.0.context.iter().find_map(|context| match context {
            Context::Layer(layer) => Some(&**layer),
            Context::Place(_) => None,
        })
    }

    /// The error of another type that this one was made from.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.payload.as_deref()?.downcast_ref()
    }

    /// The same, with the place where it happened: `place: ..`.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.0.context.push(Context::Place(place.to_string()));
        self
    }

    /// The same, said of a layer of a network.
    #[must_use]
    pub fn in_layer(mut self, layer: LayerContext) -> Self {
        self.0.context.push(Context::Layer(Box::new(layer)));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.context() {
            write!(f, "{context}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        if cause.is_some() {
            f.write_str("\n\nCaused by:")?;
        }
        while let Some(error) = cause {
            write!(f, "\n    {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    /// The cause of the error that it was made from, which its own message repeats.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.payload.as_deref()?.source()
    }
}

/// Returns an error made from a format string. It works in any function whose error can be made from [`Error`].
#[macro_export]
macro_rules! bail {
    ($($arg:tt)*) => {
        return $crate::__private::CanFail::failed($crate::Error::plugin(::core::format_args!($($arg)*)))
    };
}

/// What functions return that [`bail!`] stands in.
#[diagnostic::on_unimplemented(
    message = "`bail!` returns an error, which `{Self}` can't be",
    label = "let what it stands in return a `Result`: write `-> Result<{Self}>`, and `Ok(..)` around what it returns else"
)]
pub trait CanFail {
    /// The error as what the function returns.
    fn failed(error: Error) -> Self;
}

impl<T, E: From<Error>> CanFail for std::result::Result<T, E> {
    fn failed(error: Error) -> Self {
        Err(error.into())
    }
}
