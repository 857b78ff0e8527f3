//! What the suite found.

use std::fmt;
use std::io::Write;

use crate::error::{Error, Result};

/// The most mistakes that are listed.
const MOST: usize = 20;

/// What a plugin was tried with, and what was left out.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConformanceReport {
    /// The plugin's id.
    pub plugin: String,
    /// How many tries were right.
    pub right: usize,
    /// What wasn't tried, and why.
    pub left_out: Vec<String>,
}

/// A report in the making.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) report: ConformanceReport,
    wrong: Vec<String>,
}

impl Findings {
    pub(super) fn of(plugin: &str) -> Self {
        Findings { report: ConformanceReport { plugin: plugin.into(), ..Default::default() }, wrong: Vec::new() }
    }

    /// One more try that was right, or what is wrong with it.
    pub(super) fn note(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.report.right += 1,
            Err(mistake) => self.wrong.push(mistake),
        }
    }

    /// How many mistakes there are.
    pub(super) fn mistakes(&self) -> usize {
        self.wrong.len()
    }

    pub(super) fn leave_out(&mut self, what: String) {
        if !self.report.left_out.contains(&what) {
            self.report.left_out.push(what);
        }
    }

    /// Says what was left out, and gives the report.
    ///
    /// # Errors
    /// Where something is wrong: all of it.
    pub(super) fn finish(self) -> Result<ConformanceReport> {
        let _ = writeln!(std::io::stderr(), "{}", self.report);
        if self.wrong.is_empty() && self.report.right == 0 {
            return Err(Error::plugin(format_args!(
                "nothing of `{}` could be tried:\n{}",
                self.report.plugin, self.report
            )));
        }
        if self.wrong.is_empty() {
            return Ok(self.report);
        }
        let (plugin, count) = (&self.report.plugin, self.wrong.len());
        let more = count.saturating_sub(MOST);
        let mut text = format!("`{plugin}` doesn't conform, {count} of {} tries are wrong:", count + self.report.right);
        for mistake in self.wrong.iter().take(MOST) {
            text += &format!("\n  {}", mistake.replace('\n', "\n    "));
        }
        if more > 0 {
            text += &format!("\n  and {more} more");
        }
        Err(Error::plugin(text))
    }
}

/// `conformance of a::b: 12 tries are right`, and a line for each thing that was left out.
impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conformance of `{}`: {} tries are right", self.plugin, self.right)?;
        self.left_out.iter().try_for_each(|what| write!(f, "\n  SKIPPED {what}"))
    }
}
