//! Timing decisions as records: what was timed, on what, and how it fared.

mod kernels;
mod machine;
mod signature;
pub(super) mod text;

use crate::plugin::combination::Combination;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::TrialOutcome;
use crate::error::Result;
use crate::network::{Layer, Network, Point};
use crate::plugin::{AttributeValue, Implementation};
use crate::shape::Dims;
use crate::tensor::{DataType, Format};

#[cfg(feature = "tensorrt")]
pub(crate) use kernels::checksum_of as kernels_checksum;
pub(super) use machine::{Machine, Surroundings};
pub(super) use signature::Signature;
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
pub(super) use signature::TriedTensor;
pub(super) use text::{abridged, quoted, stays_as_it_is};

/// What was timed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Subject {
    /// The conversion of a tensor to another type or layout.
    Reformat { dims: Arc<str>, from: Arc<str>, to: Arc<str> },
    /// One combination and tactic of a layer.
    Trial {
        plugin: Arc<str>,
        version: u32,
        attributes: Arc<str>,
        /// Types and extents of the inputs and outputs.
        tensors: Arc<str>,
        combination: Arc<str>,
        tactic: i32,
        /// The tactic's name.
        name: Arc<str>,
        /// The check of its results, in words: the reference, and how it was compared.
        check: Arc<str>,
    },
}

/// A timing decision holds for one subject on one machine. Records are sorted by this.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    pub(super) subject: Subject,
    pub(super) machine: Machine,
}

/// How a subject fared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The median time of a run.
    Time(Duration),
    /// The median times of a run with a warm and a cold cache.
    Times { warm: Duration, cold: Duration },
    /// It is right; it wasn't timed.
    Checked,
    /// It doesn't work, for this reason.
    Rejected(String),
}

impl Outcome {
    /// `None` where nothing was tried.
    pub(super) fn of(trial: &TrialOutcome) -> Option<Outcome> {
        match trial {
            TrialOutcome::Time(time) => Some(Outcome::Time(*time)),
            TrialOutcome::Times { warm, cold } => Some(Outcome::Times { warm: *warm, cold: *cold }),
            TrialOutcome::Rejected(reason) => Some(Outcome::Rejected(abridged(reason).as_ref().into())),
            TrialOutcome::Checked => Some(Outcome::Checked),
            TrialOutcome::NotTried(_) | TrialOutcome::NotTimed => None,
        }
    }
}

impl From<Outcome> for TrialOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Time(time) => TrialOutcome::Time(time),
            Outcome::Times { warm, cold } => TrialOutcome::Times { warm, cold },
            Outcome::Checked => TrialOutcome::Checked,
            Outcome::Rejected(reason) => TrialOutcome::Rejected(reason),
        }
    }
}

/// The part of a record's key that all trials of a layer share.
pub(super) struct LayerSubject {
    implementation: Implementation,
    plugin: Arc<str>,
    version: u32,
    attributes: Arc<str>,
    tensors: Arc<str>,
    check: Arc<str>,
}

impl LayerSubject {
    /// `points` are the shapes that it is tried at, a profile's opt first.
    ///
    /// # Errors
    /// When the extents at opt can't be computed.
    pub(super) fn new(
        network: &Network,
        layer: &Layer,
        implementation: Implementation,
        points: &[Point],
        check: Arc<str>,
    ) -> Result<Self> {
        let entry = &layer.plugin().entry;
        Ok(LayerSubject {
            implementation,
            plugin: abridged(entry.id),
            version: entry.version,
            attributes: attributes_text(layer),
            tensors: abridged(Signature::new(network, layer, points)?),
            check,
        })
    }

    /// One of its trials.
    pub(super) fn trial(&self, combination: Arc<str>, tactic: i32) -> Subject {
        Subject::Trial {
            plugin: self.plugin.clone(),
            version: self.version,
            attributes: self.attributes.clone(),
            tensors: self.tensors.clone(),
            combination,
            tactic,
            name: abridged(self.implementation.tactic_name(tactic)),
            check: self.check.clone(),
        }
    }
}

/// A layer's attributes as the records have them.
pub(super) fn attributes_text(layer: &Layer) -> Arc<str> {
    let schemas = layer.plugin().entry.attributes.iter();
    values_text(schemas.map(|schema| schema.name).zip(&**layer.bound.values()))
}

/// Attributes as the records have them.
pub(crate) fn values_text<'v>(attributes: impl Iterator<Item = (&'static str, &'v AttributeValue)>) -> Arc<str> {
    let attributes: Vec<(&str, &AttributeValue)> = attributes.collect();
    abridged(Joined(&attributes, |(name, value): &(&str, &AttributeValue), f: &mut fmt::Formatter<'_>| {
        write!(f, "{name}={value}")
    }))
}

/// A combination as the records name it.
pub(super) fn combination_text(combination: &Combination) -> Arc<str> {
    abridged(combination)
}

impl Subject {
    pub(super) fn reformat(dims: &Dims, from: (DataType, Format), to: (DataType, Format)) -> Self {
        let laid_out = |(dtype, format): (DataType, Format)| abridged(format_args!("{dtype} {format}"));
        Subject::Reformat { dims: abridged(dims), from: laid_out(from), to: laid_out(to) }
    }
}

/// Items with `, ` between.
struct Joined<'a, T, W>(&'a [T], W);

impl<T, W: Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Joined<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            self.1(item, f)?;
        }
        Ok(())
    }
}

/// As the line of a lockfile begins.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Trial { plugin, version, attributes, tensors, combination, tactic, name, check } => {
                write!(f, "trial plugin={} version={version} attributes={}", quoted(plugin), quoted(attributes))?;
                write!(f, " tensors={} combination={}", quoted(tensors), quoted(combination))?;
                write!(f, " tactic={tactic} name={} check={}", quoted(name), quoted(check))?;
            }
            Subject::Reformat { dims, from, to } => {
                write!(f, "reformat dims={} from={} to={}", quoted(dims), quoted(from), quoted(to))?;
            }
        }
        write!(f, " {}", self.machine)
    }
}

/// As the line of a lockfile ends.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Time(time) => write!(f, "nanoseconds={}", time.as_nanos()),
            Outcome::Times { warm, cold } => {
                write!(f, "warm_nanoseconds={} cold_nanoseconds={}", warm.as_nanos(), cold.as_nanos())
            }
            Outcome::Checked => f.write_str("checked=\"right\""),
            Outcome::Rejected(reason) => write!(f, "rejected={}", quoted(reason)),
        }
    }
}
