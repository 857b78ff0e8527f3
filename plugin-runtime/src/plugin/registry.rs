//! The link-time entries, joined once into a sorted index.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{
    AOT_IMPLS, AUTOTUNES, AotEntry, AutotuneEntry, IMPLS, ImplEntry, Location, PLUGINS, PluginEntry,
    suggest::nearest_names,
};
use crate::device::DeviceKind;

/// One plugin with all that was written for it.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// What `#[register]` says.
    pub entry: PluginEntry,
    /// What `#[autotune]` says.
    pub autotune: Option<AutotuneEntry>,
    /// What each `#[impl_plugin]` says, at most one a device, in the order of [`DeviceKind`].
    pub impls: Vec<ImplEntry>,
    /// What `#[aot_impl]` says.
    pub aot: Option<AotEntry>,
}

impl Plugin {
    /// The impl for a device.
    pub fn impl_for(&self, device: DeviceKind) -> Option<&ImplEntry> {
        self.impls.iter().find(|i| i.device == device)
    }

    /// `namespace::name v1`
    pub fn label(&self) -> String {
        label(self.entry.id, self.entry.version)
    }
}

impl ImplEntry {
    /// `namespace::name v1`
    pub(crate) fn label(&self) -> String {
        label(self.id, self.version)
    }
}

/// Every plugin linked into the program, by id and version.
#[derive(Clone, Debug)]
pub struct Registry {
    plugins: Vec<Plugin>,
}

impl Registry {
    /// The plugins that are linked into this program. Joined at the first call.
    ///
    /// # Errors
    /// When two entries contradict each other: every conflict, each with both source locations.
    pub fn global() -> Result<&'static Registry, RegistryError> {
        static GLOBAL: OnceLock<Result<Registry, RegistryError>> = OnceLock::new();
        GLOBAL
            .get_or_init(|| Registry::join(&PLUGINS, &AUTOTUNES, &IMPLS, &AOT_IMPLS))
            .as_ref()
            .map_err(RegistryError::clone)
    }

    /// Joins entries, in whatever order they come.
    ///
    /// # Errors
    /// As [`Registry::global`].
    pub fn join(
        plugins: &[PluginEntry],
        autotunes: &[AutotuneEntry],
        impls: &[ImplEntry],
        aot_impls: &[AotEntry],
    ) -> Result<Registry, RegistryError> {
        let mut conflicts = Vec::new();
        let mut joined: Vec<Plugin> =
            plugins.iter().map(|&entry| Plugin { entry, autotune: None, impls: Vec::new(), aot: None }).collect();
        joined.sort_by(|a, b| a.key().cmp(&b.key()).then(a.entry.location.cmp(&b.entry.location)));
        joined.dedup_by(|later, first| {
            let same = later.key() == first.key();
            if same {
                conflicts.push(Conflict::duplicate("#[register]", first, first.entry.location, later.entry.location));
            }
            same
        });
        let mut registry = Registry { plugins: joined };

        for &entry in sorted(autotunes, |e| e.location) {
            let Some(plugin) = registry.owner("#[autotune]", entry.id, entry.version, entry.location, &mut conflicts)
            else {
                continue;
            };
            match plugin.autotune {
                None => plugin.autotune = Some(entry),
                Some(first) => {
                    conflicts.push(Conflict::duplicate("#[autotune]", plugin, first.location, entry.location));
                }
            }
        }
        for &entry in sorted(impls, |e| e.location) {
            let Some(plugin) =
                registry.owner("#[impl_plugin]", entry.id, entry.version, entry.location, &mut conflicts)
            else {
                continue;
            };
            match plugin.impl_for(entry.device) {
                None => plugin.impls.push(entry),
                Some(first) => {
                    let what = format!("#[impl_plugin] for device `{}`", entry.device);
                    conflicts.push(Conflict::duplicate(&what, plugin, first.location, entry.location));
                }
            }
        }
        for &entry in sorted(aot_impls, |e| e.location) {
            let Some(plugin) = registry.owner("#[aot_impl]", entry.id, entry.version, entry.location, &mut conflicts)
            else {
                continue;
            };
            match plugin.aot {
                None => plugin.aot = Some(entry),
                Some(first) => {
                    conflicts.push(Conflict::duplicate("#[aot_impl]", plugin, first.location, entry.location));
                }
            }
        }

        if !conflicts.is_empty() {
            return Err(RegistryError::Conflicts(conflicts.into()));
        }
        registry.plugins.iter_mut().for_each(|p| p.impls.sort_by_key(|i| i.device));
        Ok(registry)
    }

    /// Every plugin, by id, then version.
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// The plugin of this id and version.
    ///
    /// # Errors
    /// When it isn't linked: lists the versions or the nearest ids that are.
    pub fn get(&self, id: &str, version: u32) -> Result<&Plugin, RegistryError> {
        let found = self.plugins.binary_search_by(|p| p.key().cmp(&(id, version)));
        found.map(|index| &self.plugins[index]).map_err(|_| self.unknown(id, version))
    }

    fn unknown(&self, id: &str, version: u32) -> RegistryError {
        let versions = self.plugins.iter().filter(|p| p.entry.id == id).map(|p| p.entry.version).collect();
        let nearest = nearest_names(id, self.plugins.iter().map(|p| p.entry.id));
        RegistryError::Unknown { id: id.into(), version, versions, nearest, linked: self.plugins.len() }
    }

    fn owner(
        &mut self,
        what: &'static str,
        id: &'static str,
        version: u32,
        location: Location,
        conflicts: &mut Vec<Conflict>,
    ) -> Option<&mut Plugin> {
        match self.plugins.binary_search_by(|p| p.key().cmp(&(id, version))) {
            Ok(index) => Some(&mut self.plugins[index]),
            Err(_) => {
                let nearest = nearest_names(id, self.plugins.iter().map(|p| p.entry.id));
                conflicts.push(Conflict::Orphan { what, plugin: label(id, version), location, nearest });
                None
            }
        }
    }
}

impl Plugin {
    fn key(&self) -> (&'static str, u32) {
        (self.entry.id, self.entry.version)
    }
}

fn label(id: &str, version: u32) -> String {
    format!("{id} v{version}")
}

fn sorted<T>(entries: &[T], location: impl Fn(&T) -> Location) -> Vec<&T> {
    let mut entries: Vec<&T> = entries.iter().collect();
    entries.sort_by_key(|e| location(e));
    entries
}

/// Two entries that can't both stand, or one that stands alone.
#[derive(Clone, Debug)]
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
}

impl Conflict {
    fn duplicate(what: &str, plugin: &Plugin, first: Location, second: Location) -> Self {
        Conflict::Duplicate { what: what.into(), plugin: plugin.label(), locations: [first, second] }
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
        }
    }
}

/// What is wrong with the linked plugins, or with a look-up.
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
                write!(
                    f,
                    "; {linked} plugin{} linked. A crate of plugins that is never named links none of them: add `use the_crate as _;`",
                    if *linked == 1 { " is" } else { "s are" }
                )
            }
        }
    }
}

fn write_nearest(f: &mut fmt::Formatter<'_>, nearest: &[String]) -> fmt::Result {
    match nearest {
        [] => Ok(()),
        names => write!(f, "; did you mean `{}`?", names.join("` or `")),
    }
}

#[cfg(test)]
mod tests;
