//! What it costs to try a layer's candidates.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// A part of what a build does to try a layer's candidates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Phase {
    /// Makes up data, at each of the profile's shapes.
    Data,
    /// Runs the reference, where there is one.
    Reference,
    /// Runs candidates on poisoned memory, and compares what they give.
    Checks,
    /// Runs candidates to find out how long they take.
    Timing,
}

impl Phase {
    /// All of them, in the order in which they come.
    pub const ALL: [Phase; 4] = [Phase::Data, Phase::Reference, Phase::Checks, Phase::Timing];
}

/// What one phase cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct PhaseCost {
    /// How often something was run.
    pub runs: usize,
    /// How long it took, with all that these runs need: memory, copies, comparisons.
    pub time: Duration,
}

/// What it cost to try candidates, by phase: nothing, where all outcomes were known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TuningCost([PhaseCost; Phase::ALL.len()]);

impl TuningCost {
    /// What a phase cost.
    pub fn of(&self, phase: Phase) -> PhaseCost {
        self.0[phase as usize]
    }

    /// How often something was run in all.
    pub fn runs(&self) -> usize {
        self.0.iter().map(|phase| phase.runs).sum()
    }

    /// How long all of it took.
    pub fn time(&self) -> Duration {
        self.0.iter().map(|phase| phase.time).sum()
    }

    pub(super) fn add_runs(&mut self, phase: Phase, runs: usize) {
        self.0[phase as usize].runs += runs;
    }

    pub(super) fn add_time_since(&mut self, start: Instant, phase: Phase) {
        self.0[phase as usize].time += start.elapsed();
    }
}

impl AddAssign for TuningCost {
    fn add_assign(&mut self, other: TuningCost) {
        for (sum, cost) in self.0.iter_mut().zip(other.0) {
            sum.runs += cost.runs;
            sum.time += cost.time;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_add_up() {
        let mut cost = TuningCost::default();
        cost.add_runs(Phase::Checks, 2);
        cost.add_runs(Phase::Timing, 7);
        cost.add_time_since(Instant::now(), Phase::Timing);
        cost += cost;
        assert_eq!(Phase::ALL.map(|phase| cost.of(phase).runs), [0, 0, 4, 14]);
        assert_eq!((cost.runs(), cost.time()), (18, Phase::ALL.map(|phase| cost.of(phase).time).iter().sum()));
    }
}
