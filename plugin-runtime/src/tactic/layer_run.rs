//! The trials of one layer, and what came of them.

use crate::plugin::combination::Combination;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::candidates::Candidates;
use super::check::Check;
use super::record::{Key, LayerSubject, Outcome, combination_text};
use super::timings::Timings;
use super::{LayerReport, Trial, TrialOutcome};
use crate::error::{Error, LayerError, Result};
use crate::network::{Layer, Network, Point};
use crate::plugin::Runner;

/// A combination of a layer that works, with its quickest tactic.
pub(super) struct Viable {
    pub(super) combination: usize,
    pub(super) tactic: i32,
    pub(super) seconds: f64,
}

/// What a layer can run as.
pub(super) struct LayerOptions {
    pub(super) candidates: Candidates,
    /// In the order in which the combinations are listed; at least one.
    pub(super) options: Vec<Viable>,
}

impl LayerOptions {
    pub(super) fn combination(&self, option: usize) -> &Combination {
        &self.candidates.combinations[self.options[option].combination]
    }
}

/// The trials of one layer, as their outcomes come in.
pub(super) struct LayerRun<'n> {
    pub(super) layer: &'n Layer,
    pub(super) candidates: Candidates,
    /// `None` where results are taken as they come.
    pub(super) check: Option<Arc<Check>>,
    /// One a candidate; `None` for those that are ruled out, and where nothing is run.
    keys: Vec<Option<Key>>,
    pub(super) outcomes: Vec<Option<TrialOutcome>>,
    /// Whether an outcome is from a lockfile.
    pub(super) locked: Vec<bool>,
    /// What wasn't checked, and why.
    pub(super) notes: Vec<String>,
}

impl<'n> LayerRun<'n> {
    /// `points` are the profile's shapes, its opt first.
    ///
    /// # Errors
    /// When the extents that the layer is tried at can't be computed.
    pub(super) fn new(
        network: &Network,
        layer: &'n Layer,
        candidates: Candidates,
        points: &[Point],
        check: Option<Arc<Check>>,
        timings: &Timings,
    ) -> Result<Self> {
        let count = candidates.candidates.len();
        let (mut keys, mut outcomes) = (vec![None; count], vec![None; count]);
        let Candidates { runner, combinations, .. } = &candidates;
        if candidates.autotuned || check.is_some() {
            let text = check.as_ref().map_or_else(|| "-".into(), |check| check.text.clone());
            let subject = LayerSubject::new(network, layer, *runner, points, text)?;
            let combinations: Vec<_> = combinations.iter().map(combination_text).collect();
            for (index, candidate) in candidates.candidates.iter().enumerate() {
                match &candidate.ruled_out {
                    Some(reason) => outcomes[index] = Some(TrialOutcome::Rejected(reason.clone())),
                    None => {
                        let combination = combinations[candidate.combination].clone();
                        keys[index] = Some(timings.key(subject.trial(combination, candidate.tactic)));
                    }
                }
            }
        } else {
            outcomes.fill(Some(TrialOutcome::NotTimed));
        }
        let locked = vec![false; count];
        Ok(LayerRun { layer, candidates, check, keys, outcomes, locked, notes: Vec::new() })
    }

    pub(super) fn len(&self) -> usize {
        self.outcomes.len()
    }

    pub(super) fn runner(&self) -> Runner {
        self.candidates.runner
    }

    /// Takes over the outcomes that are known.
    pub(super) fn recall(&mut self, timings: &Timings) {
        for (candidate, key) in self.keys.iter().enumerate() {
            if let Some((outcome, locked)) = key.as_ref().and_then(|key| timings.find(key)) {
                self.outcomes[candidate] = Some(outcome.clone().into());
                self.locked[candidate] = locked;
            }
        }
    }

    /// Candidates without an outcome.
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&c| self.outcomes[c].is_none())
    }

    /// Hands over the outcomes that were found out here; unchecked ones are nothing to keep.
    pub(super) fn note(&self, timings: &mut Timings) {
        if self.check.is_none() {
            return;
        }
        for (key, outcome) in self.keys.iter().zip(&self.outcomes) {
            if let (Some(key), Some(outcome)) = (key, outcome.as_ref().and_then(Outcome::of)) {
                timings.note(key, outcome);
            }
        }
    }

    pub(super) fn trials(&self) -> Vec<Trial> {
        (0..self.len()).map(|c| self.trial(c)).collect()
    }

    pub(super) fn trial(&self, candidate: usize) -> Trial {
        let Candidates { runner, combinations, candidates, .. } = &self.candidates;
        let picked = &candidates[candidate];
        Trial {
            combination: combinations[picked.combination].to_string(),
            tactic: runner.tactic_name(picked.tactic),
            outcome: self.outcomes[candidate].clone().unwrap_or(TrialOutcome::NotTimed),
            chosen: false,
            locked: self.locked[candidate],
        }
    }

    /// The candidates of a combination, which stand together.
    pub(super) fn members(&self, combination: usize) -> Range<usize> {
        let all = &self.candidates.candidates;
        all.partition_point(|c| c.combination < combination)..all.partition_point(|c| c.combination <= combination)
    }

    /// Leaves a candidate out.
    pub(super) fn reject(&mut self, candidate: usize, reason: String) {
        self.outcomes[candidate] = Some(TrialOutcome::Rejected(reason));
        self.locked[candidate] = false;
    }

    pub(super) fn is_rejected(&self, candidate: usize) -> bool {
        matches!(self.outcomes[candidate], Some(TrialOutcome::Rejected(_)))
    }

    pub(super) fn report(&self, profile: usize) -> LayerReport {
        LayerReport {
            layer: self.layer.name.clone(),
            plugin: self.layer.plugin.label(),
            profile,
            check: self.check.as_ref().map(|check| check.text.clone()),
            notes: self.notes.clone(),
            trials: self.trials(),
        }
    }

    /// The combinations that work, each with its quickest tactic, the first listed of equal ones.
    ///
    /// # Errors
    /// When none works: lists each candidate with its reason.
    pub(super) fn into_options(self) -> Result<LayerOptions> {
        let time = |candidate: usize| match &self.outcomes[candidate] {
            Some(TrialOutcome::NotTimed | TrialOutcome::Checked) => Some(Duration::ZERO),
            outcome => outcome.as_ref()?.time(),
        };
        let mut options = Vec::new();
        for combination in 0..self.candidates.combinations.len() {
            let timed = self.members(combination).filter_map(|c| Some((c, time(c)?)));
            if let Some((candidate, time)) = timed.min_by_key(|(_, time)| *time) {
                let tactic = self.candidates.candidates[candidate].tactic;
                options.push(Viable { combination, tactic, seconds: time.as_secs_f64() });
            }
        }
        if options.is_empty() {
            return Err(self.none_left());
        }
        Ok(LayerOptions { candidates: self.candidates, options })
    }

    fn none_left(&self) -> Error {
        let lines = self.trials().into_iter().map(|trial| {
            let reason = match trial.outcome {
                TrialOutcome::Rejected(reason) => reason,
                other => format!("{other:?}"),
            };
            let source = if trial.locked { " (says the tuning lockfile)" } else { "" };
            format!("\n  {}, tactic {}: {reason}{source}", trial.combination, trial.tactic)
        });
        let (device, lines) = (self.candidates.device, lines.collect::<String>());
        let plugin = self.layer.plugin.entry.id;
        Error::invalid(format_args!("no combination and tactic of `{plugin}` works on device `{device}`:{lines}"))
    }

    /// What to say of a locked build that lacks a candidate's record, and those of `others` more.
    pub(super) fn missing_record(&self, candidate: usize, timings: &Timings, others: usize) -> Error {
        let Some(key) = &self.keys[candidate] else { return self.none_left() };
        let trial = self.trial(candidate);
        Error::Layer(Box::new(LayerError {
            layer: self.layer.name.to_string(),
            plugin: self.layer.plugin.label(),
            tactic: Some(trial.tactic),
            shapes: Some(trial.combination),
            source: timings.missing(key, others),
        }))
    }
}
