//! What can run a layer.

use super::{AotEntry, ImplEntry, Plugin, TacticNames};

/// What the names of tactics begin with where AOT kernels run.
pub(crate) const AOT_TACTIC: &str = "AOT ";

/// What runs a layer: an impl, or the kernels that `#[aot_impl]` describes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runner {
    Impl(&'static ImplEntry),
    Aot(&'static AotEntry),
}

impl Runner {
    /// All that a plugin has.
    pub(crate) fn all(plugin: &'static Plugin) -> Vec<Runner> {
        plugin.impls.iter().map(Runner::Impl).chain(plugin.aot.as_ref().map(Runner::Aot)).collect()
    }

    /// Whether it copes with extents that only the device knows.
    pub(crate) fn device_shape(self) -> bool {
        match self {
            Runner::Impl(entry) => entry.device_shape,
            Runner::Aot(entry) => entry.device_shape,
        }
    }

    /// Whether it has a tactic of this number, by name.
    pub(crate) fn names_tactic(self, tactic: i32) -> bool {
        self.tactics().1.is_some_and(|names| names(tactic).is_some())
    }

    /// `the impl` or `the AOT kernels`, and where they were written.
    pub(crate) fn describe(self) -> String {
        match self {
            Runner::Impl(entry) => format!("the impl at {}", entry.location),
            Runner::Aot(entry) => format!("the aot_impl at {}", entry.location),
        }
    }

    /// Why it can't run a tactic.
    pub(crate) fn unknown_tactic(self, tactic: i32) -> Option<String> {
        let (takes_tactic, names) = self.tactics();
        if tactic == 0 {
            return None;
        }
        if !takes_tactic {
            return Some(format!("{} has no `tactic` parameter", self.describe()));
        }
        let unknown = names.is_some_and(|names| names(tactic).is_none());
        unknown.then(|| format!("{} has no tactic {tactic}", self.describe()))
    }

    /// `Rows`, or `3` where tactics have no names, or `default`; with `AOT` before it where AOT kernels run.
    pub(crate) fn tactic_name(self, tactic: i32) -> String {
        let name = match self.tactics().1.and_then(|names| names(tactic)) {
            Some(name) => name.to_owned(),
            None if tactic == 0 => "default".into(),
            None => tactic.to_string(),
        };
        match self {
            Runner::Impl(_) => name,
            Runner::Aot(_) => format!("{AOT_TACTIC}{name}"),
        }
    }

    fn tactics(self) -> (bool, Option<TacticNames>) {
        match self {
            Runner::Impl(entry) => (entry.takes_tactic, entry.tactic_names),
            Runner::Aot(entry) => (entry.takes_tactic, entry.tactic_names),
        }
    }
}
