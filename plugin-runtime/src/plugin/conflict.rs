//! Errors of the registry: conflicts between linked plugins, and failed look-ups.

use std::fmt;
use std::sync::Arc;

use super::{Location, Plugin};
use crate::error::{Error, ErrorKind};

/// Two entries that can't both stand, or one that stands alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Conflict {
    /// The same thing was written twice.
    Duplicate {
        /// The attribute, with the device where there is one.
        what: String,
        /// The plugin's id and version.
        plugin: String,
        /// Where, both times.
        locations: [Location; 2],
    },
    /// A plugin that nobody registered.
    Orphan {
        /// The attribute.
        what: &'static str,
        /// The plugin's id and version.
        plugin: String,
        /// Where it is written.
        location: Location,
        /// Registered ids that look alike.
        nearest: Vec<String>,
    },
    /// Two plugins that ONNX models would name alike.
    OnnxName {
        /// `domain::Operator`.
        name: &'static str,
        /// The plugins' ids and versions, and where they are registered.
        claims: [(String, Location); 2],
    },
}

impl Conflict {
    pub(super) fn duplicate(what: String, plugin: &Plugin, locations: [Location; 2]) -> Self {
        Conflict::Duplicate { what, plugin: plugin.label(), locations }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::Duplicate { what, plugin, locations: [first, second] } => {
                write!(f, "`{plugin}` has two {what}: at {first} and at {second}")
            }
            Conflict::Orphan { what, plugin, location, nearest } => {
                write!(f, "{what} at {location} is for `{plugin}`, which nobody registered")?;
                write_nearest(f, nearest)
            }
            Conflict::OnnxName { name, claims: [(first, here), (second, there)] } => write!(
                f,
                "`{first}` at {here} and `{second}` at {there} are both found as `{name}` in ONNX models: take it out of \
                 `onnx = ..` of one of them"
            ),
        }
    }
}

/// An error of the registry: conflicts between linked plugins, or a failed look-up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistryError {
    /// Entries that contradict each other.
    Conflicts(Arc<[Conflict]>),
    /// A plugin that isn't linked.
    Unknown {
        /// The id asked for.
        id: String,
        /// The version asked for.
        version: u32,
        /// The versions of this id that are linked.
        versions: Vec<u32>,
        /// Linked ids that look alike, nearest first.
        nearest: Vec<String>,
        /// How many plugins are linked.
        linked: usize,
    },
}

impl std::error::Error for RegistryError {}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistryError::Conflicts(conflicts) => {
                write!(f, "the linked plugins contradict each other")?;
                conflicts.iter().try_for_each(|c| write!(f, "\n  {c}"))
            }
            RegistryError::Unknown { id, version, versions, .. } if !versions.is_empty() => {
                let versions: Vec<String> = versions.iter().map(u32::to_string).collect();
                write!(f, "plugin `{id}` is linked at version {}, not {version}", versions.join(", "))
            }
            RegistryError::Unknown { id, version, nearest, linked, .. } => {
                write!(f, "no plugin `{id}` v{version} is linked")?;
                write_nearest(f, nearest)?;
                write!(f, "; {}", self::linked(*linked))
            }
        }
    }
}

/// How many plugins are linked, and what to do where one is missing.
pub(crate) fn linked(count: usize) -> String {
    let are = match count {
        0 => "no plugin is".into(),
        1 => "1 plugin is".into(),
        _ => format!("{count} plugins are"),
    };
    format!("{are} linked. A crate of plugins that is never named links none of them: add `use the_crate as _;`")
}

fn write_nearest(f: &mut fmt::Formatter<'_>, nearest: &[String]) -> fmt::Result {
    match nearest {
        [] => Ok(()),
        names => write!(f, "; did you mean `{}`?", names.join("` or `")),
    }
}

impl From<RegistryError> for Error {
    fn from(error: RegistryError) -> Self {
        Error::from_error(ErrorKind::Registry, error)
    }
}
