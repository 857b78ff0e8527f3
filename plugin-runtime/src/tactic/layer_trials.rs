//! Runs the candidates of a layer: checks their results, then times them.

use std::time::{Duration, Instant};

use super::candidates::Candidates;
#[cfg(any(feature = "testing", test))]
use super::check::AuthorReference;
use super::check::{Check, Checked, Failure, Lack, Source};
use super::clock::Cache;
use super::cost::Phase;
use super::difference::coarsest;
use super::layer_tuning::LayerTuning;
use super::layouts::Layouts;
#[cfg(any(feature = "testing", test))]
use super::results::Outputs;
use super::standing::{self, Standing};
use super::timer::Effort;
use super::trial::{Bench, Trials};
use super::{Told, TrialOutcome};
use crate::device::DeviceKind;
use crate::error::{Error, ErrorKind, Result};
use crate::network::At;
use crate::plugin::ImplEntry;
use crate::tensor::DataType;
#[cfg(any(feature = "testing", test))]
use crate::tensor::HostTensor;

/// Trials of a layer's candidates that have no outcome yet.
pub(super) struct LayerTrials<'t, 'n> {
    tuning: &'t mut LayerTuning<'n>,
    /// One per shape of the profile, its opt first.
    benches: &'t [Box<dyn Bench + 't>],
    effort: &'t Effort,
    observe: &'t mut dyn FnMut(Told<'_>),
    layouts: Layouts<'t>,
    /// For each candidate, whether it had no outcome.
    missing: Vec<bool>,
}

impl<'t, 'n> LayerTrials<'t, 'n> {
    pub(super) fn new(
        tuning: &'t mut LayerTuning<'n>,
        benches: &'t [Box<dyn Bench + 't>],
        effort: &'t Effort,
        observe: &'t mut dyn FnMut(Told<'_>),
    ) -> Self {
        let missing = tuning.attempts.iter().map(|attempt| attempt.outcome.is_none()).collect();
        LayerTrials { tuning, benches, effort, observe, layouts: Layouts::default(), missing }
    }

    /// Checks them at each shape, and times those that are right at opt.
    ///
    /// # Errors
    /// When tactics disagree and nothing says which is right. They have no outcome then.
    pub(super) fn run(&mut self) -> Result<()> {
        let order = self.order();
        match self.tuning.check.clone() {
            None => order.iter().for_each(|&combination| self.settle_times(combination)),
            Some(check) if matches!(check.source, Source::Agreement) => {
                self.agree(&order, &check)?;
                order.iter().for_each(|&combination| self.settle_times(combination));
            }
            Some(check) => {
                let mut standings = self.references(&order, &check);
                self.tuning.recall_unchecked();
                self.missing = self.tuning.attempts.iter().map(|attempt| attempt.outcome.is_none()).collect();
                for combination in order {
                    let members = self.tuning.members(combination).filter(|&c| self.missing[c]).collect();
                    self.check(combination, members, &check, &mut standings);
                    self.settle_times(combination);
                }
            }
        }
        Ok(())
    }

    fn begins(&mut self, phase: Phase, trial: Option<usize>) {
        (self.observe)(Told::Begins { phase, trial, of: self.tuning.attempts.len() });
    }

    /// Indices of the combinations, those in the network's own types first.
    fn order(&self) -> Vec<usize> {
        let combinations = &self.tuning.candidates.combinations;
        let mut order: Vec<usize> = (0..combinations.len()).collect();
        if let Some(bench) = self.benches.first() {
            let own = bench.own_combination();
            order.sort_by_key(|&c| (combinations[c].types != own.types, combinations[c].formats != own.formats));
        }
        order
    }

    /// Times those of a combination that are right, where there is something to choose.
    fn settle_times(&mut self, combination: usize) {
        self.tuning.recall_unchecked();
        let members = self.tuning.members(combination);
        let right: Vec<usize> = members.clone().filter(|&c| self.tuning.attempts[c].outcome.is_none()).collect();
        if !self.tuning.candidates.autotuned {
            right.iter().for_each(|&c| self.tuning.attempts[c].outcome = Some(TrialOutcome::Checked));
        } else if !right.is_empty() {
            let start = Instant::now();
            if let Err(error) = self.time(combination, &right) {
                let failure = Failure::from(error);
                right.iter().for_each(|&c| self.tuning.fail(c, failure.clone()));
            }
            self.tuning.cost.add_time_since(start, Phase::Timing);
        }
        members.for_each(|candidate| (self.observe)(Told::Ended(&self.tuning.trial(candidate))));
    }

    /// What is right at each shape.
    fn references(&mut self, order: &[usize], check: &Check) -> Vec<Standing> {
        let start = Instant::now();
        self.begins(Phase::Reference, None);
        let benches = self.benches.iter();
        let standings = benches.map(|bench| Standing::new(self.reference(&**bench, order, check))).collect();
        self.tuning.cost.add_time_since(start, Phase::Reference);
        standings
    }

    /// Rejects those of the candidates that are wrong by themselves, or differ from what the others agree on.
    ///
    /// # Errors
    /// As [`LayerTrials::run`].
    fn agree(&mut self, order: &[usize], check: &Check) -> Result<()> {
        let mut standings: Vec<Standing> = self.benches.iter().map(|_| Standing::new(None)).collect();
        let mut candidates = self.missing.clone();
        // One that was found to be right before speaks for the others.
        let mut known = order.iter().flat_map(|&combination| self.tuning.members(combination));
        if let Some(known) = known.find(|&c| self.tuning.attempts[c].is_right()) {
            candidates[known] = true;
        }
        for &combination in order {
            let members = self.tuning.members(combination).filter(|&c| candidates[c]).collect();
            self.check(combination, members, check, &mut standings);
        }
        for (bench, standing) in self.benches.iter().zip(&standings) {
            if let Some(sets) = standing.disagreement(|c| self.tuning.attempts[c].is_left_out(), &check.compare) {
                self.settle(&**bench, &sets)?;
            }
        }
        Ok(())
    }

    /// Rejects candidates of one combination that are wrong at one of the shapes.
    fn check(&mut self, combination: usize, mut members: Vec<usize>, check: &Check, standings: &mut [Standing]) {
        let start = Instant::now();
        for (bench, standing) in self.benches.iter().zip(standings) {
            self.check_at(&**bench, combination, &members, check, standing);
            members.retain(|&candidate| !self.tuning.attempts[candidate].is_left_out());
        }
        self.tuning.cost.add_time_since(start, Phase::Checks);
    }

    /// Rejects what differs from all that runs in the network's own types: other types only come near to these.
    ///
    /// # Errors
    /// Where those disagree themselves, or there are none. What disagrees has no outcome then.
    fn settle(&mut self, bench: &dyn Bench, sets: &[standing::Agreeing]) -> Result<()> {
        let own_types = bench.own_combination().types;
        let LayerTuning { attempts, candidates: Candidates { combinations, .. }, .. } = &*self.tuning;
        let is_own = |&c: &usize| combinations[attempts[c].combination].types == own_types;
        let own: Vec<usize> = (0..sets.len()).filter(|&set| sets[set].members.iter().any(is_own)).collect();
        let [own] = own[..] else {
            let error = self.disagreement(bench.at(), sets);
            sets.iter().flat_map(|set| &set.members).for_each(|&c| self.tuning.attempts[c].outcome = None);
            return Err(error);
        };
        for set in sets.iter().enumerate().filter(|(index, _)| *index != own).map(|(_, set)| set) {
            let how = set.how.as_deref().unwrap_or("several others do too");
            let reason = format!("{}it differs from what the network's own types give: {how}", place(bench.at(), None));
            set.members.iter().for_each(|&c| self.tuning.reject(c, reason.clone()));
        }
        Ok(())
    }

    /// Rejects candidates of one combination that are wrong at one shape.
    fn check_at(
        &mut self,
        bench: &'t dyn Bench,
        combination: usize,
        members: &[usize],
        check: &Check,
        standing: &mut Standing,
    ) {
        if members.is_empty() {
            return;
        }
        let types = self.tuning.candidates.combinations[combination].clone();
        let (coarsest, output_types) = (coarsest(&types.types), bench.output_types());
        let mut laid_out = match self.layouts.take(bench, combination, &types) {
            Ok(laid_out) => laid_out,
            Err(error) if bench.at() != At::Opt && error.kind() == ErrorKind::OutOfMemory => {
                return self.leave_unchecked(members, bench.at(), &error.to_string());
            }
            Err(error) => {
                let failure = Failure::from(error).at(&place(bench.at(), None));
                return members.iter().for_each(|&c| self.tuning.fail(c, failure.clone()));
            }
        };
        for &candidate in members {
            self.begins(Phase::Checks, Some(candidate));
            let (tactic, mut runs) = (self.tuning.attempts[candidate].tactic, 0);
            let checked = Checked { tactic, check, types: &output_types, coarsest };
            let judged = match checked.results(laid_out.as_mut(), standing.expected(), &mut runs) {
                Ok(None) => {
                    standing.agrees(candidate);
                    Ok(())
                }
                Ok(Some(outputs)) => {
                    standing.judge(candidate, (outputs, coarsest), &check.compare).map_err(Failure::from)
                }
                Err(failure) => Err(failure),
            };
            self.tuning.cost.add_runs(Phase::Checks, runs);
            if let Err(failure) = judged {
                if bench.at() != At::Opt && failure.lack == Lack::MemoryOfCheck {
                    self.leave_unchecked(&[candidate], bench.at(), &failure.reason);
                    continue;
                }
                let shapes = laid_out.describe();
                self.tuning.fail(candidate, failure.at(&place(bench.at(), Some(&shapes))));
            }
        }
        if members.iter().all(|&candidate| !self.tuning.attempts[candidate].is_left_out()) {
            self.layouts.keep(bench, combination, laid_out);
        }
    }

    /// Notes that candidates of one combination aren't checked at one of the shapes.
    fn leave_unchecked(&mut self, members: &[usize], at: At, reason: &str) {
        let Some(&first) = members.first() else { return };
        let types = &self.tuning.candidates.combinations[self.tuning.attempts[first].combination];
        let note = format!("{types} isn't checked at the profile's {}: {reason}", at.name());
        self.tuning.add_note(note);
        self.tuning.leave_unchecked(members.iter().copied(), at);
    }

    /// The right results at one shape, where something gives them.
    fn reference(&mut self, bench: &'t dyn Bench, order: &[usize], check: &Check) -> Option<standing::Result> {
        let mut runs = 0;
        let found = match check.source {
            Source::Agreement => return None,
            #[cfg(any(feature = "testing", test))]
            Source::Author(ref reference) => of_author(bench, reference),
            Source::Marked { combination, tactic } => self.of_marked(bench, combination, tactic, (check, &mut runs)),
            Source::Cpu(implementation) => self.on_cpu(bench, implementation, order, (check, &mut runs)),
        };
        self.tuning.cost.add_runs(Phase::Reference, runs);
        found
            .map_err(|reason| {
                let (source, at) = (&check.text, bench.at().name());
                self.tuning.add_note(format!("no reference at the profile's {at} ({source}): {reason}"));
                self.tuning.leave_unchecked(0..self.tuning.attempts.len(), bench.at());
            })
            .ok()
    }

    /// The results of the tactic that is marked.
    fn of_marked(
        &mut self,
        bench: &'t dyn Bench,
        combination: usize,
        tactic: i32,
        how: (&Check, &mut usize),
    ) -> Result<standing::Result, String> {
        let types = &self.tuning.candidates.combinations[combination];
        let mut laid_out = self.layouts.take(bench, combination, types).map_err(|e| e.to_string())?;
        let found = result(laid_out.as_mut(), (&types.types, &bench.output_types()), [tactic], how)?;
        self.layouts.keep(bench, combination, laid_out);
        Ok(found)
    }

    /// The results of the plugin's impl for the CPU, in the first combination that works.
    fn on_cpu(
        &self,
        bench: &dyn Bench,
        implementation: &'static ImplEntry,
        order: &[usize],
        (check, count): (&Check, &mut usize),
    ) -> Result<standing::Result, String> {
        let bench = bench.on_cpu(implementation).map_err(|e| e.to_string())?;
        let mut first = None;
        let Candidates { combinations, of_others, .. } = &self.tuning.candidates;
        for &index in order {
            let combination = &combinations[index];
            let listed = [&combination.references, &of_others[index], &combination.tactics].into_iter().flatten();
            let tactics = listed.copied().filter(|&tactic| bench.knows(tactic)).chain([0]);
            let found = bench.lay_out(combination).map_err(|e| e.to_string()).and_then(|mut laid_out| {
                let types = (&combination.types[..], &bench.output_types()[..]);
                result(laid_out.as_mut(), types, tactics, (check, count))
            });
            match found {
                Ok(found) => return Ok(found),
                Err(reason) => first = first.or(Some(reason)),
            }
        }
        Err(first.unwrap_or_else(|| "it has no combination".into()))
    }

    fn disagreement(&self, at: At, sets: &[standing::Agreeing]) -> Error {
        let plugin = self.tuning.layer.plugin().entry.id;
        let mut text = format!("tactics of `{plugin}` give different results, and nothing says which is right:");
        for standing::Agreeing { members, how } in sets {
            for &candidate in members {
                let trial = self.tuning.trial(candidate);
                text += &format!("\n  {}, tactic {}", trial.combination, trial.tactic);
            }
            if let Some(how) = how {
                text += &format!("\n    {}differs from the first: {how}", place(at, None));
            }
        }
        text += "\n  Mark the right one in #[autotune] with .reference(tactic)";
        if self.tuning.candidates.device != DeviceKind::Cpu {
            text += &format!(", or add #[impl_plugin(\"{plugin}\", device = cpu)], which is compared with then");
        }
        text +=
            &format!("; where results may differ, say how they are compared: #[register(\"{plugin}\", compare = ..)]");
        Error::invalid(text)
    }

    /// Times some candidates of one combination; of those that fail it notes the reason.
    fn time(&mut self, combination: usize, right: &[usize]) -> Result<()> {
        let Some(bench) = self.benches.first() else { return Ok(()) };
        let types = &self.tuning.candidates.combinations[combination];
        let mut laid_out = self.layouts.take(&**bench, combination, types)?;
        let tactics: Vec<i32> = right.iter().map(|&c| self.tuning.attempts[c].tactic).collect();
        let mut runs = 0;
        let mut measure = |tactic: usize| {
            runs += 1;
            laid_out.run(tactics[tactic], Cache::Warm)
        };
        let mut times: Vec<Option<Duration>> = Vec::with_capacity(right.len());
        for (position, &candidate) in right.iter().enumerate() {
            self.begins(Phase::Timing, Some(candidate));
            let best = times.iter().flatten().min().copied();
            times.push(match self.effort.time(position, best, &mut measure) {
                Ok(time) => Some(time),
                Err(error) => {
                    self.tuning.fail(candidate, error.into());
                    None
                }
            });
        }
        for (position, error) in self.effort.run_off(&mut times, &mut measure) {
            self.tuning.fail(right[position], error.into());
        }
        for (position, (&candidate, time)) in right.iter().zip(times).enumerate() {
            let Some(warm) = time else { continue };
            if !laid_out.knows_cold() {
                self.tuning.attempts[candidate].outcome = Some(TrialOutcome::Time(warm));
                continue;
            }
            let cold = self.effort.briefly().time(position, None, &mut |tactic: usize| {
                runs += 1;
                laid_out.run(tactics[tactic], Cache::Cold)
            });
            match cold {
                Ok(cold) => self.tuning.attempts[candidate].outcome = Some(TrialOutcome::Times { warm, cold }),
                Err(error) => self.tuning.fail(candidate, error.into()),
            }
        }
        self.tuning.cost.add_runs(Phase::Timing, runs);
        Ok(())
    }
}

/// The results that a test's author says are right.
#[cfg(any(feature = "testing", test))]
fn of_author(bench: &dyn Bench, reference: &AuthorReference) -> Result<standing::Result, String> {
    let types = bench.output_types();
    let outputs = reference.outputs(bench.inputs()).map_err(|e| e.to_string())?;
    let got: Vec<_> = outputs.iter().map(HostTensor::dtype).collect();
    if got != types {
        return Err(format!("it gives {got:?}, and the outputs are {types:?}"));
    }
    Ok((Outputs::of(outputs), coarsest(&types)))
}

/// The results of the first tactic that works, or why the first doesn't. `types` are those that it computes in, and those
/// of the outputs in the network; the runs are counted.
fn result(
    laid_out: &mut dyn Trials,
    types: (&[DataType], &[DataType]),
    tactics: impl IntoIterator<Item = i32>,
    (check, count): (&Check, &mut usize),
) -> Result<standing::Result, String> {
    let coarsest = coarsest(types.0);
    let mut first = None;
    for tactic in tactics {
        let checked = Checked { tactic, check, types: types.1, coarsest };
        match checked.results(laid_out, None, count) {
            Ok(Some(outputs)) => return Ok((outputs, coarsest)),
            Ok(None) => {}
            Err(failure) => first = first.or(Some(failure.reason)),
        }
    }
    Err(first.unwrap_or_else(|| "it has no tactic".into()))
}

/// `at the profile's min, x FP32 [1] -> FP32 [1]: `, and nothing for its opt.
fn place(at: At, shapes: Option<&str>) -> String {
    match (at, shapes) {
        (At::Opt, _) => String::new(),
        (at, None) => format!("at the profile's {}: ", at.name()),
        (at, Some(shapes)) => format!("at the profile's {}, {shapes}: ", at.name()),
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod tests;
