//! The timing decisions of a tuning lockfile.

use plugin_runtime::tactic::{TimedSubject, TimingRecord};
use serde_json::{Value, json};

use super::{Shown, json};
use crate::runner::table::Table;
use crate::runner::text::count;
use crate::runner::tuning::outcome_text;

impl Shown for Vec<TimingRecord> {
    fn tables(&self) -> Vec<(String, Table)> {
        let used = self.iter().filter(|record| record.is_used).count();
        let title = format!("tuning lockfile: {}, {used} of them for this machine", count(self.len(), "record"));
        let mut plugins = Table::new([
            "plugin",
            "attributes",
            "tensors",
            "combination",
            "tactic",
            "checked",
            "outcome",
            "this machine",
            "device",
        ]);
        let mut reformats = Table::new(["extents", "from", "to", "outcome", "this machine", "device"]);
        for record in self {
            let (used, device) = (if record.is_used { "yes" } else { "no" }.to_owned(), device(record));
            let outcome = outcome_text(&record.outcome);
            match &record.subject {
                TimedSubject::Plugin {
                    id,
                    version,
                    attributes,
                    tensors,
                    combination,
                    tactic,
                    tactic_name,
                    check,
                    ..
                } => plugins.row([
                    format!("{id} v{version}"),
                    attributes.clone(),
                    tensors.clone(),
                    combination.clone(),
                    tactic_text(*tactic, tactic_name),
                    check.clone(),
                    outcome,
                    used,
                    device,
                ]),
                TimedSubject::Reformat { dims, from, to } => {
                    reformats.row([dims.clone(), from.clone(), to.clone(), outcome, used, device]);
                }
                _ => {}
            }
        }
        vec![(title, plugins), ("reformats".into(), reformats)]
    }

    fn json(&self) -> Value {
        let record = |record: &TimingRecord| {
            let subject = match &record.subject {
                TimedSubject::Plugin {
                    id,
                    version,
                    attributes,
                    tensors,
                    combination,
                    tactic,
                    tactic_name,
                    check,
                    ..
                } => {
                    json!({
                        "plugin": { "id": id, "version": version },
                        "attributes": attributes,
                        "tensors": tensors,
                        "combination": combination,
                        "tactic": { "number": tactic, "name": tactic_name },
                        "checked": check,
                    })
                }
                TimedSubject::Reformat { dims, from, to } => json!({ "dims": dims, "from": from, "to": to }),
                _ => Value::Null,
            };
            json!({
                "subject": subject,
                "device": record.device,
                "driver": record.driver,
                "kernel": record.kernel,
                "this_machine": record.is_used,
                "outcome": json::outcome(&record.outcome),
            })
        };
        json!({ "kind": "lockfile", "records": self.iter().map(record).collect::<Vec<_>>() })
    }
}

/// `Rows (1)`; a tactic that has no name of its own has no number behind it.
pub(super) fn tactic_text(number: i32, name: &str) -> String {
    if number == 0 || name == number.to_string() { name.into() } else { format!("{name} ({number})") }
}

/// The device, with its driver and kernel where they are known.
pub(super) fn device(record: &TimingRecord) -> String {
    let known = [("driver", &record.driver), ("kernel", &record.kernel)].into_iter().filter(|(_, value)| *value != "-");
    known.fold(record.device.clone(), |text, (what, value)| format!("{text}, {what} {value}"))
}
