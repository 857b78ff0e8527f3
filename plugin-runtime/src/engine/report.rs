//! A build's trials, its choices, and its events.

use std::path::PathBuf;
use std::sync::Arc;

use crate::tactic::{LayerReport, Phase, Trial, TuningCost};

/// A reformat or copy that the builder inserted.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct InsertedStep {
    /// Its name: what it converts or copies.
    pub name: Arc<str>,
    /// The optimization profile, from 0.
    pub profile: usize,
}

/// The trials and choices of a build.
#[derive(Clone, Debug, Default)]
pub struct BuildReport {
    /// Every layer, profile by profile.
    pub layers: Vec<LayerReport>,
    /// Reformats and copies between the layers.
    pub inserted: Vec<InsertedStep>,
    /// What it cost to time conversions between layers.
    pub conversions: TuningCost,
    /// For each profile, the bytes that a context's intermediate tensors and scratch memory take.
    pub arena_bytes: Vec<usize>,
}

/// Something that happened during a build.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BuildEvent {
    /// A part of the trials of a layer begins.
    Begins {
        /// The layer's name.
        layer: Arc<str>,
        /// What is done next.
        phase: Phase,
        /// The trial that it is done for, from 0 among the layer's; `None` if for all of them.
        trial: Option<usize>,
        /// The layer's trials, with those that needn't be run.
        of: usize,
        /// Trials that have ended, over all layers and profiles known so far.
        done: usize,
        /// Trials in all.
        total: usize,
    },
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
    /// Another program has kept this build from its lockfile for a second, and still does: the build goes on when that
    /// ends.
    Waits {
        /// The lockfile.
        lockfile: PathBuf,
    },
}
