//! Times every candidate of a network's layers and chooses one for each.

use std::time::Instant;

use super::candidates::{Rules, enumerate};
use super::check::Checks;
use super::clock::ClockOf;
use super::conversions::{ReformatTimes, select};
use super::device_bench::{DeviceBench, Site};
use super::layer_data::{Data, Given};
use super::layer_extents::same_shape;
use super::layer_trials::LayerTrials;
use super::layer_tuning::LayerTuning;
use super::timer::Effort;
use super::timings::Timings;
use super::trial::Bench;
use super::{LayerReport, Phase, Told, TuningCost};
use crate::device::Stream;
use crate::plugin::combination::Combination;

use crate::device::cuda::AotCompiler;
use crate::error::{Error, LayerContext, Result};
use crate::network::{At, Bounds, Layer, Network, Point, SymbolSource};
use crate::plugin::Implementation;
use crate::table::Table;

/// The implementation, combination and tactic that a layer runs with.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) implementation: Implementation,
    pub(crate) combination: Combination,
    pub(crate) tactic: i32,
}

/// How to tune.
pub(crate) struct Tuning<'a> {
    /// Where trials run.
    pub(crate) stream: &'a Stream,
    /// Makes the images of AOT kernels.
    pub(crate) compiler: &'a AotCompiler,
    pub(crate) rules: &'a Rules,
    pub(crate) effort: &'a Effort,
    pub(crate) seed: u64,
    /// Whether results are compared, and every implementation is run.
    pub(crate) checked: bool,
    /// Sample inputs that the caller gave.
    pub(crate) given: &'a Given,
}

/// What tuning decided, and what it was decided by.
pub(crate) struct Tuned {
    /// One per layer.
    pub(crate) choices: Table<Layer, Choice>,
    /// One per layer.
    pub(crate) reports: Vec<LayerReport>,
    /// What it cost to time conversions between layers.
    pub(crate) conversions: TuningCost,
}

/// One choice and one report per layer. `observe` is told of each layer's phases and trials, and how many trials of how many
/// have ended.
///
/// # Errors
/// When no candidate of a layer works; in a locked build, when a timing is missing, before anything is run.
pub(crate) fn tune(
    network: &Network,
    bounds: &Bounds,
    profile: usize,
    tuning: &Tuning<'_>,
    timings: &mut Timings,
    observe: &mut dyn FnMut(&Layer, Told<'_>, usize, usize),
) -> Result<Tuned> {
    let points = points(network, bounds, tuning.checked)?;
    let mut runs = Vec::with_capacity(network.layers.len());
    let mut checks = Checks::default();
    for layer in &network.layers {
        let candidates = enumerate(network, layer, tuning.stream.device().kind(), tuning.rules);
        let run = candidates.and_then(|candidates| {
            let check = tuning.checked.then(|| checks.of(network, layer, &candidates)).transpose()?;
            LayerTuning::new(network, layer, candidates, &points, check, timings)
        });
        runs.push(run.map_err(in_layer(layer))?);
    }
    if timings.locked() {
        runs.iter_mut().for_each(|run| run.recall(timings));
        check_complete(&runs, timings)?;
    }

    let total = runs.iter().map(|run| run.attempts.len()).sum();
    let clock = ClockOf::new(tuning.stream);
    let mut done = 0;
    let mut tuned = Vec::with_capacity(runs.len());
    let mut reports = Vec::with_capacity(runs.len());
    for (index, mut run) in runs.into_iter().enumerate() {
        let layer = run.layer;
        let mut told = |told: Told<'_>| {
            done += usize::from(matches!(told, Told::Ended(_)));
            observe(layer, told, done, total);
        };
        run.recall(timings);
        if run.missing().next().is_some() {
            let data =
                Data { given: tuning.given, seed: tuning.seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) };
            let tried = try_missing(network, &mut run, (tuning, &clock), (&points, &data), &mut told);
            run.note(timings);
            tried.map_err(in_layer(layer))?;
        } else {
            run.trials().iter().for_each(|trial| told(Told::Ended(trial)));
        }
        reports.push(run.report(profile));
        tuned.push(run.into_options().map_err(in_layer(layer))?);
    }

    let mut reformats = ReformatTimes::new(network, bounds, &clock, timings);
    let chosen = select(network, &tuned, &mut reformats)?;
    let conversions = reformats.cost;
    let mut choices = Table::new();
    for ((tuned, option), report) in tuned.into_iter().zip(chosen).zip(&mut reports) {
        let option = &tuned.options[option];
        for (candidate, trial) in tuned.candidates.candidates.iter().zip(&mut report.trials) {
            trial.chosen = (candidate.combination, candidate.tactic) == (option.combination, option.tactic);
        }
        choices.push(Choice {
            implementation: tuned.candidates.implementation,
            combination: tuned.candidates.combinations[option.combination].clone(),
            tactic: option.tactic,
        });
    }
    Ok(Tuned { choices, reports, conversions })
}

/// Tries the candidates of a layer that have no outcome, on data that it makes for that.
///
/// # Errors
/// When there is no such data, or tactics disagree and nothing says which is right.
fn try_missing<'b, 'n: 'b>(
    network: &'n Network,
    run: &mut LayerTuning<'n>,
    (tuning, clock): (&Tuning<'b>, &'b ClockOf<'_>),
    (points, data): (&[Point], &Data<'_>),
    told: &mut dyn FnMut(Told<'_>),
) -> Result<()> {
    told(Told::Begins { phase: Phase::Data, trial: None, of: run.attempts.len() });
    let start = Instant::now();
    let benches = benches(network, run, (tuning, clock), points, data)?;
    run.cost.add_time_since(start, Phase::Data);
    run.recall_unchecked();
    if run.missing().next().is_none() {
        run.trials().iter().for_each(|trial| told(Told::Ended(trial)));
        return Ok(());
    }
    LayerTrials::new(run, &benches, tuning.effort, told).run()
}

/// The shapes that layers are tried at: a profile's opt, then, where results are checked, its min and max, as far as
/// these can be computed.
fn points(network: &Network, bounds: &Bounds, checked: bool) -> Result<Vec<Point>> {
    let mut points = vec![bounds.point(At::Opt, network.symbols.iter())?];
    let dynamic = network.symbols.iter().any(|def| matches!(def.source, SymbolSource::Dim(_)));
    if checked && dynamic {
        points.extend([At::Min, At::Max].into_iter().filter_map(|at| bounds.point(at, network.symbols.iter()).ok()));
    }
    Ok(points)
}

/// One bench per shape at which the layer's extents differ, opt first.
///
/// # Errors
/// When there can be none at opt; where there can be none at another shape, the layer's notes say so.
fn benches<'b, 'n: 'b>(
    network: &'n Network,
    run: &mut LayerTuning<'n>,
    (tuning, clock): (&Tuning<'b>, &'b ClockOf<'_>),
    points: &[Point],
    data: &Data<'_>,
) -> Result<Vec<Box<dyn Bench + 'b>>> {
    let layer = run.layer;
    let site = Site { network, compiler: tuning.compiler, stream: tuning.stream, clock: clock.get()? };
    let mut benches: Vec<Box<dyn Bench + 'b>> = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        if points[..index].iter().any(|other| same_shape(network, layer, point, other)) {
            continue;
        }
        match DeviceBench::new(site, layer, run.implementation(), point, data) {
            Ok(bench) => benches.push(Box::new(bench)),
            Err(error) if point.at == At::Opt => return Err(error),
            Err(error) => {
                run.add_note(format!("not checked at the profile's {}: {error}", point.at.name()));
                run.leave_unchecked(0..run.attempts.len(), point.at);
            }
        }
    }
    Ok(benches)
}

fn in_layer(layer: &Layer) -> impl Fn(Error) -> Error {
    |e| e.in_layer(LayerContext::new(&layer.name, &layer.plugin().label()))
}

/// An error that names the first trial whose record is missing.
fn check_complete(runs: &[LayerTuning<'_>], timings: &Timings) -> Result<()> {
    let mut missing = runs.iter().flat_map(|run| run.missing().map(move |candidate| (run, candidate)));
    match missing.next() {
        Some((run, candidate)) => Err(run.missing_record(candidate, timings, missing.count())),
        None => Ok(()),
    }
}
