//! The records of a tuning lockfile, for people and tools to read.

use std::path::Path;

use super::TrialOutcome;
use super::lockfile;
use super::record::{Outcome, Subject, Surroundings};
use crate::device::Device;
use crate::error::Result;
use crate::plugin::TacticName;

/// One timing decision of a lockfile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TimingRecord {
    /// What was timed.
    pub subject: TimedSubject,
    /// The device that it was timed on: kind, model, and what else decides its speed.
    pub device: String,
    /// Its driver, `-` where there is none.
    pub driver: String,
    /// Checksum of the CUDA sources on a GPU; on the CPU `debug`, or `-` in an optimized build.
    pub kernel: String,
    /// Whether builds for the device that the lockfile was read for use it.
    pub is_used: bool,
    /// How it fared.
    pub outcome: TrialOutcome,
}

/// The subject of a timing decision.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TimedSubject {
    /// One combination and tactic of a plugin.
    Plugin {
        /// The plugin's id.
        id: String,
        /// The plugin's version.
        version: u32,
        /// `name=value, ..` in the registered order.
        attributes: String,
        /// Types and extents of the inputs and outputs, as the network has them.
        tensors: String,
        /// Types and layouts that it was timed in.
        combination: String,
        /// The tactic's number.
        tactic: i32,
        /// The tactic's name.
        tactic_name: String,
        /// Whether kernels compiled ahead of time ran, and not an impl.
        ahead_of_time: bool,
        /// The check of its results, in words: the reference, and how it was compared.
        check: String,
    },
    /// The conversion of a tensor to another type or layout.
    Reformat {
        /// Extents.
        dims: String,
        /// Type and layout before.
        from: String,
        /// Type and layout after.
        to: String,
    },
}

/// Reads the timing decisions of a lockfile, in the order in which they stand there.
///
/// # Errors
/// When it can't be read or isn't a valid lockfile: the path, and the line where one is wrong.
pub fn read_lockfile(path: impl AsRef<Path>, device: &Device) -> Result<Vec<TimingRecord>> {
    let surroundings = Surroundings::of(device);
    let records = lockfile::read(path.as_ref())?.records;
    let record = |(key, outcome): (super::record::Key, Outcome)| TimingRecord {
        is_used: key.machine == surroundings.machine(&key.subject),
        subject: key.subject.into(),
        device: key.machine.device.to_string(),
        driver: key.machine.driver.to_string(),
        kernel: key.machine.kernel.to_string(),
        outcome: outcome.into(),
    };
    Ok(records.into_iter().map(record).collect())
}

impl From<Subject> for TimedSubject {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Trial { plugin, version, attributes, tensors, combination, tactic, name, check } => {
                TimedSubject::Plugin {
                    id: plugin.to_string(),
                    version,
                    attributes: attributes.to_string(),
                    tensors: tensors.to_string(),
                    combination: combination.to_string(),
                    tactic,
                    ahead_of_time: TacticName::parse(&name).ahead_of_time,
                    tactic_name: name.to_string(),
                    check: check.to_string(),
                }
            }
            Subject::Reformat { dims, from, to } => {
                TimedSubject::Reformat { dims: dims.to_string(), from: from.to_string(), to: to.to_string() }
            }
        }
    }
}
