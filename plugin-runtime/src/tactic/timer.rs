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
    /// A run of at least [`Effort::enough`] that takes as many times as long as the best counts by itself.
    const FAR: u32 = 2;

    /// The median time of one candidate. One that can't come near to the best of others, so that it wouldn't be in the
    /// run-off, isn't run more often than that takes: its fastest run says so, which what else the machine does makes longer
    /// at most.
    pub(crate) fn time(
        &self,
        candidate: usize,
        best: Option<Duration>,
        measure: &mut impl Measure,
    ) -> Result<Duration> {
        let mut fastest = Duration::MAX;
        for _ in 0..self.warm_up {
            fastest = fastest.min(measure.run(candidate)?);
        }
        let mut times = Vec::with_capacity(self.most);
        let mut total = Duration::ZERO;
        while times.len() < self.fewest || (times.len() < self.most && total < self.enough) {
            let time = measure.run(candidate)?;
            fastest = fastest.min(time);
            total += time;
            times.push(time);
            if best.is_some_and(|best| self.is_hopeless(fastest, times.len(), best)) {
                break;
            }
        }
        Ok(median(&mut times))
    }

    /// Whether a candidate's fastest run is so far from the best that others can't bring it near. Twice the share of the
    /// run-off leaves room for noise.
    fn is_hopeless(&self, fastest: Duration, counted: usize, best: Duration) -> bool {
        match counted >= self.fewest {
            true => fastest > best.mul_f64(1.0 + 2.0 * self.close),
            false => fastest >= self.enough && fastest > best * Effort::FAR,
        }
    }

    /// The same with no more runs than the fewest: for times that decide nothing.
    pub(crate) fn briefly(&self) -> Effort {
        Effort { most: self.fewest, ..self.clone() }
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
        let time = effort().time(0, None, &mut |_: usize| {
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
            let measured = effort().time(0, None, &mut |_: usize| {
                runs += 1;
                Ok(MICRO * time)
            });
            assert_eq!((measured.unwrap(), runs), (MICRO * time, expected));
        }
    }

    #[test]
    fn what_cannot_come_near_the_best_is_run_the_fewest_times() {
        let runs_at = |time: u32, best: Option<u32>| {
            let mut runs = 0;
            let measured = effort().time(0, best.map(|best| MICRO * best), &mut |_: usize| {
                runs += 1;
                Ok(MICRO * time)
            });
            assert_eq!(measured.unwrap(), MICRO * time);
            runs
        };
        assert_eq!(runs_at(5, None), 2 + 9);
        assert_eq!(runs_at(5, Some(4)), 2 + 3, "5 is more than 1.2 times 4");
        assert_eq!(runs_at(6, Some(5)), 2 + 9, "6 isn't more than 1.2 times 5");
        assert_eq!(runs_at(130, Some(65)), 2 + 3, "twice as long");
        assert_eq!(runs_at(131, Some(65)), 2 + 1, "more than twice as long, in runs that are long enough");
        assert_eq!(effort().briefly().time(0, None, &mut |_: usize| Ok(MICRO)).unwrap(), MICRO);
    }

    #[test]
    fn one_quick_run_among_slow_ones_is_a_chance() {
        let script = [9, 9, 9, 9, 4, 4, 4, 4, 4];
        let mut runs = 0;
        let measured = effort().time(0, Some(MICRO * 4), &mut |_: usize| {
            runs += 1;
            Ok(MICRO * script[(runs - 1) % script.len()])
        });
        assert_eq!((measured.unwrap(), runs), (MICRO * 4, 2 + 9), "the third of those that count is quick");
    }

    /// The candidate that is chosen, and how many runs that took.
    fn chosen(effort: &Effort, times: &[u32], knows_best: bool, noise: impl Fn(usize) -> f64) -> (usize, usize) {
        let mut runs = 0;
        let mut measure = |candidate: usize| {
            runs += 1;
            Ok((MICRO * times[candidate]).mul_f64(1.0 + noise(runs)))
        };
        let mut measured: Vec<Option<Duration>> = Vec::new();
        for candidate in 0..times.len() {
            let best = measured.iter().flatten().min().copied().filter(|_| knows_best);
            measured.push(effort.time(candidate, best, &mut measure).ok());
        }
        assert!(effort.run_off(&mut measured, &mut measure).is_empty());
        let best = (0..times.len()).min_by_key(|&candidate| measured[candidate]).unwrap();
        (best, runs)
    }

    #[test]
    fn the_same_is_chosen_in_fewer_runs() {
        let alike = |_: usize| 0.0;
        // Up to 5 % more or less, and each tenth run twice as long.
        let noise = |run: usize| match run % 10 {
            9 => 1.0,
            _ => ((run * 7919) % 101) as f64 / 1010.0 - 0.05,
        };
        let effort = Effort { enough: Duration::from_millis(2), ..Effort::default() };
        for times in [&[10, 30, 12][..], &[30, 12, 10], &[100, 90, 89, 300], &[700, 7000, 650], &[5, 50, 500, 5000]] {
            for noise in [&alike as &dyn Fn(usize) -> f64, &noise] {
                let all = chosen(&effort, times, false, noise);
                let fewer = chosen(&effort, times, true, noise);
                assert_eq!(all.0, fewer.0, "{times:?}");
                assert!(fewer.1 <= all.1, "{times:?}: {fewer:?} instead of {all:?}");
            }
        }
        assert_eq!(chosen(&effort, &[5, 50, 500, 5000], false, alike), (0, 52 + 42 + 7 + 7));
        assert_eq!(chosen(&effort, &[5, 50, 500, 5000], true, alike), (0, 52 + 7 + 7 + 3));
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
        let failed = effort().time(0, None, &mut |_: usize| Err(Error::plugin("no")));
        assert!(failed.is_err());
    }
}
