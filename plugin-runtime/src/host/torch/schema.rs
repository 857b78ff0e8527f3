//! A plugin as the schema of an operator.
//!
//! Inputs come first, then the attributes without a default, in the order of the register function; those with a default
//! are given by keyword only. An input that the plugin updates in place is marked as written, and isn't returned.

use std::ffi::CString;
use std::fmt::{self, Write};

use crate::error::{Error, Result};
use crate::host::taken;
use crate::plugin::{AttributeSchema, AttributeType, AttributeValue, Plugin};

/// What an operator takes and returns.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) namespace: CString,
    /// With its overload, where it has one.
    pub(super) name: CString,
    pub(super) text: CString,
    /// Those after the inputs.
    pub(super) attributes: Vec<Argument>,
    /// For each output the input that it is updated in place over.
    pub(super) aliases: Vec<Option<usize>>,
}

/// An attribute as an argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether PyTorch hands over a pointer, or null for the default.
    pub(super) is_optional: bool,
}

/// What PyTorch calls an attribute's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Int,
    Float,
    Bool,
    Text,
    Ints,
    Floats,
    Bools,
}

impl Kind {
    fn of(ty: AttributeType) -> Kind {
        use AttributeType as Type;
        match ty {
            Type::Int32 | Type::Int64 => Kind::Int,
            Type::Float32 | Type::Float64 => Kind::Float,
            Type::Bool => Kind::Bool,
            Type::Str => Kind::Text,
            Type::Bytes | Type::Int8s | Type::Int16s | Type::Int32s | Type::Int64s => Kind::Ints,
            Type::Float16s | Type::BFloat16s | Type::Float32s | Type::Float64s => Kind::Floats,
            Type::Bools => Kind::Bools,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Bool => "bool",
            Kind::Text => "str",
            Kind::Ints => "int[]",
            Kind::Floats => "float[]",
            Kind::Bools => "bool[]",
        }
    }

    /// An item of a list, of which a boolean is the low byte.
    #[inline]
    pub(super) fn item(self, word: u64) -> u64 {
        if self == Kind::Bools { word & 0xff } else { word }
    }
}

impl Schema {
    /// The newest version of a plugin is the operator of its name; older ones are overloads `v1`, `v2` .. of it.
    ///
    /// # Errors
    /// When a name holds a 0.
    pub(super) fn new(plugin: &'static Plugin, is_newest: bool) -> Result<Schema> {
        let entry = &plugin.entry;
        let (namespace, name) = entry.id.split_once("::").unwrap_or(("plugins", entry.id));
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let namespace: String = namespace.chars().map(|c| if is_word(c) { c } else { '_' }).collect();
        let name = if is_newest { name.to_owned() } else { format!("{name}.v{}", entry.version) };
        let aliases = taken(plugin).aliases;
        let (text, attributes) = text(&name, plugin, &aliases)?;
        let ended = |text: String| CString::new(text).map_err(|_| Error::invalid("a name holds a 0"));
        Ok(Schema { namespace: ended(namespace)?, name: ended(name)?, text: ended(text)?, attributes, aliases })
    }
}

fn text(name: &str, plugin: &Plugin, aliases: &[Option<usize>]) -> Result<(String, Vec<Argument>)> {
    let entry = &plugin.entry;
    let mut parts = Vec::new();
    for (index, input) in entry.inputs.iter().enumerate() {
        let is_written = aliases.contains(&Some(index));
        parts.push(if is_written { format!("Tensor(a{index}!) {input}") } else { format!("Tensor {input}") });
    }
    let mut attributes = Vec::new();
    let (given, with_default): (Vec<&AttributeSchema>, Vec<_>) =
        entry.attributes.iter().partition(|attribute| attribute.default.is_none());
    for attribute in given {
        let kind = Kind::of(attribute.ty);
        parts.push(format!("{} {}", kind.name(), attribute.name));
        attributes.push(Argument { name: attribute.name, kind, is_optional: false });
    }
    if !with_default.is_empty() {
        parts.push("*".into());
    }
    for attribute in with_default {
        let kind = Kind::of(attribute.ty);
        let default = attribute.default.and_then(|default| written(&default()));
        let is_optional = default.is_none();
        let (optional, default) = if is_optional { ("?", "None") } else { ("", default.as_deref().unwrap_or("")) };
        parts.push(format!("{}{optional} {}={default}", kind.name(), attribute.name));
        attributes.push(Argument { name: attribute.name, kind, is_optional });
    }
    let returned = aliases.iter().filter(|alias| alias.is_none()).count();
    let returned = match returned {
        1 => "Tensor".into(),
        count => format!("({})", vec!["Tensor"; count].join(", ")),
    };
    Ok((format!("{name}({}) -> {returned}", parts.join(", ")), attributes))
}

/// A default value as a schema can hold it; `None` for those that it can't.
fn written(value: &AttributeValue) -> Option<String> {
    use AttributeValue as Value;
    match value {
        Value::Int32(value) => Some(value.to_string()),
        Value::Int64(value) => Some(value.to_string()),
        Value::Float32(value) => float(*value, value.is_finite()),
        Value::Float64(value) => float(*value, value.is_finite()),
        Value::Bool(value) => Some(if *value { "True" } else { "False" }.into()),
        Value::Str(value) => {
            let is_plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !"\"'\\".contains(c);
            value.chars().all(is_plain).then(|| format!("\"{value}\""))
        }
        Value::Bytes(values) => list(values),
        Value::Int8s(values) => list(values),
        Value::Int16s(values) => list(values),
        Value::Int32s(values) => list(values),
        Value::Int64s(values) => list(values),
        Value::Float32s(values) if values.iter().all(|value| value.is_finite()) => debug_list(values),
        Value::Float64s(values) if values.iter().all(|value| value.is_finite()) => debug_list(values),
        _ => None,
    }
}

fn float(value: impl fmt::Debug, is_finite: bool) -> Option<String> {
    is_finite.then(|| format!("{value:?}"))
}

fn list(values: &[impl fmt::Display]) -> Option<String> {
    let mut text = String::from("[");
    for (index, value) in values.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(text, "{separator}{value}").ok()?;
    }
    text.push(']');
    Some(text)
}

fn debug_list<T: fmt::Debug>(values: &[T]) -> Option<String> {
    let texts: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    list(&texts)
}
