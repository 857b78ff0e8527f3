//! The link-time entries, joined into plugins.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::onnx_names;
use super::{AotEntry, AutotuneEntry, Conflict, ImplEntry, Location, Plugin, PluginEntry, RegistryError};
use crate::suggest::nearest_names;

/// Joins entries, in whatever order they come, into plugins by id and version.
pub(super) fn join(
    plugins: &[PluginEntry],
    autotunes: &[AutotuneEntry],
    impls: &[ImplEntry],
    aot_impls: &[AotEntry],
) -> Result<Vec<Plugin>, RegistryError> {
    let mut join = Join::new(plugins.len());
    plugins.iter().for_each(|e| join.plugin(e));
    autotunes.iter().for_each(|e| join.autotune(e));
    impls.iter().for_each(|e| join.implementation(e));
    aot_impls.iter().for_each(|e| join.aot(e));
    join.onnx_names(plugins);
    if join.conflicts.is_empty() {
        return Ok(join.finish());
    }
    // What is told of conflicts must not depend on the linker's order.
    let mut join = Join::new(plugins.len());
    sorted(plugins, |e| e.location).into_iter().for_each(|e| join.plugin(e));
    sorted(autotunes, |e| e.location).into_iter().for_each(|e| join.autotune(e));
    sorted(impls, |e| e.location).into_iter().for_each(|e| join.implementation(e));
    sorted(aot_impls, |e| e.location).into_iter().for_each(|e| join.aot(e));
    join.onnx_names(plugins);
    Err(RegistryError::Conflicts(join.conflicts.into()))
}

fn sorted<T>(entries: &[T], location: impl Fn(&T) -> Location) -> Vec<&T> {
    let mut entries: Vec<&T> = entries.iter().collect();
    entries.sort_by_key(|e| location(e));
    entries
}

/// A registry in the making.
struct Join {
    plugins: Vec<Plugin>,
    positions: HashMap<(&'static str, u32), usize>,
    conflicts: Vec<Conflict>,
}

impl Join {
    fn new(plugins: usize) -> Self {
        Join { plugins: Vec::with_capacity(plugins), positions: HashMap::with_capacity(plugins), conflicts: Vec::new() }
    }

    fn plugin(&mut self, &entry: &PluginEntry) {
        match self.positions.entry((entry.id, entry.version)) {
            Entry::Vacant(free) => {
                free.insert(self.plugins.len());
                self.plugins.push(Plugin { entry, autotune: None, impls: Vec::new(), aot: None });
            }
            Entry::Occupied(taken) => {
                let first = &self.plugins[*taken.get()];
                let locations = [first.entry.location, entry.location];
                self.conflicts.push(Conflict::duplicate("#[register]".into(), first, locations));
            }
        }
    }

    fn autotune(&mut self, &entry: &AutotuneEntry) {
        let what = "#[autotune]";
        let Some(plugin) = self.owner(what, (entry.id, entry.version), entry.location) else { return };
        match plugin.autotune {
            None => plugin.autotune = Some(entry),
            Some(first) => {
                let conflict = Conflict::duplicate(what.into(), plugin, [first.location, entry.location]);
                self.conflicts.push(conflict);
            }
        }
    }

    fn implementation(&mut self, &entry: &ImplEntry) {
        let what = "#[impl_plugin]";
        let Some(plugin) = self.owner(what, (entry.id, entry.version), entry.location) else { return };
        match plugin.impl_for(entry.device) {
            None => plugin.impls.push(entry),
            Some(first) => {
                let what = format!("{what} for device `{}`", entry.device);
                let conflict = Conflict::duplicate(what, plugin, [first.location, entry.location]);
                self.conflicts.push(conflict);
            }
        }
    }

    fn aot(&mut self, &entry: &AotEntry) {
        let what = "#[aot_impl]";
        let Some(plugin) = self.owner(what, (entry.id, entry.version), entry.location) else { return };
        match plugin.aot {
            None => plugin.aot = Some(entry),
            Some(first) => {
                let conflict = Conflict::duplicate(what.into(), plugin, [first.location, entry.location]);
                self.conflicts.push(conflict);
            }
        }
    }

    fn onnx_names(&mut self, plugins: &[PluginEntry]) {
        let is_id = |name: &str| self.plugins.iter().any(|p| p.entry.id == name);
        self.conflicts.extend(onnx_names::conflicts(plugins, is_id));
    }

    fn owner(&mut self, what: &'static str, key: (&'static str, u32), location: Location) -> Option<&mut Plugin> {
        if let Some(&position) = self.positions.get(&key) {
            return Some(&mut self.plugins[position]);
        }
        let nearest = nearest_names(key.0, self.plugins.iter().map(|p| p.entry.id));
        self.conflicts.push(Conflict::Orphan { what, plugin: format!("{} v{}", key.0, key.1), location, nearest });
        None
    }

    fn finish(mut self) -> Vec<Plugin> {
        let mut order: Vec<((&str, u32), usize)> = self.positions.into_iter().collect();
        order.sort_unstable();
        let take = |(_, position): ((&str, u32), usize)| {
            let plugin = &mut self.plugins[position];
            plugin.impls.sort_by_key(|i| i.device);
            Plugin { impls: std::mem::take(&mut plugin.impls), ..*plugin }
        };
        order.into_iter().map(take).collect()
    }
}
