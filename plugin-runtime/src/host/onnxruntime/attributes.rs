//! Attributes of a node, in the types that its plugin registered.

use crate::error::{Error, Result};
use crate::network::Preference;
use crate::network::onnx::{Given, converted, insisted};
use crate::plugin::{AttributeValue, Plugin};

/// What a node's attribute holds.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Read {
    Int(i64),
    Float(f64),
    Text(Vec<u8>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

impl Read {
    fn given(&self) -> Given<'_> {
        match self {
            Read::Int(value) => Given::Int(*value),
            Read::Float(value) => Given::Float(*value),
            Read::Text(bytes) => Given::Text(bytes),
            Read::Ints(values) => Given::Ints(values.as_slice().into()),
            Read::Floats(values) => Given::Floats(values.clone()),
        }
    }
}

/// Reads an attribute by name; `None` where the node has none of that name.
pub(super) type Reader<'r> = &'r dyn Fn(&str) -> Result<Option<Read>>;

/// Those of a plugin's attributes that the node has.
///
/// # Errors
/// When one is of a kind or has a value that the plugin doesn't take: names it, and says what it takes.
pub(super) fn of_plugin(plugin: &Plugin, read: Reader<'_>) -> Result<Vec<(&'static str, AttributeValue)>> {
    let mut values = Vec::new();
    for attribute in plugin.entry.attributes {
        let value =
            read(attribute.name).and_then(|read| read.map(|read| converted(&read.given(), attribute.ty)).transpose());
        let value = value.map_err(|error| error.within(format_args!("attribute `{}`", attribute.name)))?;
        values.extend(value.map(|value| (attribute.name, value)));
    }
    Ok(values)
}

/// The attributes that say which plugin a node is.
#[derive(Clone, Default, Debug)]
pub(super) struct Wanted {
    pub(super) namespace: Option<String>,
    pub(super) version: Option<u32>,
}

impl Wanted {
    pub(super) fn read(read: Reader<'_>) -> Result<Wanted> {
        let wrong =
            |name: &str, expected: &str| Error::invalid(format_args!("attribute `{name}`: {expected} is expected"));
        let namespace = match read("plugin_namespace")? {
            None => None,
            Some(Read::Text(text)) => Some(String::from_utf8_lossy(&text).into_owned()).filter(|text| !text.is_empty()),
            Some(_) => return Err(wrong("plugin_namespace", "STRING")),
        };
        let version = read("plugin_version")?.map(|version| {
            let version = match version {
                Read::Int(version) => u32::try_from(version).ok(),
                Read::Text(digits) => std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()),
                _ => None,
            };
            version.ok_or_else(|| wrong("plugin_version", "a version number, as INT or as the digits of a STRING,"))
        });
        Ok(Wanted { namespace, version: version.transpose()? })
    }
}

/// Whether the impl or the AOT kernels of a plugin run.
pub(super) fn preference(plugin: &Plugin, read: Reader<'_>) -> Result<Preference> {
    let flag = |name: &str| match read(name)? {
        None => Ok(None),
        Some(Read::Int(0)) => Ok(Some(false)),
        Some(Read::Int(1)) => Ok(Some(true)),
        Some(_) => Err(Error::invalid(format_args!("attribute `{name}`: 0 or 1 is expected, as INT"))),
    };
    match (flag("aot")?, flag("aot_preferred")?) {
        (None, None) => Ok(Preference::Unspecified),
        (None, Some(_)) => {
            Err(Error::invalid("attribute `aot_preferred`: it says nothing without the attribute `aot`"))
        }
        (Some(aot), preferred) => insisted(plugin, aot, preferred.unwrap_or(false)),
    }
}
