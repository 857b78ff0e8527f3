//! What one layer runs as inside another engine, which neither converts types nor lays tensors out: by a lockfile, by trying
//! it, or as the first that is listed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::candidates::{Candidate, Candidates, Rules, enumerate};
use super::layer_data::Given;
use super::lockfile::{self, Held};
use super::record::{Key, Outcome, Signature, Subject, Surroundings, TriedTensor, attributes_text, combination_text};
use super::timer::Effort;
use super::timings::{Keeping, Timings};
use super::tune::{Choice, Tuning, tune};
use crate::device::Device;
use crate::device::cuda::AotCompiler;
use crate::error::{Error, LayerContext, Result};
use crate::network::{Bounds, Layer, Network};
use crate::plugin::combination::Combination;
use crate::shape::Profile;
use crate::tensor::DataType;

/// The rules of an engine that takes tensors as they are.
fn as_they_are() -> Rules {
    Rules { linear: true, ..Rules::default() }
}

/// The first that a layer's autotune function lists in the network's own types, all LINEAR.
///
/// # Errors
/// When it has no impl for the device, or takes other types: lists those.
pub(crate) fn first_listed(network: &Network, layer: &Layer, device: &Device) -> Result<Choice> {
    let found = enumerate(network, layer, device.kind(), &as_they_are())?;
    match found.candidates.iter().find(|candidate| candidate.ruled_out.is_none()) {
        Some(first) => Ok(chosen(&found, first)),
        None => Err(none_fits(network, layer, &found)),
    }
}

/// The quickest one that is right, by trying each on made-up data; its timings are kept as `keeping` says. All extents of the
/// network's inputs have to be fixed.
///
/// # Errors
/// When none works: lists each with its reason; when the lockfile can't be read or written.
pub(crate) fn tried(network: &Network, device: &Device, keeping: Keeping) -> Result<Choice> {
    let ignore = &mut |_: &Path| {};
    let mut timings = Timings::open(keeping, device, ignore)?;
    let (compiler, stream) = (AotCompiler::new(device, &[]), device.create_stream()?);
    let tuning = Tuning {
        stream: &stream,
        compiler: &compiler,
        rules: &as_they_are(),
        effort: &Effort::default(),
        seed: 0,
        checked: true,
        given: &Given::new(),
    };
    let bounds = Bounds::new(network, &Profile::new())?;
    let tuned = tune(network, &bounds, 0, &tuning, &mut timings, &mut |_, _, _, _| {});
    timings.save(ignore)?;
    tuned?.choices.iter().next().cloned().ok_or_else(|| Error::invalid("there is no layer to try"))
}

/// The records of a tuning lockfile that were made on a device like the one at hand.
#[derive(Debug)]
pub(crate) struct Recorded {
    path: PathBuf,
    held: Held,
    surroundings: Surroundings,
}

/// The records of a layer that were made with tensors of some extents.
#[derive(Default)]
struct Tried<'r> {
    records: Vec<(&'r Subject, &'r Outcome)>,
    fit: Fit,
}

/// How near the extents of some records come to a layer's: the least is the nearest.
#[derive(Clone, Copy, PartialEq, PartialOrd, Default)]
struct Fit {
    /// How far known extents are from those at opt, as a sum of logarithms.
    distance: f64,
    /// Less of more elements: where nothing else tells, the work that takes longest decides.
    elements: f64,
}

impl Recorded {
    /// # Errors
    /// When the lockfile isn't there, can't be read, or isn't one.
    pub(crate) fn read(path: &Path, device: &Device) -> Result<Self> {
        Ok(Recorded { path: path.into(), held: lockfile::read(path)?, surroundings: Surroundings::of(device) })
    }

    /// The quickest of a layer's tactics by the records of its plugin and attributes that were made with tensors of the same
    /// types, and of the extents that come nearest; of those that aren't known any will do. `None` where there is no such
    /// record.
    ///
    /// # Errors
    /// When all candidates are recorded as wrong or failing.
    pub(crate) fn choose(&self, network: &Network, layer: &Layer, device: &Device) -> Result<Option<Choice>> {
        let found = enumerate(network, layer, device.kind(), &as_they_are())?;
        let Some(tried) = self.nearest(network, layer) else { return Ok(None) };
        let outcome = |candidate: &Candidate| {
            let text = combination_text(&found.combinations[candidate.combination]);
            let name = found.implementation.tactic_name(candidate.tactic);
            let is_same = |subject: &Subject| {
                matches!(subject, Subject::Trial { combination, tactic, name: its, .. }
                    if *combination == text && *tactic == candidate.tactic && **its == *name)
            };
            tried.records.iter().find(|(subject, _)| is_same(subject)).map(|(_, outcome)| *outcome)
        };
        let possible: Vec<&Candidate> = found.candidates.iter().filter(|c| c.ruled_out.is_none()).collect();
        let timed = possible.iter().filter_map(|candidate| Some((*candidate, decisive(outcome(candidate)?)?)));
        if let Some((best, _)) = timed.min_by_key(|(_, time)| *time) {
            return Ok(Some(chosen(&found, best)));
        }
        let rejected: Vec<String> = possible
            .iter()
            .filter_map(|candidate| match outcome(candidate)? {
                Outcome::Rejected(reason) => {
                    Some(format!("\n  tactic {}: {reason}", found.implementation.tactic_name(candidate.tactic)))
                }
                _ => None,
            })
            .collect();
        if !possible.is_empty() && rejected.len() == possible.len() {
            let path = self.path.display();
            let text =
                format_args!("tuning lockfile `{path}` says that none of its tactics works:{}", rejected.concat());
            return Err(Error::invalid(text).in_layer(LayerContext::new(&layer.name, &layer.plugin().label())));
        }
        // What isn't recorded may be right; what is recorded as wrong isn't.
        let first = possible.into_iter().find(|candidate| outcome(candidate).is_none());
        Ok(first.map(|candidate| chosen(&found, candidate)))
    }

    fn nearest(&self, network: &Network, layer: &Layer) -> Option<Tried<'_>> {
        let entry = &layer.plugin().entry;
        let wanted = attributes_text(layer);
        let mut all: BTreeMap<&str, Tried<'_>> = BTreeMap::new();
        for (Key { subject, machine }, outcome) in &self.held.records {
            let Subject::Trial { plugin, version, attributes, tensors, .. } = subject else { continue };
            if **plugin != *entry.id || *version != entry.version || *attributes != wanted {
                continue;
            }
            if let Some(tried) = all.get_mut(&**tensors) {
                tried.records.push((subject, outcome));
                continue;
            }
            let signature = tensors.parse().ok();
            let Some(fit) = signature.and_then(|signature| Fit::of(&signature, network, layer)) else { continue };
            if self.surroundings.machine(subject) == *machine {
                all.insert(tensors, Tried { records: vec![(subject, outcome)], fit });
            }
        }
        all.into_values().min_by(|a, b| a.fit.partial_cmp(&b.fit).unwrap_or(std::cmp::Ordering::Equal))
    }
}

impl Fit {
    /// `None` where types or ranks are others, or an extent that is known wasn't among those that were tried.
    fn of(signature: &Signature, network: &Network, layer: &Layer) -> Option<Fit> {
        let tried: Vec<&TriedTensor> = signature.inputs.iter().chain(&signature.outputs).collect();
        if (signature.inputs.len(), signature.outputs.len()) != (layer.inputs.len(), layer.outputs.len()) {
            return None;
        }
        let mut fit = Fit::default();
        for (position, (tensor, tried)) in layer.tensors().zip(tried).enumerate() {
            let node = &network.tensors[tensor];
            let extents = tried.extents.as_ref().filter(|extents| extents.len() == node.shape.len())?;
            if tried.dtype != node.dtype {
                return None;
            }
            if position >= layer.inputs.len() {
                continue;
            }
            let mut elements = 1.0;
            for (expr, extent) in node.shape.iter().zip(extents) {
                let opt = extent.opt.max(1) as f64;
                elements *= opt;
                if let Some(known) = expr.constant_value() {
                    fit.distance += ((known.max(1) as f64) / opt).ln().abs();
                }
            }
            fit.elements -= elements;
        }
        Some(fit)
    }
}

/// The time that decides: 0 where there was nothing to choose.
fn decisive(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Time(time) | Outcome::Times { warm: time, .. } => Some(*time),
        Outcome::Checked => Some(Duration::ZERO),
        Outcome::Rejected(_) => None,
    }
}

fn chosen(found: &Candidates, candidate: &Candidate) -> Choice {
    let combination = found.combinations[candidate.combination].clone();
    Choice { implementation: found.implementation, combination, tactic: candidate.tactic }
}

fn none_fits(network: &Network, layer: &Layer, found: &Candidates) -> Error {
    /// More wouldn't be read.
    const MOST: usize = 8;
    let inputs = layer.inputs.len();
    let types = |types: &mut dyn Iterator<Item = DataType>| {
        let names: Vec<&str> = types.map(DataType::name).collect();
        let (of_inputs, of_outputs) = names.split_at(inputs.min(names.len()));
        format!("{} -> {}", of_inputs.join(", "), of_outputs.join(", "))
    };
    let given = types(&mut layer.tensors().map(|tensor| network.tensors[tensor].dtype));
    let linear = found.combinations.iter().filter(|combination| Combination::is_linear(combination));
    let mut listed: Vec<String> = linear.map(|combination| types(&mut combination.types.iter().copied())).collect();
    listed.dedup();
    let more = listed.len().saturating_sub(MOST);
    listed.truncate(MOST);
    let listed = match (listed.len(), more) {
        (0, _) => "none of its combinations is LINEAR throughout".to_owned(),
        (_, 0) => format!("it takes {}", listed.join("; ")),
        (_, more) => format!("it takes {}; and {more} more", listed.join("; ")),
    };
    Error::invalid(format_args!("its tensors are {given} here, which it doesn't take: {listed}"))
}

#[cfg(test)]
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod tests;
