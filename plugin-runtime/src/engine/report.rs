//! What the builder tried and what it chose.

use std::sync::Arc;
use std::time::Duration;

/// How one combination and tactic fared.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TrialOutcome {
    /// The median time of a run.
    Time(Duration),
    /// It is left out, for this reason.
    Rejected(String),
    /// It wasn't run, because the plugin has no autotune function; or it was, and the engine comes from a file, which
    /// keeps no times.
    NotTimed,
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

/// What was tried for one layer.
#[derive(Clone, Debug)]
pub struct LayerReport {
    /// The layer's name.
    pub layer: Arc<str>,
    /// The plugin's id and version.
    pub plugin: String,
    /// The optimization profile, from 0.
    pub profile: usize,
    /// Every combination and tactic, in the order in which autotune lists them; of an engine that comes from a file the
    /// chosen ones alone.
    pub trials: Vec<Trial>,
}

/// A reformat or copy that the builder inserted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InsertedStep {
    /// What it does.
    pub name: Arc<str>,
    /// The optimization profile, from 0.
    pub profile: usize,
}

/// What the builder tried and what it chose.
#[derive(Clone, Debug, Default)]
pub struct BuildReport {
    /// Every layer, profile by profile.
    pub layers: Vec<LayerReport>,
    /// Reformats and copies between the layers.
    pub inserted: Vec<InsertedStep>,
    /// For each profile, the bytes that a context's intermediate tensors and scratch memory take.
    pub arena_bytes: Vec<usize>,
}

/// Something that happened during a build.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BuildEvent {
    /// One trial ended; `done` of `total` have, over all layers and profiles known so far.
    Trial {
        /// The layer's name.
        layer: Arc<str>,
        /// How it fared; `chosen` isn't decided yet.
        trial: Trial,
        /// Trials that have ended.
        done: usize,
        /// Trials in all.
        total: usize,
    },
}
