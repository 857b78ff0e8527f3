//! The names under which plugins are found in ONNX models, besides their ids.

#[cfg(feature = "onnx")]
use super::Plugin;
use super::{Conflict, PluginEntry};

/// The name of ONNX's own domain, which models may leave empty.
#[cfg(feature = "onnx")]
pub(crate) const OWN_DOMAIN: &str = "ai.onnx";

/// Positions of plugins by the names that they claim, sorted.
#[cfg(feature = "onnx")]
#[derive(Clone, Debug, Default)]
pub(super) struct OnnxNames(Vec<(&'static str, usize)>);

#[cfg(feature = "onnx")]
impl OnnxNames {
    pub(super) fn new(plugins: &[Plugin]) -> Self {
        let claims = |(position, plugin): (usize, &Plugin)| plugin.entry.onnx.iter().map(move |&name| (name, position));
        let mut names: Vec<_> = plugins.iter().enumerate().flat_map(claims).collect();
        names.sort_unstable();
        OnnxNames(names)
    }

    /// Positions of the plugins that claim a name, by id, then version.
    pub(super) fn find(&self, name: &str) -> impl Iterator<Item = usize> + Clone {
        let first = self.0.partition_point(|(claimed, _)| *claimed < name);
        self.0[first..].iter().take_while(move |(claimed, _)| *claimed == name).map(|(_, position)| *position)
    }
}

/// Names that plugins of different ids claim, or that are another plugin's id. `is_id` says of a name whether one is
/// registered under it.
pub(super) fn conflicts(plugins: &[PluginEntry], is_id: impl Fn(&str) -> bool) -> Vec<Conflict> {
    let mut claims: Vec<(&'static str, &PluginEntry)> =
        plugins.iter().flat_map(|plugin| plugin.onnx.iter().map(move |&name| (name, plugin))).collect();
    claims.sort_by_key(|(name, plugin)| (*name, plugin.id, plugin.version, plugin.location));
    let of = |plugin: &PluginEntry| (plugin.label(), plugin.location);
    let mut found = Vec::new();
    for (name, plugin) in &claims {
        if *name != plugin.id && is_id(name) {
            let owner = plugins.iter().filter(|p| p.id == *name).min_by_key(|p| (p.version, p.location));
            found.extend(owner.map(|owner| Conflict::OnnxName { name, claims: [of(owner), of(plugin)] }));
        }
    }
    for pair in claims.windows(2) {
        let [(name, first), (other, second)] = pair else { continue };
        if name == other && first.id != second.id {
            found.push(Conflict::OnnxName { name, claims: [of(first), of(second)] });
        }
    }
    found
}
