//! What a builder tries: while it does, and afterwards.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plugin_runtime::engine::{BuildEvent, BuildReport};
use plugin_runtime::tactic::{LayerReport, Phase, Trial, TrialOutcome, TuningCost};

use super::table::Table;
use super::text::{count, shown, shown_lines};

/// Builds that take less aren't worth a bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar on the terminal, if stderr is one, for a build that takes long.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    /// Shows the bar, unless this ends before.
    patience: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        // The template is known to be right; a plain bar would do as well.
        if let Ok(style) = ProgressStyle::with_template("tuning {pos}/{len} [{bar:30}] {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        let patience = std::io::stderr().is_terminal().then(|| {
            let (ended, end) = mpsc::channel();
            let shown = bar.clone();
            let shows = thread::spawn(move || {
                if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    shown.set_draw_target(ProgressDrawTarget::stderr());
                    shown.tick();
                }
            });
            (ended, shows)
        });
        Progress { bar, patience }
    }

    pub(super) fn update(&self, event: &BuildEvent) {
        match event {
            BuildEvent::Begins { layer, phase, trial, of, done, total } => {
                self.bar.set_length(*total as u64);
                self.bar.set_position(*done as u64);
                self.bar.set_message(format!("{}: {}", shown(layer), doing(*phase, *trial, *of)));
            }
            BuildEvent::Trial { done, .. } => self.bar.set_position(*done as u64),
            BuildEvent::Waits { lockfile } => self.bar.suspend(|| {
                let lockfile = shown_lines(&lockfile.display().to_string());
                // Nobody misses it where stderr is closed.
                let _ = writeln!(std::io::stderr(), "waiting for another program that is writing {lockfile}");
            }),
            _ => {}
        }
    }

    pub(super) fn finish(self) {
        if let Some((ended, shows)) = self.patience {
            drop(ended);
            // It doesn't panic; a bar that isn't shown is nothing to fail for.
            let _ = shows.join();
        }
        self.bar.finish_and_clear();
    }
}

/// `checking 2 of 6`
fn doing(phase: Phase, trial: Option<usize>, of: usize) -> String {
    let what = match phase {
        Phase::Data => "making up data",
        Phase::Reference => "running the reference",
        Phase::Checks => "checking",
        Phase::Timing => "timing",
        _ => "trying",
    };
    trial.map_or_else(|| what.to_owned(), |trial| format!("{what} {} of {of}", trial + 1))
}

/// A line on the terminal, if stderr is one, that turns while something else works.
pub(super) fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    bar.enable_steady_tick(PATIENCE);
    bar
}

/// A row for each combination and tactic of each layer; those that need a type that the build doesn't allow share one.
pub(super) fn table(report: &BuildReport) -> Table {
    let mut table = Table::new(["layer", "combination", "tactic", "", "time"]);
    for layer in &report.layers {
        let mut needs_type: Vec<(&str, usize)> = Vec::new();
        for trial in &layer.trials {
            if let Some(dtype) = missing_type(&trial.outcome) {
                match needs_type.iter_mut().find(|(known, _)| *known == dtype) {
                    Some((_, trials)) => *trials += 1,
                    None => needs_type.push((dtype, 1)),
                }
                continue;
            }
            table.row([
                layer.layer.to_string(),
                trial.combination.clone(),
                trial.tactic.clone(),
                if trial.chosen { "chosen".into() } else { String::new() },
                outcome(trial),
            ]);
        }
        let folded = (!needs_type.is_empty()).then(|| folded(&needs_type));
        for line in folded.into_iter().chain(of_check(layer)).chain(cost_text(&phases(&layer.cost))) {
            let [combination, tactic, chosen] = [const { String::new() }; 3];
            table.row([layer.layer.to_string(), combination, tactic, chosen, line]);
        }
    }
    if let Some(cost) = cost_text(&phases(&report.conversions)) {
        let [combination, tactic, chosen] = [const { String::new() }; 3];
        table.row(["(conversions)".into(), combination, tactic, chosen, cost]);
    }
    for step in &report.inserted {
        let [combination, tactic, chosen, time] = [const { String::new() }; 4];
        table.row([format!("{} (inserted)", step.name), combination, tactic, chosen, time]);
    }
    table
}

/// What couldn't be checked or tried, once for all profiles.
pub(super) fn warnings(report: &BuildReport) -> Vec<String> {
    let mut warnings = Vec::new();
    for layer in &report.layers {
        let not_tried = layer.trials.iter().filter_map(|trial| match &trial.outcome {
            TrialOutcome::NotTried(reason) => {
                Some(format!("{}, tactic {}, is not tried: {reason}", trial.combination, trial.tactic))
            }
            _ => None,
        });
        for what in layer.notes.iter().cloned().chain(not_tried) {
            let warning = format!("layer {}: {what}", layer.layer);
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    warnings
}

/// What each phase cost in runs and time, of those that there were.
fn phases(cost: &TuningCost) -> Vec<(Phase, usize, Duration)> {
    let phases = Phase::ALL.iter().map(|&phase| (phase, cost.of(phase).runs, cost.of(phase).time));
    phases.filter(|(_, _, time)| !time.is_zero()).collect()
}

/// `tried in 310.2 ms: data 80.1 ms, checks 180.0 ms (4 runs), timing 50.1 ms (14 runs)`; `None` where nothing was tried.
fn cost_text(phases: &[(Phase, usize, Duration)]) -> Option<String> {
    let total = phases.iter().map(|(.., time)| time).sum();
    let phases = phases.iter().map(|&(phase, runs, time)| {
        let name = match phase {
            Phase::Data => "data",
            Phase::Reference => "reference",
            Phase::Checks => "checks",
            Phase::Timing => "timing",
            _ => "other",
        };
        let runs = if runs == 0 { String::new() } else { format!(" ({})", count(runs, "run")) };
        format!("{name} {}{runs}", seconds(time))
    });
    let phases: Vec<String> = phases.collect();
    (!phases.is_empty()).then(|| format!("tried in {}: {}", seconds(total), phases.join(", ")))
}

/// `1.35 s`, `12.1 ms`
fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

/// How results were compared, where that isn't as usual, and what couldn't be checked.
fn of_check(layer: &LayerReport) -> impl Iterator<Item = String> {
    let own = layer.check.as_ref().filter(|check| check.contains("; "));
    own.map(|check| format!("checked {check}")).into_iter().chain(layer.notes.iter().cloned())
}

/// The type, where a trial was left out because the build doesn't allow one.
fn missing_type(outcome: &TrialOutcome) -> Option<&str> {
    match outcome {
        TrialOutcome::Rejected(reason) => Some(reason.split_once(", and this build doesn't allow ")?.1),
        _ => None,
    }
}

/// `3 more need types that this build doesn't allow: FP16, BF16`
fn folded(needs_type: &[(&str, usize)]) -> String {
    let trials: usize = needs_type.iter().map(|(_, trials)| trials).sum();
    let names: Vec<&str> = needs_type.iter().map(|(name, _)| *name).collect();
    let need = if trials == 1 { "needs" } else { "need" };
    let types = if names.len() == 1 { "a type" } else { "types" };
    format!("{trials} more {need} {types} that this build doesn't allow: {}", names.join(", "))
}

fn outcome(trial: &Trial) -> String {
    let source = if trial.locked { " (from the lockfile)" } else { "" };
    format!("{}{source}", outcome_text(&trial.outcome))
}

pub(super) fn outcome_text(outcome: &TrialOutcome) -> String {
    match outcome {
        TrialOutcome::Time(time) => microseconds(*time),
        TrialOutcome::Times { warm, cold } => format!("{} warm, {} cold", microseconds(*warm), microseconds(*cold)),
        TrialOutcome::Rejected(reason) => format!("left out: {reason}"),
        TrialOutcome::NotTried(reason) => format!("not tried: {reason}"),
        TrialOutcome::Checked => "right".into(),
        _ => "not timed".into(),
    }
}

pub(super) fn microseconds(time: Duration) -> String {
    format!("{:.2} µs", time.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(tactic: &str, outcome: TrialOutcome) -> Trial {
        Trial { combination: "FP32".into(), tactic: tactic.into(), outcome, chosen: tactic == "best", locked: false }
    }

    #[test]
    fn trials_of_types_that_are_not_allowed_share_a_row() {
        let not_allowed =
            |dtype: &str| TrialOutcome::Rejected(format!("input `x` is FP32, and this build doesn't allow {dtype}"));
        let (warm, cold) = (Duration::from_nanos(1500), Duration::from_nanos(2500));
        let layer = |trials| LayerReport {
            layer: "pad".into(),
            plugin: "p".into(),
            profile: 0,
            check: Some("tactics agree".into()),
            notes: Vec::new(),
            trials,
            cost: TuningCost::default(),
        };
        let lines = |trials| {
            let report = BuildReport { layers: vec![layer(trials)], ..BuildReport::default() };
            table(&report).plain().lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        let shown = lines(vec![
            trial("a", not_allowed("FP16")),
            trial("best", TrialOutcome::Times { warm, cold }),
            trial("b", TrialOutcome::Rejected("it fails".into())),
            trial("c", not_allowed("FP16")),
            trial("c", not_allowed("BF16")),
        ]);
        assert!(shown[0].ends_with("chosen  1.50 µs warm, 2.50 µs cold"), "{shown:?}");
        assert!(shown[1].ends_with("left out: it fails"), "{shown:?}");
        assert!(shown[2].ends_with("3 more need types that this build doesn't allow: FP16, BF16"), "{shown:?}");
        assert_eq!(shown.len(), 3);
        assert!(
            lines(vec![trial("a", not_allowed("FP16"))])[0]
                .ends_with("1 more needs a type that this build doesn't allow: FP16")
        );
    }

    #[test]
    fn what_could_not_be_checked_or_tried_is_told_once() {
        let layer = |profile| LayerReport {
            layer: "pad".into(),
            plugin: "p".into(),
            profile,
            check: Some("tactics agree".into()),
            notes: vec!["not checked at the profile's max: why".into()],
            trials: vec![trial("a", TrialOutcome::NotTried("no room".into())), trial("b", TrialOutcome::Checked)],
            cost: TuningCost::default(),
        };
        let report = BuildReport { layers: vec![layer(0), layer(1)], ..BuildReport::default() };
        let expected =
            ["layer pad: not checked at the profile's max: why", "layer pad: FP32, tactic a, is not tried: no room"];
        assert_eq!(warnings(&report), expected);
    }

    #[test]
    fn what_the_trials_cost_is_told_by_phase() {
        let [short, long] = [Duration::from_micros(12_340), Duration::from_millis(1_234)];
        let phases = [(Phase::Data, 0, short), (Phase::Reference, 1, short), (Phase::Checks, 4, long)];
        assert_eq!(
            cost_text(&phases).unwrap(),
            "tried in 1.26 s: data 12.3 ms, reference 12.3 ms (1 run), checks 1.23 s (4 runs)"
        );
        assert_eq!(cost_text(&[]), None);
    }

    #[test]
    fn the_bar_tells_layer_phase_and_trial() {
        let progress = Progress::new();
        let begins = |phase, trial| {
            let layer = "pad\n".into();
            progress.update(&BuildEvent::Begins { layer, phase, trial, of: 4, done: 3, total: 9 });
            progress.bar.message()
        };
        assert_eq!(begins(Phase::Data, None), "pad\\n: making up data");
        assert_eq!(begins(Phase::Reference, None), "pad\\n: running the reference");
        assert_eq!(begins(Phase::Checks, Some(0)), "pad\\n: checking 1 of 4");
        assert_eq!(begins(Phase::Timing, Some(3)), "pad\\n: timing 4 of 4");
        assert_eq!((progress.bar.position(), progress.bar.length()), (3, Some(9)));
        progress.update(&BuildEvent::Trial {
            layer: "pad".into(),
            trial: trial("best", TrialOutcome::Checked),
            done: 4,
            total: 9,
        });
        assert_eq!(progress.bar.position(), 4);
        progress.finish();
    }
}
