//! How often each candidate is run: warm-up, median, run-off.

use std::time::Duration;

use crate::error::{Error, Result};

/// Runs a candidate once and says how long it took.
pub(crate) trait Measure {
    fn run(&mut self, candidate: usize) -> Result<Duration>;
}

impl<F: FnMut(usize) -> Result<Duration>> Measure for F {
    fn run(&mut self, candidate: usize) -> Result<Duration> {
        self(candidate)
    }
}

/// How many runs a timing takes.
#[derive(Clone, Debug)]
pub(crate) struct Effort {
    /// Warm-up runs, which don't count.
    pub(crate) warm_up: usize,
    /// Counted runs, at least.
    pub(crate) fewest: usize,
    /// Counted runs, at most.
    pub(crate) most: usize,
    /// Once the counted runs took this long together, there are no more than the fewest.
    pub(crate) enough: Duration,
    /// Candidates whose median is within this share of the best meet again in the run-off.
    pub(crate) close: f64,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { warm_up: 2, fewest: 5, most: 50, enough: Duration::from_millis(10), close: 0.1 }
    }
}

impl Effort {
    /// The median time of one candidate.
    pub(crate) fn time(&self, candidate: usize, measure: &mut impl Measure) -> Result<Duration> {
        for _ in 0..self.warm_up {
            measure.run(candidate)?;
        }
        let mut times = Vec::with_capacity(self.most);
        let mut total = Duration::ZERO;
        while times.len() < self.fewest || (times.len() < self.most && total < self.enough) {
            let time = measure.run(candidate)?;
            total += time;
            times.push(time);
        }
        Ok(median(&mut times))
    }

    /// Runs the candidates that are close to the best in turn, so that a change in the machine's speed meets them
    /// all, and replaces their times by the medians of that. Those that fail lose their times; their errors are returned.
    pub(crate) fn run_off(&self, times: &mut [Option<Duration>], measure: &mut impl Measure) -> Vec<(usize, Error)> {
        let Some(best) = times.iter().flatten().min().copied() else { return Vec::new() };
        let limit = best.mul_f64(1.0 + self.close);
        let close = (0..times.len()).filter(|&c| times[c].is_some_and(|t| t <= limit));
        let mut rounds: Vec<(usize, Vec<Duration>)> = close.map(|c| (c, Vec::with_capacity(self.most))).collect();
        let mut failed = Vec::new();
        if rounds.len() < 2 {
            return failed;
        }
        let mut total = Duration::ZERO;
        let mut counted = 0;
        while counted < self.fewest || (counted < self.most && total < self.enough) {
            rounds.retain_mut(|(candidate, round)| match measure.run(*candidate) {
                Ok(time) => {
                    total += time;
                    round.push(time);
                    true
                }
                Err(error) => {
                    times[*candidate] = None;
                    failed.push((*candidate, error));
                    false
                }
            });
            counted += 1;
        }
        for (candidate, mut round) in rounds {
            times[candidate] = Some(median(&mut round));
        }
        failed
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: Duration = Duration::from_micros(1);

    fn effort() -> Effort {
        Effort { warm_up: 2, fewest: 3, most: 9, enough: Duration::from_micros(60), close: 0.1 }
    }

    #[test]
    fn warm_up_runs_do_not_count_and_outliers_do_not_move_the_median() {
        let script = [900, 900, 10, 10, 500, 10, 10];
        let mut runs = 0;
        let time = effort().time(0, &mut |_: usize| {
            runs += 1;
            Ok(MICRO * script[(runs - 1) % script.len()])
        });
        assert_eq!(time.unwrap(), MICRO * 10);
        assert_eq!(runs, 5, "the outlier made it enough after the fewest runs");
    }

    #[test]
    fn quick_candidates_are_run_up_to_the_most_and_slow_ones_the_fewest() {
        for (time, expected) in [(1, 2 + 9), (1000, 2 + 3)] {
            let mut runs = 0;
            let measured = effort().time(0, &mut |_: usize| {
                runs += 1;
                Ok(MICRO * time)
            });
            assert_eq!((measured.unwrap(), runs), (MICRO * time, expected));
        }
    }

    #[test]
    fn the_run_off_meets_the_close_ones_in_turn_and_leaves_the_others_alone() {
        let mut order = Vec::new();
        let mut times = [Some(MICRO * 100), None, Some(MICRO * 105), Some(MICRO * 200)];
        let measured = effort().run_off(&mut times, &mut |candidate: usize| {
            order.push(candidate);
            Ok(MICRO * if candidate == 0 { 101 } else { 99 })
        });
        assert!(measured.is_empty());
        assert_eq!(order, [0, 2, 0, 2, 0, 2]);
        assert_eq!(times, [Some(MICRO * 101), None, Some(MICRO * 99), Some(MICRO * 200)]);
    }

    #[test]
    fn what_fails_in_the_run_off_drops_out_alone() {
        let mut runs = [0; 3];
        let mut times = [Some(MICRO * 100); 3];
        let failed = effort().run_off(&mut times, &mut |candidate: usize| {
            runs[candidate] += 1;
            if candidate == 1 && runs[1] == 2 { Err(Error::plugin("no more")) } else { Ok(MICRO * 50) }
        });
        assert_eq!(failed.iter().map(|(c, e)| (*c, e.to_string())).collect::<Vec<_>>(), [(1, "no more".into())]);
        assert_eq!((times, runs[1]), ([Some(MICRO * 50), None, Some(MICRO * 50)], 2));
    }

    #[test]
    fn a_failing_candidate_ends_its_timing() {
        let failed = effort().time(0, &mut |_: usize| Err(Error::plugin("no")));
        assert!(failed.is_err());
    }
}
