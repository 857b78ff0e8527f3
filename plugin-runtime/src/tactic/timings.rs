//! The timings that a build knows: those of its lockfile and its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lockfile::{self, Held, Records};
use super::record::{Key, Outcome, Subject, Surroundings};
use crate::device::Device;
use crate::error::{Error, ErrorKind, Result};
use crate::wording::counted;

/// Where timings are kept from one build to the next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Keeping {
    /// Nowhere.
    #[default]
    Nothing,
    /// In a lockfile: what it lacks is timed and added.
    Lockfile(PathBuf),
    /// In a lockfile: what it lacks is an error.
    Locked(PathBuf),
}

/// The timings that a build knows.
#[derive(Debug)]
pub(crate) struct Timings {
    keeping: Keeping,
    surroundings: Surroundings,
    /// The lockfile's records when the build began.
    held: Held,
    /// The records of this build.
    own: Records,
}

impl Timings {
    /// `waits` is called where another build keeps this one waiting for long.
    ///
    /// # Errors
    /// When the lockfile can't be read, or isn't one, or couldn't be written later.
    pub(crate) fn open(keeping: Keeping, device: &Device, waits: &mut dyn FnMut(&Path)) -> Result<Self> {
        let held = match &keeping {
            Keeping::Nothing => Held::default(),
            Keeping::Locked(path) => lockfile::read(path)?,
            Keeping::Lockfile(path) => {
                let held = lockfile::read_if_there(path)?.unwrap_or_default();
                lockfile::check_writable(path, waits)?;
                held
            }
        };
        Ok(Timings { keeping, surroundings: Surroundings::of(device), held, own: Records::new() })
    }

    /// Adds this build's timings to the lockfile; `waits` as in [`Timings::open`].
    ///
    /// # Errors
    /// When it can't be written, or isn't a lockfile any more.
    pub(crate) fn save(&self, waits: &mut dyn FnMut(&Path)) -> Result<()> {
        match &self.keeping {
            Keeping::Lockfile(path) if !self.own.is_empty() => {
                lockfile::add(path, &self.held.records, &self.own, waits)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn key(&self, subject: Subject) -> Key {
        let machine = self.surroundings.machine(&subject);
        Key { subject, machine }
    }

    /// The outcome, if it is known, and whether it is from the lockfile.
    pub(super) fn find(&self, key: &Key) -> Option<(&Outcome, bool)> {
        let own = self.own.get(key).map(|outcome| (outcome, false));
        own.or_else(|| self.held.records.get(key).map(|outcome| (outcome, true)))
    }

    /// Keeps what was found out, unless it's known already.
    pub(super) fn note(&mut self, key: &Key, outcome: Outcome) {
        if self.find(key).is_none_or(|(known, _)| *known != outcome) {
            self.own.insert(key.clone(), outcome);
        }
    }

    /// Whether nothing may be timed.
    pub(super) fn locked(&self) -> bool {
        matches!(self.keeping, Keeping::Locked(_))
    }

    /// An error for a locked build that lacks a record. `others` more are missing.
    pub(super) fn missing(&self, key: &Key, others: usize) -> Error {
        let path = match &self.keeping {
            Keeping::Nothing => Path::new("-"),
            Keeping::Lockfile(path) | Keeping::Locked(path) => path,
        };
        let others = match others {
            0 => String::new(),
            n => format!(", and {n} more of this profile's trials are missing"),
        };
        let text = format!(
            "tuning lockfile `{}` has no record of this, and a locked build times nothing: build once with \
             Builder::lockfile, which adds what is missing. Its key would be: {key}{others}{}",
            path.display(),
            self.alike(key)
        );
        Error::new(ErrorKind::NotTimed, text)
    }

    /// Records that come nearest to a missing one.
    fn alike(&self, key: &Key) -> String {
        if self.held.outdated > 0 {
            return "; it is of format 1, whose trials weren't checked for what they left unwritten".into();
        }
        const MOST: usize = 3;
        let same: Vec<&Key> = self.held.records.keys().filter(|k| k.subject == key.subject).collect();
        if let Some(first) = same.first() {
            let shown: Vec<String> = same.iter().take(MOST).map(|k| k.machine.to_string()).collect();
            let more = if same.len() > MOST { " and others" } else { "" };
            let what =
                if first.machine.device == key.machine.device { "another kernel or driver" } else { "another device" };
            return format!("; it has it for {what} only: {}{more}", shown.join("; "));
        }
        let Subject::Trial { plugin, .. } = &key.subject else { return String::new() };
        let of_plugin = |k: &&Key| matches!(&k.subject, Subject::Trial { plugin: other, .. } if other == plugin);
        match self.held.records.keys().filter(of_plugin).count() {
            0 => format!("; it has no record of `{}`", Arc::as_ref(plugin)),
            n => {
                let (records, differ) = (counted(n, "record"), if n == 1 { "differs" } else { "differ" });
                format!("; it has {records} of `{}` that {differ} in something else", Arc::as_ref(plugin))
            }
        }
    }
}
