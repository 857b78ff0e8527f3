//! The trials of each layer, and their outcomes.

use std::sync::Arc;
use std::time::Duration;

use super::cost::{Phase, TuningCost};

/// How one combination and tactic fared.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TrialOutcome {
    /// The median time of a run.
    Time(Duration),
    /// The median times of a run on a GPU with a warm and with a cold second-level cache. The warm one decides.
    Times {
        /// With a warm cache.
        warm: Duration,
        /// With a cold cache.
        cold: Duration,
    },
    /// Its results are right; it wasn't timed, since a plugin without an autotune function has one candidate only.
    Checked,
    /// It failed or is wrong, for this reason, and is left out.
    Rejected(String),
    /// There was too little memory to try it, as this says. It is left out of this build, and not recorded.
    NotTried(String),
    /// It wasn't run: the build has no checks and the plugin no autotune function, or the engine comes from a file, which
    /// keeps no times.
    NotTimed,
}

impl TrialOutcome {
    /// The time that decides.
    pub fn time(&self) -> Option<Duration> {
        match self {
            TrialOutcome::Time(time) | TrialOutcome::Times { warm: time, .. } => Some(*time),
            TrialOutcome::Checked | TrialOutcome::Rejected(_) | TrialOutcome::NotTried(_) | TrialOutcome::NotTimed => {
                None
            }
        }
    }

    /// Whether it was found to be right.
    pub(super) fn is_right(&self) -> bool {
        matches!(self, TrialOutcome::Time(_) | TrialOutcome::Times { .. } | TrialOutcome::Checked)
    }
}

/// One combination and tactic of a layer.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Types and layouts, inputs first.
    pub combination: String,
    /// The tactic's name, or its number where it has none.
    pub tactic: String,
    /// How it fared.
    pub outcome: TrialOutcome,
    /// Whether the engine uses it.
    pub chosen: bool,
    /// Whether the outcome was read from a tuning lockfile.
    pub locked: bool,
}

/// The trials of one layer.
#[derive(Clone, Debug)]
pub struct LayerReport {
    /// The layer's name.
    pub layer: Arc<str>,
    /// The plugin's id and version.
    pub plugin: String,
    /// The optimization profile, from 0.
    pub profile: usize,
    /// The reference, and how results were compared with it: `against the impl for cpu; outputs[1] any order`. `None`
    /// where the build has no checks, and of an engine that comes from a file.
    pub check: Option<Arc<str>>,
    /// Checks that couldn't be done, and why.
    pub notes: Vec<String>,
    /// Every combination and tactic, in the order in which autotune lists them; of an engine that comes from a file the
    /// chosen ones alone.
    pub trials: Vec<Trial>,
    /// What it cost to try those that weren't known.
    pub cost: TuningCost,
}

/// What an observer of a layer's trials is told.
#[derive(Debug)]
pub(crate) enum Told<'a> {
    /// A phase begins, for a trial by its place among all of the layer's, or for all of them.
    Begins { phase: Phase, trial: Option<usize>, of: usize },
    /// A trial has its outcome.
    Ended(&'a Trial),
}
