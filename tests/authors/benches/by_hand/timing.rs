//! Two pieces of work, timed in turns.

use std::time::Instant;

use plugin_runtime::prelude::*;

/// What is done with a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// What they give is compared, and nothing timed.
    Compare,
    /// They are timed, too.
    Full,
}

/// What a plugin takes beside its twin: medians of a run's microseconds, and of the ratios of turns beside each other, which a
/// machine that gets slower or faster meanwhile doesn't change.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub plugin_us: f64,
    pub twin_us: f64,
    pub ratio: f64,
}

/// Microseconds that a turn takes, so that reading the clock doesn't count, and that all turns take.
const TURN: f64 = 400.0;
const ALL: f64 = 1e6;
/// The most runs of a turn: few enough that the driver's queue never fills up.
const MOST_RUNS: f64 = 200.0;
const WARM_UP: usize = 20;

/// Times of the plugin's work, which is side 0, and of its twin's, side 1: until a run is enqueued, and until it is done. `work`
/// enqueues so many runs of a side.
///
/// # Errors
/// The first error of either.
pub fn in_turns(mut work: impl FnMut(usize, u32) -> Result<()>, wait: impl Fn() -> Result<()>) -> Result<[Figures; 2]> {
    let mut turn = |side: usize, runs: u32| -> Result<[f64; 2]> {
        let start = Instant::now();
        work(side, runs)?;
        let enqueued = start.elapsed();
        wait()?;
        Ok([enqueued, start.elapsed()].map(|time| time.as_secs_f64() * 1e6 / f64::from(runs)))
    };
    turn(0, 3)?;
    let [_, once] = turn(0, 3)?;
    let runs = (TURN / once).clamp(1.0, MOST_RUNS);
    let rounds = (ALL / (2.0 * runs * once)).clamp(31.0, 501.0) as usize;
    let mut times: [Vec<[f64; 2]>; 2] = Default::default();
    for round in 0..WARM_UP + rounds {
        // Who comes first changes from round to round.
        for side in [round % 2, 1 - round % 2] {
            let took = turn(side, runs as u32)?;
            if round >= WARM_UP {
                times[side].push(took);
            }
        }
    }
    let [plugin, twin] = &times;
    Ok([0, 1].map(|until| Figures {
        plugin_us: median(plugin.iter().map(|times| times[until])),
        twin_us: median(twin.iter().map(|times| times[until])),
        ratio: median(plugin.iter().zip(twin).map(|(plugin, twin)| plugin[until] / twin[until])),
    }))
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
