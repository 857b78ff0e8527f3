//! The candidates of one layer, and their outcomes.

use crate::plugin::combination::Combination;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::candidates::{Candidate, Candidates};
use super::check::{Check, Failure, Lack};
use super::cost::TuningCost;
use super::record::{Key, LayerSubject, Outcome, combination_text};
use super::timings::Timings;
use super::unchecked::Unchecked;
use super::{LayerReport, Trial, TrialOutcome};
use crate::error::{Error, ErrorKind, LayerContext, Result};
use crate::network::{At, Layer, Network, Point};
use crate::plugin::Implementation;

/// A combination of a layer that works, with its quickest tactic.
pub(super) struct Viable {
    pub(super) combination: usize,
    pub(super) tactic: i32,
    pub(super) seconds: f64,
}

/// The combinations that work for a layer.
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

/// One combination and tactic of a layer, and how it fares.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) combination: usize,
    pub(super) tactic: i32,
    /// `None` where it is ruled out, or nothing is run.
    key: Option<Key>,
    /// `None` as long as that isn't known.
    pub(super) outcome: Option<TrialOutcome>,
    /// Whether the outcome is from a lockfile.
    locked: bool,
    /// The shapes that its results weren't checked at.
    unchecked: Unchecked,
    /// Recorded outcomes that weren't checked at some shapes, and whether each is from a lockfile.
    partial: Vec<(Unchecked, TrialOutcome, bool)>,
}

impl Attempt {
    /// Whether it is wrong, or couldn't be tried.
    pub(super) fn is_left_out(&self) -> bool {
        matches!(self.outcome, Some(TrialOutcome::Rejected(_) | TrialOutcome::NotTried(_)))
    }

    pub(super) fn is_right(&self) -> bool {
        self.outcome.as_ref().is_some_and(TrialOutcome::is_right)
    }

    /// The time that decides: 0 for a candidate that works and isn't timed.
    fn time(&self) -> Option<Duration> {
        match &self.outcome {
            Some(TrialOutcome::NotTimed | TrialOutcome::Checked) => Some(Duration::ZERO),
            outcome => outcome.as_ref()?.time(),
        }
    }
}

/// The candidates of one layer, with their outcomes as they come in.
pub(super) struct LayerTuning<'n> {
    pub(super) layer: &'n Layer,
    pub(super) candidates: Candidates,
    /// `None` where results are taken as they come.
    pub(super) check: Option<Arc<Check>>,
    /// One per candidate, those of a combination together.
    pub(super) attempts: Vec<Attempt>,
    /// What wasn't checked, and why.
    pub(super) notes: Vec<String>,
    pub(super) cost: TuningCost,
}

impl<'n> LayerTuning<'n> {
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
        let Candidates { implementation, combinations, .. } = &candidates;
        let is_tried = candidates.autotuned || check.is_some();
        let subject = match is_tried {
            true => {
                let text = check.as_ref().map_or_else(|| "-".into(), |check| check.text.clone());
                Some(LayerSubject::new(network, layer, *implementation, points, text)?)
            }
            false => None,
        };
        let texts: Vec<_> = combinations.iter().map(combination_text).collect();
        let attempt = |candidate: &Candidate| {
            let Candidate { combination, tactic, ref ruled_out } = *candidate;
            let (key, outcome) = match (&subject, ruled_out) {
                (None, _) => (None, Some(TrialOutcome::NotTimed)),
                (Some(_), Some(reason)) => (None, Some(TrialOutcome::Rejected(reason.clone()))),
                (Some(subject), None) => (Some(timings.key(subject.trial(texts[combination].clone(), tactic))), None),
            };
            let (unchecked, partial) = (Unchecked::default(), Vec::new());
            Attempt { combination, tactic, key, outcome, locked: false, unchecked, partial }
        };
        let attempts = candidates.candidates.iter().map(attempt).collect();
        Ok(LayerTuning { layer, candidates, check, attempts, notes: Vec::new(), cost: TuningCost::default() })
    }

    pub(super) fn implementation(&self) -> Implementation {
        self.candidates.implementation
    }

    /// Takes over the outcomes that are known: those that were checked at each shape, and in a locked build the others too.
    pub(super) fn recall(&mut self, timings: &Timings) {
        for attempt in &mut self.attempts {
            let Some(key) = &attempt.key else { continue };
            if let Some((outcome, locked)) = timings.find(key) {
                attempt.outcome = Some(outcome.clone().into());
                attempt.locked = locked;
                continue;
            }
            let partial = Unchecked::some().filter_map(|unchecked| {
                let (outcome, locked) = timings.find(&unchecked_key(key, unchecked))?;
                Some((unchecked, TrialOutcome::from(outcome.clone()), locked))
            });
            attempt.partial = partial.filter(|(_, outcome, _)| outcome.is_right()).collect();
        }
        if timings.locked() {
            self.recall_partial(true);
        }
    }

    /// Takes over outcomes that were checked wherever these can be here.
    pub(super) fn recall_unchecked(&mut self) {
        self.recall_partial(false);
    }

    /// Takes over the outcomes that were checked at most shapes.
    fn recall_partial(&mut self, any: bool) {
        for index in 0..self.attempts.len() {
            let attempt = &mut self.attempts[index];
            if attempt.outcome.is_some() {
                continue;
            }
            let own = attempt.unchecked;
            let Some((unchecked, outcome, locked)) =
                attempt.partial.iter().find(|(unchecked, ..)| any || unchecked.is_within(own)).cloned()
            else {
                continue;
            };
            (attempt.unchecked, attempt.outcome, attempt.locked) = (unchecked, Some(outcome), locked);
            if any {
                self.add_note(format!("not checked at the profile's {}, says the tuning lockfile", unchecked.names()));
            }
        }
    }

    /// Attempts without an outcome.
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        (0..self.attempts.len()).filter(|&index| self.attempts[index].outcome.is_none())
    }

    /// Hands over the outcomes that were found out here; unchecked ones are nothing to keep.
    pub(super) fn note(&self, timings: &mut Timings) {
        if self.check.is_none() {
            return;
        }
        for attempt in &self.attempts {
            match (&attempt.key, attempt.outcome.as_ref().and_then(Outcome::of)) {
                // What is wrong at one shape is wrong.
                (Some(key), Some(outcome @ Outcome::Rejected(_))) => timings.note(key, outcome),
                (Some(key), Some(outcome)) => timings.note(&unchecked_key(key, attempt.unchecked), outcome),
                _ => {}
            }
        }
    }

    pub(super) fn trials(&self) -> Vec<Trial> {
        (0..self.attempts.len()).map(|index| self.trial(index)).collect()
    }

    pub(super) fn trial(&self, index: usize) -> Trial {
        let Candidates { implementation, combinations, .. } = &self.candidates;
        let attempt = &self.attempts[index];
        Trial {
            combination: combinations[attempt.combination].to_string(),
            tactic: implementation.tactic_name(attempt.tactic),
            outcome: attempt.outcome.clone().unwrap_or(TrialOutcome::NotTimed),
            chosen: false,
            locked: attempt.locked,
        }
    }

    /// The attempts of a combination, which stand together.
    pub(super) fn members(&self, combination: usize) -> Range<usize> {
        let all = &self.attempts;
        all.partition_point(|a| a.combination < combination)..all.partition_point(|a| a.combination <= combination)
    }

    /// Leaves a candidate out.
    pub(super) fn reject(&mut self, index: usize, reason: String) {
        let attempt = &mut self.attempts[index];
        attempt.outcome = Some(TrialOutcome::Rejected(reason));
        attempt.locked = false;
    }

    /// Leaves a candidate out that has no results, or wrong ones. One that was found to be right before stays so where there
    /// is too little memory.
    pub(super) fn fail(&mut self, index: usize, failure: Failure) {
        let Failure { reason, lack } = failure;
        if lack == Lack::Nothing {
            self.reject(index, reason);
        } else if !self.attempts[index].is_right() {
            self.attempts[index].outcome = Some(TrialOutcome::NotTried(reason));
        }
    }

    /// Notes that candidates without an outcome aren't checked at one of the shapes.
    pub(super) fn leave_unchecked(&mut self, candidates: impl IntoIterator<Item = usize>, at: At) {
        for candidate in candidates {
            let attempt = &mut self.attempts[candidate];
            if attempt.outcome.is_none() {
                attempt.unchecked.insert(at);
            }
        }
    }

    /// Says in the report what wasn't checked, and why.
    pub(super) fn add_note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn report(&self, profile: usize) -> LayerReport {
        LayerReport {
            layer: self.layer.name.clone(),
            plugin: self.layer.plugin().label(),
            profile,
            check: self.check.as_ref().map(|check| check.text.clone()),
            notes: self.notes.clone(),
            trials: self.trials(),
            cost: self.cost,
        }
    }

    /// The combinations that work, each with its quickest tactic, the first listed of equal ones.
    ///
    /// # Errors
    /// When none works: lists each candidate with its reason.
    pub(super) fn into_options(self) -> Result<LayerOptions> {
        let mut options = Vec::new();
        for combination in 0..self.candidates.combinations.len() {
            let timed = self.attempts[self.members(combination)].iter().filter_map(|a| Some((a.tactic, a.time()?)));
            if let Some((tactic, time)) = timed.min_by_key(|(_, time)| *time) {
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
                TrialOutcome::Rejected(reason) | TrialOutcome::NotTried(reason) => reason,
                other => format!("{other:?}"),
            };
            let source = if trial.locked { " (says the tuning lockfile)" } else { "" };
            format!("\n  {}, tactic {}: {reason}{source}", trial.combination, trial.tactic)
        });
        let (device, lines) = (self.candidates.device, lines.collect::<String>());
        let plugin = self.layer.plugin().entry.id;
        if self.attempts.iter().any(|a| matches!(a.outcome, Some(TrialOutcome::NotTried(_)))) {
            let text = format_args!("there is too little memory to try `{plugin}` on device `{device}`:{lines}");
            return Error::new(ErrorKind::OutOfMemory, text);
        }
        Error::invalid(format_args!("no combination and tactic of `{plugin}` works on device `{device}`:{lines}"))
    }

    /// An error for a locked build that lacks a candidate's record, and those of `others` more.
    pub(super) fn missing_record(&self, candidate: usize, timings: &Timings, others: usize) -> Error {
        let Some(key) = &self.attempts[candidate].key else { return self.none_left() };
        let trial = self.trial(candidate);
        let layer = LayerContext::new(&self.layer.name, &self.layer.plugin().label());
        timings.missing(key, others).in_layer(layer.tactic(Some(trial.tactic)).shapes(Some(trial.combination)))
    }
}

/// The key of outcomes that weren't checked at some shapes.
fn unchecked_key(key: &Key, unchecked: Unchecked) -> Key {
    Key { subject: unchecked.subject(key.subject.clone()), machine: key.machine.clone() }
}
