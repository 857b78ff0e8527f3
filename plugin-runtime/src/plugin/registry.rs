//! The link-time entries, joined once into a sorted index.

use std::sync::OnceLock;

use super::conflict::RegistryError;
use super::join::join;
#[cfg(feature = "onnx")]
use super::onnx_names::OnnxNames;
use super::{AOT_IMPLS, AUTOTUNES, AotEntry, AutotuneEntry, IMPLS, ImplEntry, PLUGINS, PluginEntry};
use crate::device::DeviceKind;
use crate::suggest::nearest_names;

/// One plugin with all that was written for it.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The `#[register]` function.
    pub entry: PluginEntry,
    /// The `#[autotune]` function, where there is one.
    pub autotune: Option<AutotuneEntry>,
    /// The `#[impl_plugin]`s, at most one per device kind, in the order of [`DeviceKind`].
    pub impls: Vec<ImplEntry>,
    /// The `#[aot_impl]` function, where there is one.
    pub aot: Option<AotEntry>,
}

impl Plugin {
    /// The impl for a device.
    pub fn impl_for(&self, device: DeviceKind) -> Option<&ImplEntry> {
        self.impls.iter().find(|i| i.device == device)
    }

    /// `namespace::name v1`
    pub fn label(&self) -> String {
        self.entry.label()
    }
}

impl ImplEntry {
    /// `namespace::name v1`
    pub(crate) fn label(&self) -> String {
        format!("{} v{}", self.id, self.version)
    }
}

/// Every plugin linked into the program, by id and version.
#[derive(Clone, Debug)]
pub struct Registry {
    plugins: Vec<Plugin>,
    #[cfg(feature = "onnx")]
    onnx_names: OnnxNames,
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
        let plugins = join(plugins, autotunes, impls, aot_impls)?;
        Ok(Registry {
            #[cfg(feature = "onnx")]
            onnx_names: OnnxNames::new(&plugins),
            plugins,
        })
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

    /// The versions of the plugin that ONNX models name so, `domain::Operator`: by its id, or as `#[register]` says.
    #[cfg(feature = "onnx")]
    pub(crate) fn in_onnx(&self, name: &str) -> impl Iterator<Item = &Plugin> + Clone {
        let first = self.plugins.partition_point(|p| p.entry.id < name);
        let by_id = self.plugins[first..].iter().take_while(move |p| p.entry.id == name);
        by_id.chain(self.onnx_names.find(name).map(|position| &self.plugins[position]))
    }

    fn unknown(&self, id: &str, version: u32) -> RegistryError {
        let versions = self.plugins.iter().filter(|p| p.entry.id == id).map(|p| p.entry.version).collect();
        let nearest = nearest_names(id, self.plugins.iter().map(|p| p.entry.id));
        RegistryError::Unknown { id: id.into(), version, versions, nearest, linked: self.plugins.len() }
    }
}

impl Plugin {
    fn key(&self) -> (&'static str, u32) {
        (self.entry.id, self.entry.version)
    }
}

#[cfg(test)]
mod tests;
