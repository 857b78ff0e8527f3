//! Running what a layer could run as: whether it is right, then how long it takes.

use super::candidates::Candidates;
use super::check::{Check, Source, results_of};
use super::clock::Cache;
use super::difference::coarsest;
use super::layer_run::LayerRun;
use super::standing::{self, Standing};
use super::timer::Effort;
use super::trial::Bench;
use super::{Trial, TrialOutcome};
use crate::device::DeviceKind;
use crate::error::{Error, Result};
use crate::network::At;
use crate::plugin::ImplEntry;
use crate::plugin::combination::Combination;

/// The candidates of a layer that have no outcome.
pub(super) struct LayerTrials<'t, 'n> {
    pub(super) run: &'t mut LayerRun<'n>,
    /// At a profile's shapes, its opt first.
    pub(super) benches: &'t [Bench<'n>],
    pub(super) effort: &'t Effort,
}

impl LayerTrials<'_, '_> {
    /// Checks them at each shape, and times those that are right at opt. `ended` is told of each.
    ///
    /// # Errors
    /// When tactics disagree and nothing says which is right. They have no outcome then.
    pub(super) fn run(&mut self, ended: &mut dyn FnMut(&Trial)) -> Result<()> {
        let order = self.order();
        let mut missing = vec![false; self.run.len()];
        self.run.missing().for_each(|candidate| missing[candidate] = true);
        if let Some(check) = self.run.check.clone() {
            self.check(&order, &missing, &check)?;
        }
        for combination in order {
            let members = self.run.members(combination);
            let right: Vec<usize> = members.clone().filter(|&c| missing[c] && !self.run.is_rejected(c)).collect();
            if !self.run.candidates.autotuned {
                right.iter().for_each(|&c| self.run.outcomes[c] = Some(TrialOutcome::Checked));
            } else if !right.is_empty()
                && let Err(error) = self.time(combination, &right)
            {
                right.iter().for_each(|&c| self.run.reject(c, error.to_string()));
            }
            members.for_each(|candidate| ended(&self.run.trial(candidate)));
        }
        Ok(())
    }

    /// Indices of the combinations, those in the network's own types first.
    fn order(&self) -> Vec<usize> {
        let combinations = &self.run.candidates.combinations;
        let mut order: Vec<usize> = (0..combinations.len()).collect();
        if let Some(bench) = self.benches.first() {
            let own = bench.own_combination();
            order.sort_by_key(|&c| (combinations[c].types != own.types, combinations[c].formats != own.formats));
        }
        order
    }

    /// Rejects those of the candidates that are wrong at one of the shapes.
    ///
    /// # Errors
    /// As [`LayerTrials::run`].
    fn check(&mut self, order: &[usize], missing: &[bool], check: &Check) -> Result<()> {
        let mut standings: Vec<Standing> =
            self.benches.iter().map(|bench| Standing::new(self.reference(bench, order, check))).collect();
        let mut candidates = missing.to_vec();
        if let Source::Agreement = check.source {
            // One that was found to be right before speaks for the others.
            let mut known = order.iter().flat_map(|&combination| self.run.members(combination));
            if let Some(known) = known.find(|&c| self.run.outcomes[c].as_ref().is_some_and(TrialOutcome::is_right)) {
                candidates[known] = true;
            }
        }
        for &combination in order {
            let members: Vec<usize> = self.run.members(combination).filter(|&c| candidates[c]).collect();
            for (bench, standing) in self.benches.iter().zip(&mut standings) {
                self.check_at(bench, combination, &members, check, standing);
            }
        }
        for (bench, standing) in self.benches.iter().zip(&standings) {
            if let Some(sets) = standing.disagreement(|c| self.run.is_rejected(c), &check.compare) {
                self.settle(bench, &sets)?;
            }
        }
        Ok(())
    }

    /// Rejects what differs from all that runs in the network's own types: other types only come near to these.
    ///
    /// # Errors
    /// Where those disagree themselves, or there are none. What disagrees has no outcome then.
    fn settle(&mut self, bench: &Bench<'_>, sets: &[standing::Agreeing]) -> Result<()> {
        let own_types = bench.own_combination().types;
        let Candidates { candidates, combinations, .. } = &self.run.candidates;
        let is_own = |&c: &usize| combinations[candidates[c].combination].types == own_types;
        let own: Vec<usize> = (0..sets.len()).filter(|&set| sets[set].members.iter().any(is_own)).collect();
        let [own] = own[..] else {
            let error = self.disagreement(bench.at, sets);
            sets.iter().flat_map(|set| &set.members).for_each(|&c| self.run.outcomes[c] = None);
            return Err(error);
        };
        for set in sets.iter().enumerate().filter(|(index, _)| *index != own).map(|(_, set)| set) {
            let how = set.how.as_deref().unwrap_or("several others do too");
            let reason = format!("{}it differs from what the network's own types give: {how}", place(bench.at, None));
            set.members.iter().for_each(|&c| self.run.reject(c, reason.clone()));
        }
        Ok(())
    }

    /// The same of one combination, at one shape.
    fn check_at(
        &mut self,
        bench: &Bench<'_>,
        combination: usize,
        members: &[usize],
        check: &Check,
        standing: &mut Standing,
    ) {
        let members: Vec<usize> = members.iter().copied().filter(|&c| !self.run.is_rejected(c)).collect();
        if members.is_empty() {
            return;
        }
        let types = self.run.candidates.combinations[combination].clone();
        let (coarsest, output_types) = (coarsest(&types.types), bench.output_types());
        let mut laid_out = match bench.lay_out(&types) {
            Ok(laid_out) => laid_out,
            Err(error) if bench.at != At::Opt && error.is_out_of_memory() => {
                return self.note(format!("{types} isn't checked at the profile's {}: {error}", bench.at.name()));
            }
            Err(error) => {
                let reason = place(bench.at, None) + &error.to_string();
                return members.iter().for_each(|&c| self.run.reject(c, reason.clone()));
            }
        };
        for candidate in members {
            let tactic = self.run.candidates.candidates[candidate].tactic;
            let judged = results_of(&mut laid_out, tactic, check, &output_types, coarsest)
                .and_then(|outputs| standing.judge(candidate, (outputs, coarsest), &check.compare));
            if let Err(reason) = judged {
                let shapes = laid_out.describe();
                self.run.reject(candidate, place(bench.at, Some(&shapes)) + &reason);
            }
        }
    }

    fn note(&mut self, note: String) {
        if !self.run.notes.contains(&note) {
            self.run.notes.push(note);
        }
    }

    /// The right results at one shape, where something gives them.
    fn reference(&mut self, bench: &Bench<'_>, order: &[usize], check: &Check) -> Option<standing::Result> {
        let found = match check.source {
            Source::Agreement => return None,
            Source::Marked { combination, tactic } => {
                let combination = &self.run.candidates.combinations[combination];
                result(bench, combination, [tactic], check)
            }
            Source::Cpu(implementation) => self.on_cpu(bench, implementation, order, check),
        };
        found
            .map_err(|reason| {
                let (source, at) = (&check.text, bench.at.name());
                self.note(format!("no reference at the profile's {at} ({source}): {reason}"));
            })
            .ok()
    }

    /// What the plugin's impl for the CPU gives, in the first combination that works.
    fn on_cpu(
        &self,
        bench: &Bench<'_>,
        implementation: &'static ImplEntry,
        order: &[usize],
        check: &Check,
    ) -> Result<standing::Result, String> {
        let bench = bench.on_cpu(implementation).map_err(|e| e.to_string())?;
        let mut first = None;
        for &combination in order {
            let combination = &self.run.candidates.combinations[combination];
            let known = |tactics: &[i32]| tactics.iter().copied().filter(|&t| bench.knows(t)).collect::<Vec<_>>();
            let tactics = known(&combination.references).into_iter().chain(known(&combination.tactics)).chain([0]);
            match result(&bench, combination, tactics, check) {
                Ok(found) => return Ok(found),
                Err(reason) => first = first.or(Some(reason)),
            }
        }
        Err(first.unwrap_or_else(|| "it has no combination".into()))
    }

    fn disagreement(&self, at: At, sets: &[standing::Agreeing]) -> Error {
        let plugin = self.run.layer.plugin.entry.id;
        let mut text = format!("tactics of `{plugin}` give different results, and nothing says which is right:");
        for standing::Agreeing { members, how } in sets {
            for &candidate in members {
                let trial = self.run.trial(candidate);
                text += &format!("\n  {}, tactic {}", trial.combination, trial.tactic);
            }
            if let Some(how) = how {
                text += &format!("\n    {}differs from the first: {how}", place(at, None));
            }
        }
        text += "\n  Mark the right one in #[autotune] with .reference(tactic)";
        if self.run.candidates.device != DeviceKind::Cpu {
            text += &format!(", or add #[impl_plugin(\"{plugin}\", device = cpu)], which is compared with then");
        }
        text +=
            &format!("; where results may differ, say how they are compared: #[register(\"{plugin}\", compare = ..)]");
        Error::invalid(text)
    }

    /// Times some candidates of one combination; of those that fail it notes the reason.
    fn time(&mut self, combination: usize, right: &[usize]) -> Result<()> {
        let Some(bench) = self.benches.first() else { return Ok(()) };
        let mut laid_out = bench.lay_out(&self.run.candidates.combinations[combination])?;
        let tactics: Vec<i32> = right.iter().map(|&c| self.run.candidates.candidates[c].tactic).collect();
        let mut measure = |tactic: usize| laid_out.run(tactics[tactic], Cache::Warm);
        let mut times = Vec::with_capacity(right.len());
        for (position, &candidate) in right.iter().enumerate() {
            times.push(match self.effort.time(position, &mut measure) {
                Ok(time) => Some(time),
                Err(error) => {
                    self.run.reject(candidate, error.to_string());
                    None
                }
            });
        }
        for (position, error) in self.effort.run_off(&mut times, &mut measure) {
            self.run.reject(right[position], error.to_string());
        }
        for (position, (&candidate, time)) in right.iter().zip(times).enumerate() {
            let Some(warm) = time else { continue };
            self.run.outcomes[candidate] = Some(if laid_out.knows_cold() {
                let cold = self.effort.time(position, &mut |tactic: usize| laid_out.run(tactics[tactic], Cache::Cold));
                cold.map_or_else(|e| TrialOutcome::Rejected(e.to_string()), |cold| TrialOutcome::Times { warm, cold })
            } else {
                TrialOutcome::Time(warm)
            });
        }
        Ok(())
    }
}

/// The results of the first tactic that works, or why the first doesn't.
fn result(
    bench: &Bench<'_>,
    combination: &Combination,
    tactics: impl IntoIterator<Item = i32>,
    check: &Check,
) -> Result<standing::Result, String> {
    let mut laid_out = bench.lay_out(combination).map_err(|e| e.to_string())?;
    let coarsest = coarsest(&combination.types);
    let mut first = None;
    for tactic in tactics {
        match results_of(&mut laid_out, tactic, check, &bench.output_types(), coarsest) {
            Ok(outputs) => return Ok((outputs, coarsest)),
            Err(reason) => first = first.or(Some(reason)),
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
