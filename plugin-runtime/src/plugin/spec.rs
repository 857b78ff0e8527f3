//! A registered plugin as a type, so that the compiler checks its other functions against it.

use super::AttributeValue;
use crate::error::{Error, Result};

/// A registered plugin, as a type. `#[register]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a registered plugin",
    label = "write `name::Plugin`, of the module that `#[register]` makes beside the function"
)]
pub trait PluginSpec {
    /// The typed attribute struct.
    type Attributes: AttributeSet;
    /// `namespace::name`.
    const ID: &'static str;
    /// From 1.
    const VERSION: u32;
    /// Names of the inputs.
    const INPUTS: &'static [&'static str];
    /// Names of the attributes.
    const ATTRIBUTES: &'static [&'static str];
    /// Number of outputs.
    const OUTPUTS: usize;
}

/// A plugin's typed attribute struct. `#[register]` implements it.
pub trait AttributeSet: Sized + Send + Sync + 'static {
    /// From one value per attribute, in the registered order.
    ///
    /// # Errors
    /// When there are too few or too many, or one has another type than registered.
    fn from_values(values: &[AttributeValue]) -> Result<Self>;

    /// One value per attribute, in the registered order.
    fn to_values(&self) -> Vec<AttributeValue>;
}

/// The return type of a plugin's function: a value, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "this function returns `{Self}`, and should return `{T}` or `plugin_runtime::Result<{T}>`",
    label = "expected `{T}` or `plugin_runtime::Result<{T}>`",
    note = "the error of a `Result` may be any that converts to `plugin_runtime::Error`: of text, of `std::io`, in a `Box`"
)]
pub trait IntoResult<T> {
    /// As a `Result`.
    ///
    /// # Errors
    /// The error that the function returned.
    fn into_result(self) -> Result<T>;
}

impl<T> IntoResult<T> for T {
    fn into_result(self) -> Result<T> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Into<Error>> IntoResult<T> for Result<T, E> {
    fn into_result(self) -> Result<T> {
        self.map_err(Into::into)
    }
}

/// A tactic enum that lists what it has; `#[derive(Tactic)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a tactic",
    label = "write `tactic: i32`, or put `#[derive(Clone, Copy, Tactic)]` on this enum"
)]
pub trait KnownTactics: Sized {
    /// Number and name of each.
    const NAMES: &'static [(i32, &'static str)];

    /// The tactic of that number.
    fn find(id: i32) -> Option<Self>;
}
