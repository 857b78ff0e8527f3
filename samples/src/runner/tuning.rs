//! What a builder tries: while it does, and afterwards.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use plugin_runtime::engine::{BuildEvent, BuildReport};
use plugin_runtime::tactic::{LayerReport, Trial, TrialOutcome};

use super::table::Table;
use super::text::shown_lines;

/// Builds that take less aren't worth a bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar on the terminal, if stderr is one, for a build that takes long.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    start: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        // The template is known to be right; a plain bar would do as well.
        if let Ok(style) = ProgressStyle::with_template("timing {pos}/{len} [{bar:30}] {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Progress { bar, start: Instant::now() }
    }

    pub(super) fn update(&self, event: &BuildEvent) {
        match event {
            BuildEvent::Trial { layer, trial, done, total } if self.start.elapsed() > PATIENCE => {
                self.bar.set_length(*total as u64);
                self.bar.set_position(*done as u64);
                self.bar.set_message(format!("{layer}: {}, {}", trial.combination, trial.tactic));
            }
            BuildEvent::Waits { lockfile } => self.bar.suspend(|| {
                let lockfile = shown_lines(&lockfile.display().to_string());
                // Nobody misses it where stderr is closed.
                let _ = writeln!(std::io::stderr(), "waiting for another program that is writing {lockfile}");
            }),
            _ => {}
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
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
        for line in folded.into_iter().chain(of_check(layer)) {
            let [combination, tactic, chosen] = [const { String::new() }; 3];
            table.row([layer.layer.to_string(), combination, tactic, chosen, line]);
        }
    }
    for step in &report.inserted {
        let [combination, tactic, chosen, time] = [const { String::new() }; 4];
        table.row([format!("{} (inserted)", step.name), combination, tactic, chosen, time]);
    }
    table
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
}
