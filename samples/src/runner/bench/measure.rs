//! Medians of work that is timed in turns.

use std::time::{Duration, Instant};

use crate::runner::failure::Result;

/// How much is run to get a figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    warm_up: Duration,
    /// Short work is repeated until it takes this long, so that reading the clock doesn't count.
    batch: Duration,
    total: Duration,
    rounds: (u32, u32),
    /// Whether the fastest round counts, instead of the middle one.
    fastest: bool,
}

impl Effort {
    pub(super) const FULL: Effort = Effort {
        warm_up: Duration::from_millis(50),
        batch: Duration::from_micros(200),
        total: Duration::from_secs(2),
        rounds: (15, 501),
        fastest: false,
    };

    /// Of work that takes long, and is warm when it has been done once.
    pub(super) const LONG: Effort = Effort { warm_up: Duration::ZERO, rounds: (3, 101), ..Effort::FULL };

    pub(super) const QUICK: Effort = Effort {
        warm_up: Duration::ZERO,
        batch: Duration::ZERO,
        total: Duration::ZERO,
        rounds: (3, 3),
        fastest: false,
    };

    /// The time that stands for all.
    pub(super) fn summary(self, times: Vec<f64>) -> f64 {
        if self.fastest { times.into_iter().fold(f64::NAN, f64::min) } else { median(times) }
    }

    /// The same, with the fastest round in place of the middle one or not.
    pub(super) const fn fastest(self, fastest: bool) -> Effort {
        Effort { fastest, ..self }
    }
}

/// The median time of each piece of work, or its fastest, in microseconds. All take turns, so that what else the machine
/// does slows each of them alike.
///
/// # Errors
/// The first error of a piece of work.
pub(super) fn in_turns<const N: usize>(
    mut work: [&mut dyn FnMut() -> Result<()>; N],
    effort: Effort,
) -> Result<[f64; N]> {
    let mut batches = [1u32; N];
    let mut round = Duration::ZERO;
    for (run, batch) in work.iter_mut().zip(&mut batches) {
        let once = warm_up(run, effort.warm_up)?;
        *batch = (effort.batch.as_nanos() / once.as_nanos().max(1)).clamp(1, 1 << 20) as u32;
        round += once * *batch;
    }
    let rounds =
        (effort.total.as_nanos() / round.as_nanos().max(1)).clamp(effort.rounds.0.into(), effort.rounds.1.into());
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds as usize));
    for _ in 0..rounds {
        for ((run, &batch), times) in work.iter_mut().zip(&batches).zip(&mut times) {
            let start = Instant::now();
            for _ in 0..batch {
                run()?;
            }
            times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(batch));
        }
    }
    Ok(times.map(|times| effort.summary(times)))
}

/// As [`in_turns`], one piece of work after the other: each finds the caches as it left them itself.
///
/// # Errors
/// The first error of a piece of work.
pub(super) fn alone<const N: usize>(work: [&mut dyn FnMut() -> Result<()>; N], effort: Effort) -> Result<[f64; N]> {
    let mut medians = [f64::NAN; N];
    for (run, median) in work.into_iter().zip(&mut medians) {
        [*median] = in_turns([run], effort)?;
    }
    Ok(medians)
}

/// Runs for at least `time` and twice; gives the fastest run's time.
fn warm_up(run: &mut dyn FnMut() -> Result<()>, time: Duration) -> Result<Duration> {
    let begin = Instant::now();
    let mut fastest = Duration::MAX;
    for runs in 0u32.. {
        if runs >= 2 && begin.elapsed() >= time {
            break;
        }
        let start = Instant::now();
        run()?;
        fastest = fastest.min(start.elapsed());
    }
    Ok(fastest)
}

pub(super) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match times.get(middle) {
        None => f64::NAN,
        Some(&upper) if times.len() % 2 == 1 => upper,
        Some(&upper) => f64::midpoint(times[middle - 1], upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn work_takes_turns_and_its_first_error_ends_it() {
        let order = std::cell::RefCell::new(Vec::new());
        let mut first = || {
            order.borrow_mut().push('a');
            Ok(())
        };
        let mut second = || {
            order.borrow_mut().push('b');
            Ok(())
        };
        let times = in_turns([&mut first, &mut second], Effort::QUICK).unwrap();
        assert!(times.iter().all(|t| *t >= 0.0));
        assert_eq!(order.borrow().iter().collect::<String>(), "aabbababab");

        let mut failing = || Err(crate::runner::failure::Failure::work("broken"));
        assert_eq!(in_turns([&mut failing], Effort::QUICK).unwrap_err().to_string(), "broken");
    }
}
