//! The ids that `#[register]` had so far in the crate that is compiled, and the names of plugins' functions, for messages alone:
//! an impl may stand before its plugin's `#[register]`, or in another crate.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::sync::{Mutex, PoisonError};

use crate::nearest::nearest;

/// By crate, as editors expand the macros of several in one process.
static REGISTERED: Mutex<Registered> = Mutex::new(Registered { ids: BTreeMap::new(), functions: BTreeMap::new() });

#[derive(Debug)]
struct Registered {
    ids: BTreeMap<String, BTreeSet<String>>,
    functions: BTreeMap<String, usize>,
}

/// How many functions of plugins had this name so far, with this one.
pub(crate) fn count(function: &str) -> usize {
    if !proc_macro::is_available() {
        return 1;
    }
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let count = registered.functions.entry(format!("{} {function}", compiled())).or_default();
    *count += 1;
    *count
}

/// Remembers an id of `#[register]`.
pub(crate) fn add(id: &str) {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner).add(compiled(), id);
}

/// How `id` is found among those so far.
pub(crate) fn find(id: &str) -> Found {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner).find(&compiled(), id)
}

/// What is known of an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    Registered,
    /// Another one is much like it.
    Near(String),
    Unknown,
}

/// The crate that is compiled.
fn compiled() -> String {
    let variable = |name| env::var(name).unwrap_or_default();
    format!("{} {}", variable("CARGO_MANIFEST_DIR"), variable("CARGO_CRATE_NAME"))
}

impl Registered {
    fn add(&mut self, compiled: String, id: &str) {
        self.ids.entry(compiled).or_default().insert(id.to_owned());
    }

    /// Of ids that aren't the same, the last parts decide, since they name the plugins' modules.
    fn find(&self, compiled: &str, id: &str) -> Found {
        let ids = || self.ids.get(compiled).into_iter().flatten();
        if ids().any(|known| known == id) {
            return Found::Registered;
        }
        let near = nearest(name(id), ids().map(|known| name(known)));
        let near = near.and_then(|near| ids().find(|known| name(known) == near));
        near.map_or(Found::Unknown, |near| Found::Near(near.clone()))
    }
}

fn name(id: &str) -> &str {
    id.rsplit("::").next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::{Found, Registered};

    #[test]
    fn a_misspelt_id_is_known_by_its_last_part() {
        let mut registered = Registered { ids: Default::default(), functions: Default::default() };
        for id in ["ops::scale", "ops::softmax"] {
            registered.add("here".into(), id);
        }
        for (id, found) in [
            ("ops::scal", Found::Near("ops::scale".into())),
            ("sop::softmaxx", Found::Near("ops::softmax".into())),
            ("ops::scale", Found::Registered),
            ("ops::roll", Found::Unknown),
        ] {
            assert_eq!(registered.find("here", id), found, "{id}");
        }
        assert_eq!(registered.find("there", "ops::scal"), Found::Unknown);
    }
}
