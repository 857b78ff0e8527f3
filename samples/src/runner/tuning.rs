//! What a builder tries: while it does, and afterwards.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use plugin_runtime::engine::{BuildEvent, BuildReport, Trial, TrialOutcome};

use super::table::Table;

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
        if let BuildEvent::Trial { layer, trial, done, total } = event
            && self.start.elapsed() > PATIENCE
        {
            self.bar.set_length(*total as u64);
            self.bar.set_position(*done as u64);
            self.bar.set_message(format!("{layer}: {}, {}", trial.combination, trial.tactic));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A row for each combination and tactic of each layer.
pub(super) fn table(report: &BuildReport) -> Table {
    let mut table = Table::new(["layer", "combination", "tactic", "", "time"]);
    for layer in &report.layers {
        for trial in &layer.trials {
            table.row([
                layer.layer.to_string(),
                trial.combination.clone(),
                trial.tactic.clone(),
                if trial.chosen { "chosen".into() } else { String::new() },
                outcome(trial),
            ]);
        }
    }
    for step in &report.inserted {
        let [combination, tactic, chosen, time] = [const { String::new() }; 4];
        table.row([format!("{} (inserted)", step.name), combination, tactic, chosen, time]);
    }
    table
}

fn outcome(trial: &Trial) -> String {
    let source = if trial.locked { " (from the lockfile)" } else { "" };
    format!("{}{source}", outcome_text(&trial.outcome))
}

pub(super) fn outcome_text(outcome: &TrialOutcome) -> String {
    match outcome {
        TrialOutcome::Time(time) => microseconds(*time),
        TrialOutcome::Rejected(reason) => format!("left out: {reason}"),
        _ => "not timed".into(),
    }
}

pub(super) fn microseconds(time: Duration) -> String {
    format!("{:.2} µs", time.as_secs_f64() * 1e6)
}
