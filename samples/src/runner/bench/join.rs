//! Joining the entries of many plugins into a registry.

use plugin_runtime::plugin::{ImplEntry, PluginEntry, Registry};

use super::{Bench, Work};
use crate::runner::failure::{Failure, Result};

const PLUGINS: usize = 2000;
const NAME: &str = "registry join";

/// Times the join of entries that differ in nothing but their ids.
///
/// # Errors
/// When the join fails.
pub(super) fn run(bench: &mut Bench<'_>) -> Result<()> {
    if !bench.wants(NAME) {
        return Ok(());
    }
    let linked = Registry::global().map_err(Failure::work)?;
    let model = linked.plugins().iter().find_map(|plugin| Some((plugin.entry, *plugin.impls.first()?)));
    let (entry, implementation) = model.ok_or_else(|| Failure::work("no plugin with an impl is linked"))?;
    let ids: Vec<&'static str> = (0..PLUGINS).map(scattered_id).collect();
    let plugins: Vec<PluginEntry> = ids.iter().map(|id| PluginEntry { id, ..entry }).collect();
    let impls: Vec<ImplEntry> =
        ids.iter().rev().map(|id| ImplEntry { id, version: entry.version, ..implementation }).collect();
    let bytes = size_of_val(&plugins[..]) + size_of_val(&impls[..]);
    let work = Work { name: NAME, dtype: "-", shape: &[PLUGINS as i64], bytes: 2 * bytes as u64 };
    bench.add(&work, || {
        let registry = Registry::join(&plugins, &[], &impls, &[]).map_err(Failure::work)?;
        std::hint::black_box(registry);
        Ok(())
    })
}

/// Ids that don't come sorted: 7919 has no factor in common with their number. They live as long as the program, as
/// those of linked plugins do.
fn scattered_id(index: usize) -> &'static str {
    format!("bench::plugin_{:04}", index * 7919 % PLUGINS).leak()
}
