//! What can go wrong, with what a reader needs to mend it.

use std::fmt;

use crate::device::cuda::DeviceError;
use crate::plugin::RegistryError;
use crate::shape::{ProfileError, ShapeError};
use crate::tensor::DataType;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every error of this crate.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A mistake that a plugin's own function reports.
    #[error("{0}")]
    Plugin(String),

    /// A request that can't be met: a shape out of range, a name that isn't there, a wrong type.
    #[error("{0}")]
    Invalid(String),

    /// A tensor was viewed as a type that its elements don't have.
    #[error("{0}")]
    ElementType(Box<ElementTypeError>),

    /// The linked plugins contradict each other, or one that was asked for isn't there.
    #[error("{0}")]
    Registry(Box<RegistryError>),

    /// A shape can't be computed, or an optimization profile doesn't fit the network.
    #[error("{0}")]
    Shape(Box<ShapeError>),

    /// A device refused something, or something that ran on it failed.
    #[error("{0}")]
    Device(Box<DeviceError>),

    /// More memory would be needed than there is.
    #[error("{0}")]
    OutOfMemory(String),

    /// An error with the place in the network where it happened.
    #[error("{0}")]
    Layer(Box<LayerError>),
}

/// A tensor viewed as a type that its elements don't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tensor `{tensor}` holds {dtype}, which can't be viewed as {requested}")]
pub struct ElementTypeError {
    /// The parameter's or binding's name.
    pub tensor: String,
    /// What it holds.
    pub dtype: DataType,
    /// The Rust type asked for.
    pub requested: &'static str,
}

/// An error with the layer, plugin, tactic and shapes it belongs to.
#[derive(Debug, Clone)]
pub struct LayerError {
    /// The layer's name in its network.
    pub layer: String,
    /// The plugin's id and version, or what the builder inserted.
    pub plugin: String,
    /// The tactic that ran, where one did.
    pub tactic: Option<String>,
    /// Types and shapes of the inputs and outputs, where they are known.
    pub shapes: Option<String>,
    /// What happened.
    pub source: Error,
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer `{}` ({}", self.layer, self.plugin)?;
        if let Some(tactic) = self.tactic.as_deref().filter(|tactic| !tactic.is_empty()) {
            write!(f, ", tactic {tactic}")?;
        }
        if let Some(shapes) = self.shapes.as_deref().filter(|shapes| !shapes.is_empty()) {
            write!(f, ", {shapes}")?;
        }
        write!(f, "): {}", self.source)
    }
}

impl Error {
    /// A mistake to report from a plugin's own function.
    pub fn plugin(message: impl fmt::Display) -> Self {
        Error::Plugin(message.to_string())
    }

    /// The same, said of a layer.
    pub(crate) fn in_layer(self, layer: &str, plugin: &str) -> Self {
        let (layer, plugin) = (layer.to_owned(), plugin.to_owned());
        Error::Layer(Box::new(LayerError { layer, plugin, tactic: None, shapes: None, source: self }))
    }

    /// Whether more memory was needed than there is.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        match self {
            Error::OutOfMemory(_) => true,
            Error::Device(error) => error.is_out_of_memory(),
            Error::Layer(error) => error.source.is_out_of_memory(),
            _ => false,
        }
    }

    pub(crate) fn invalid(message: impl fmt::Display) -> Self {
        Error::Invalid(message.to_string())
    }
}

impl From<RegistryError> for Error {
    fn from(error: RegistryError) -> Self {
        Error::Registry(Box::new(error))
    }
}

impl From<ShapeError> for Error {
    fn from(error: ShapeError) -> Self {
        Error::Shape(Box::new(error))
    }
}

impl From<ProfileError> for Error {
    fn from(error: ProfileError) -> Self {
        ShapeError::from(error).into()
    }
}

impl From<ElementTypeError> for Error {
    fn from(error: ElementTypeError) -> Self {
        Error::ElementType(Box::new(error))
    }
}

/// Returns an [`Error::Plugin`] made from a format string.
#[macro_export]
macro_rules! bail {
    ($($arg:tt)*) => {
        return ::core::result::Result::Err($crate::Error::plugin(::core::format_args!($($arg)*)))
    };
}
