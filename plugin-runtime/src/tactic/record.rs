//! Timing decisions as records: what was timed, on what, and how it fared.

mod kernels;
mod machine;
pub(super) mod text;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Combination;
use super::TrialOutcome;
use super::trial::{dims, symbols};
use crate::error::Result;
use crate::network::{Bounds, Layer, Network, Producer};
use crate::plugin::{AttributeSchema, AttributeValue, Runner};
use crate::shape::Dims;
use crate::tensor::{DataType, Format};

pub(super) use machine::{Machine, Surroundings};
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
            TrialOutcome::NotTimed => None,
        }
    }
}

impl From<Outcome> for TrialOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Time(time) => TrialOutcome::Time(time),
            Outcome::Times { warm, cold } => TrialOutcome::Times { warm, cold },
            Outcome::Rejected(reason) => TrialOutcome::Rejected(reason),
        }
    }
}

/// What all trials of a layer have in common.
pub(super) struct LayerSubject {
    runner: Runner,
    plugin: Arc<str>,
    version: u32,
    attributes: Arc<str>,
    tensors: Arc<str>,
}

impl LayerSubject {
    /// # Errors
    /// When the extents that the layer is timed at can't be computed.
    pub(super) fn new(network: &Network, layer: &Layer, runner: Runner, bounds: &Bounds) -> Result<Self> {
        let symbols = symbols(network, layer, bounds)?;
        let entry = &layer.plugin.entry;
        let inputs = Joined(&layer.inputs, |tensor: &usize, f: &mut fmt::Formatter<'_>| {
            let is_constant = matches!(network.tensors[*tensor].producer, Producer::Constant(_));
            f.write_str(if is_constant { "constant " } else { "" })?;
            write_tensor(network, *tensor, &symbols, f)
        });
        let outputs = Joined(&layer.outputs, |tensor: &usize, f: &mut fmt::Formatter<'_>| {
            write_tensor(network, *tensor, &symbols, f)
        });
        let values: Vec<(&AttributeSchema, &AttributeValue)> = entry.attributes.iter().zip(&*layer.values).collect();
        let attributes =
            Joined(&values, |(schema, value): &(&AttributeSchema, &AttributeValue), f: &mut fmt::Formatter<'_>| {
                write!(f, "{}={value}", schema.name)
            });
        Ok(LayerSubject {
            runner,
            plugin: abridged(entry.id),
            version: entry.version,
            attributes: abridged(attributes),
            tensors: abridged(format_args!("{inputs} -> {outputs}")),
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
            name: abridged(self.runner.tactic_name(tactic)),
        }
    }
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

fn write_tensor(network: &Network, tensor: usize, symbols: &[i64], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} ", network.tensors[tensor].dtype)?;
    match dims(network, tensor, symbols) {
        Ok(dims) => write!(f, "{dims}"),
        // Then no trial works, and each says why.
        Err(_) => f.write_str("[?]"),
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
            Subject::Trial { plugin, version, attributes, tensors, combination, tactic, name } => {
                write!(f, "trial plugin={} version={version} attributes={}", quoted(plugin), quoted(attributes))?;
                write!(f, " tensors={} combination={}", quoted(tensors), quoted(combination))?;
                write!(f, " tactic={tactic} name={}", quoted(name))?;
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
            Outcome::Rejected(reason) => write!(f, "rejected={}", quoted(reason)),
        }
    }
}
