//! The implementation of a layer: an impl or AOT kernels.

use std::fmt;

use super::{AotEntry, ImplEntry, Plugin, TacticNames};

/// The implementation of a layer: an impl, or the kernels that `#[aot_impl]` describes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Implementation {
    Impl(&'static ImplEntry),
    Aot(&'static AotEntry),
}

impl Implementation {
    /// All implementations of a plugin.
    pub(crate) fn all(plugin: &'static Plugin) -> Vec<Implementation> {
        plugin.impls.iter().map(Implementation::Impl).chain(plugin.aot.as_ref().map(Implementation::Aot)).collect()
    }

    /// Whether it copes with extents that only the device knows.
    pub(crate) fn device_shape(self) -> bool {
        match self {
            Implementation::Impl(entry) => entry.device_shape,
            Implementation::Aot(entry) => entry.device_shape,
        }
    }

    /// Whether it has a tactic of this number, by name.
    pub(crate) fn names_tactic(self, tactic: i32) -> bool {
        self.tactics().1.is_some_and(|names| names(tactic).is_some())
    }

    /// `the impl` or `the AOT kernels`, and where they were written.
    pub(crate) fn describe(self) -> String {
        match self {
            Implementation::Impl(entry) => format!("the impl at {}", entry.location),
            Implementation::Aot(entry) => format!("the aot_impl at {}", entry.location),
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
        TacticName { ahead_of_time: matches!(self, Implementation::Aot(_)), name: &self.bare_tactic_name(tactic) }
            .to_string()
    }

    fn bare_tactic_name(self, tactic: i32) -> String {
        match self.tactics().1.and_then(|names| names(tactic)) {
            Some(name) => name.to_owned(),
            None if tactic == 0 => "default".into(),
            None => tactic.to_string(),
        }
    }

    fn tactics(self) -> (bool, Option<TacticNames>) {
        match self {
            Implementation::Impl(entry) => (entry.takes_tactic, entry.tactic_names),
            Implementation::Aot(entry) => (entry.takes_tactic, entry.tactic_names),
        }
    }
}

/// A tactic's name, with `AOT` before it where AOT kernels run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TacticName<'a> {
    pub(crate) ahead_of_time: bool,
    pub(crate) name: &'a str,
}

impl TacticName<'_> {
    const AHEAD_OF_TIME: &'static str = "AOT ";

    /// Takes apart what `Display` gives.
    pub(crate) fn parse(text: &str) -> TacticName<'_> {
        match text.strip_prefix(Self::AHEAD_OF_TIME) {
            Some(name) => TacticName { ahead_of_time: true, name },
            None => TacticName { ahead_of_time: false, name: text },
        }
    }
}

impl fmt::Display for TacticName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.ahead_of_time { Self::AHEAD_OF_TIME } else { "" })?;
        f.write_str(self.name)
    }
}
