//! Plugins and attributes as Python names them.

use crate::error::{Error, Result};
use crate::network::onnx::{Given, converted_from};
use crate::plugin::{AttributeType, AttributeValue, Plugin, Registry};
use crate::suggest::did_you_mean;

/// A plugin's attributes by name.
pub(crate) type Attributes = Vec<(&'static str, AttributeValue)>;

/// The plugin of an id and version, or of the newest.
///
/// # Errors
/// When it isn't linked: lists the versions or the nearest ids that are.
pub(crate) fn plugin_of(id: &str, version: Option<u32>) -> Result<&'static Plugin> {
    let registry = Registry::global()?;
    let newest = || registry.plugins().iter().rfind(|plugin| plugin.entry.id == id);
    match (version, newest()) {
        (None, Some(plugin)) => Ok(plugin),
        (version, _) => Ok(registry.get(id, version.unwrap_or(1))?),
    }
}

/// The attributes that are given, in the types that a plugin registered.
///
/// # Errors
/// When the plugin has no such attribute, or one is of a kind or has a value that it doesn't take: names it, and says what
/// it takes.
pub(crate) fn of_python(plugin: &Plugin, given: &[(&str, Given<'_>)]) -> Result<Attributes> {
    given.iter().map(|(name, value)| one(plugin, name, value)).collect()
}

/// The same of one.
///
/// # Errors
/// As [`of_python`].
pub(crate) fn one(plugin: &Plugin, name: &str, value: &Given<'_>) -> Result<(&'static str, AttributeValue)> {
    let known = plugin.entry.attributes;
    let Some(attribute) = known.iter().find(|attribute| attribute.name == name) else {
        return Err(Error::invalid(format_args!(
            "plugin `{}` has no attribute `{name}`{}",
            plugin.label(),
            did_you_mean(name, known.iter().map(|attribute| attribute.name))
        )));
    };
    let value = converted_from(value, attribute.ty, accepted);
    let value = value.map_err(|error| error.within(format_args!("attribute `{name}` of `{}`", plugin.label())))?;
    Ok((attribute.name, value))
}

/// What a type of attribute takes, in Python's words.
fn accepted(wanted: AttributeType) -> &'static str {
    use AttributeType as Type;
    match wanted {
        Type::Int32 | Type::Int64 => "an int",
        Type::Bool => "a bool",
        Type::Float32 | Type::Float64 => "a float, or an int that it holds exactly",
        Type::Str => "a str",
        Type::Bytes => "bytes, or a list of ints of 0 to 255",
        Type::Bools => "a list of bools",
        Type::Int8s | Type::Int16s | Type::Int32s | Type::Int64s => "a list of ints",
        Type::Float16s | Type::BFloat16s | Type::Float32s | Type::Float64s => {
            "a list of floats, or of ints that it holds exactly"
        }
    }
}
