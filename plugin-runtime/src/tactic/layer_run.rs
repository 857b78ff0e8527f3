//! The trials of one layer, recalled or run.

use std::ops::Range;
use std::time::Duration;

use super::Combination;
use super::candidates::Candidates;
use super::clock::Cache;
use super::record::{Key, LayerSubject, Outcome, combination_text};
use super::sample_data::coarsest;
use super::timer::Effort;
use super::timings::Timings;
use super::trial::{Bench, Outputs};
use super::{Trial, TrialOutcome};
use crate::error::{Error, LayerError, Result};
use crate::network::{Bounds, Layer, Network};
use crate::plugin::Runner;
use crate::tensor::DataType;

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
    candidates: Candidates,
    /// One a candidate; `None` for those that are ruled out, and where nothing is timed.
    keys: Vec<Option<Key>>,
    outcomes: Vec<Option<TrialOutcome>>,
    /// Whether an outcome is from a lockfile.
    locked: Vec<bool>,
}

impl<'n> LayerRun<'n> {
    /// # Errors
    /// When the extents that the layer is timed at can't be computed.
    pub(super) fn new(
        network: &Network,
        layer: &'n Layer,
        candidates: Candidates,
        bounds: &Bounds,
        timings: &Timings,
    ) -> Result<Self> {
        let count = candidates.candidates.len();
        let (mut keys, mut outcomes) = (vec![None; count], vec![None; count]);
        if candidates.autotuned {
            let subject = LayerSubject::new(network, layer, candidates.runner, bounds)?;
            let combinations: Vec<_> = candidates.combinations.iter().map(combination_text).collect();
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
        Ok(LayerRun { layer, candidates, keys, outcomes, locked: vec![false; count] })
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

    /// Hands over the outcomes that were found out here.
    pub(super) fn note(&self, timings: &mut Timings) {
        for (key, outcome) in self.keys.iter().zip(&self.outcomes) {
            if let (Some(key), Some(outcome)) = (key, outcome.as_ref().and_then(Outcome::of)) {
                timings.note(key, outcome);
            }
        }
    }

    pub(super) fn trials(&self) -> Vec<Trial> {
        (0..self.len()).map(|c| self.trial(c)).collect()
    }

    fn trial(&self, candidate: usize) -> Trial {
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

    /// Runs and times the candidates that have no outcome. Their results have to be those of the reference: on a GPU the
    /// plugin's impl for the CPU; where that is the device, or has none, the first candidate that works, those in the
    /// network's own types first, also when its time is known.
    pub(super) fn time_missing(&mut self, bench: &Bench<'_>, effort: &Effort, ended: &mut dyn FnMut(&Trial)) {
        let own = bench.own_combination();
        let mut order: Vec<usize> = (0..self.candidates.combinations.len()).collect();
        order.sort_by_key(|&c| {
            let combination = &self.candidates.combinations[c];
            (combination.types != own.types, combination.formats != own.formats)
        });
        let mut left = self.missing().count();
        let mut reference = self.reference_on_cpu(bench, &order);
        for combination in order {
            let members = self.members(combination);
            let missing = members.clone().filter(|&c| self.outcomes[c].is_none()).count();
            if missing > 0 || (left > 0 && reference.is_none()) {
                let timed = self.time_combination(bench, effort, combination, &mut reference);
                self.conclude(members.clone(), timed);
            }
            left -= missing;
            members.for_each(|candidate| ended(&self.trial(candidate)));
        }
    }

    /// What the plugin's impl for the CPU gives, where that isn't the device: in the first combination that works.
    fn reference_on_cpu(&self, bench: &Bench<'_>, order: &[usize]) -> Option<(Outputs, DataType)> {
        let bench = bench.reference()?;
        order.iter().find_map(|&combination| {
            let combination = &self.candidates.combinations[combination];
            let mut laid_out = bench.lay_out(combination).ok()?;
            let tactics = combination.tactics.iter().copied().filter(|&tactic| bench.knows(tactic));
            tactics.chain([0]).find_map(|tactic| {
                laid_out.run(tactic, Cache::Warm).ok()?;
                Some((laid_out.outputs().ok()?, coarsest(&combination.types)))
            })
        })
    }

    /// The candidates of a combination, which stand together.
    fn members(&self, combination: usize) -> Range<usize> {
        let all = &self.candidates.candidates;
        all.partition_point(|c| c.combination < combination)..all.partition_point(|c| c.combination <= combination)
    }

    /// Times the tactics of one combination that lack an outcome and give the right result; of the others it notes the
    /// reason. While there is no reference, tactics whose time is known are run too, to have their results.
    fn time_combination(
        &mut self,
        bench: &Bench<'_>,
        effort: &Effort,
        combination: usize,
        reference: &mut Option<(Outputs, DataType)>,
    ) -> Result<Vec<(usize, TrialOutcome)>> {
        let members = self.members(combination);
        let to_run = |outcome: &Option<TrialOutcome>, has_reference: bool| match outcome {
            None => true,
            Some(outcome) => outcome.time().is_some() && !has_reference,
        };
        if !self.outcomes[members.clone()].iter().any(|outcome| to_run(outcome, reference.is_some())) {
            return Ok(Vec::new());
        }
        let types = &self.candidates.combinations[combination];
        let coarsest_here = coarsest(&types.types);
        let mut laid_out = bench.lay_out(types)?;
        let mut right = Vec::new();
        for candidate in members {
            if !to_run(&self.outcomes[candidate], reference.is_some()) {
                continue;
            }
            let tactic = self.candidates.candidates[candidate].tactic;
            let result = laid_out.run(tactic, Cache::Warm).and_then(|_| laid_out.outputs());
            let wrong = match (result, &*reference) {
                (Err(error), _) => Some(error.to_string()),
                (Ok(outputs), None) => {
                    *reference = Some((outputs, coarsest_here));
                    None
                }
                (Ok(outputs), Some((expected, of))) => outputs.differ_from(expected, coarsest([of, &coarsest_here])),
            };
            match wrong {
                Some(reason) => {
                    self.outcomes[candidate] = Some(TrialOutcome::Rejected(reason));
                    self.locked[candidate] = false;
                }
                None if self.outcomes[candidate].is_none() => right.push(candidate),
                None => {}
            }
        }
        let tactics: Vec<i32> = right.iter().map(|&c| self.candidates.candidates[c].tactic).collect();
        let mut measure = |tactic: usize| laid_out.run(tactics[tactic], Cache::Warm);
        let mut times = Vec::with_capacity(right.len());
        for (position, &candidate) in right.iter().enumerate() {
            times.push(match effort.time(position, &mut measure) {
                Ok(time) => Some(time),
                Err(error) => {
                    self.outcomes[candidate] = Some(TrialOutcome::Rejected(error.to_string()));
                    None
                }
            });
        }
        for (position, error) in effort.run_off(&mut times, &mut measure) {
            self.outcomes[right[position]] = Some(TrialOutcome::Rejected(error.to_string()));
        }
        let mut timed = Vec::with_capacity(right.len());
        for (position, (&candidate, time)) in right.iter().zip(times).enumerate() {
            let Some(warm) = time else { continue };
            let outcome = if laid_out.knows_cold() {
                let cold = effort.time(position, &mut |tactic: usize| laid_out.run(tactics[tactic], Cache::Cold));
                cold.map_or_else(|e| TrialOutcome::Rejected(e.to_string()), |cold| TrialOutcome::Times { warm, cold })
            } else {
                TrialOutcome::Time(warm)
            };
            timed.push((candidate, outcome));
        }
        Ok(timed)
    }

    /// Takes over times, or why there are none.
    fn conclude(&mut self, members: Range<usize>, timed: Result<Vec<(usize, TrialOutcome)>>) {
        match timed {
            Ok(timed) => timed.into_iter().for_each(|(c, outcome)| self.outcomes[c] = Some(outcome)),
            Err(error) => {
                for outcome in &mut self.outcomes[members] {
                    outcome.get_or_insert_with(|| TrialOutcome::Rejected(error.to_string()));
                }
            }
        }
    }

    /// The combinations that work, each with its quickest tactic, the first listed of equal ones.
    ///
    /// # Errors
    /// When none works: lists each candidate with its reason.
    pub(super) fn into_options(self) -> Result<LayerOptions> {
        let time = |candidate: usize| match &self.outcomes[candidate] {
            Some(TrialOutcome::NotTimed) => Some(Duration::ZERO),
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
