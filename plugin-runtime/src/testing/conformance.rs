//! A suite that every plugin has to pass.

use std::ops::RangeInclusive;

use super::engines;
use super::hosts;
use super::report::{ConformanceReport, Findings};
use super::shapes::{Assignment, Extent, Input, assignments, extents};
use super::subject::Subject;
use crate::device::{Device, DeviceKind};
use crate::error::{Error, Result};
use crate::network::{IntoDims, Network, Preference};
use crate::plugin::PluginSpec;
use crate::shape::Profile;
use crate::tactic::{AuthorReference, OneLayer, Proved};
use crate::tensor::{DataType, HostTensor};

/// The suite for one plugin: see [`conformance`].
#[derive(Debug)]
#[must_use]
pub struct Conformance<P: PluginSpec> {
    attributes: Option<P::Attributes>,
    inputs: Vec<Input>,
    ranges: Vec<(String, RangeInclusive<i64>)>,
    reference: Option<AuthorReference>,
    seed: u64,
}

/// A suite that every plugin has to pass, on each device that is found: with inputs of one element, odd, long, random and
/// empty extents; in each type and layout with each tactic, twice, on outputs and scratch memory full of poison, with poison
/// between tensors; and in engines with dynamic shapes, of which one context runs all shapes one after another, in engines
/// that were saved and loaded, from several threads at once, and on a GPU captured, and the kernels of `#[aot_impl]`. With
/// the feature `onnxruntime`, on the CPU in a session of ONNX Runtime too: of the library that `ONNXRUNTIME_LIBRARY` names,
/// or that of Python's package.
///
/// Results are compared with those of [`Conformance::reference`]; without it, with the plugin's impl for the CPU or
/// the tactic marked as the reference, and within the tolerance that the plugin says. Inputs hold what
/// `#[register(.., sample_inputs(..))]` says.
pub fn conformance<P: PluginSpec>() -> Conformance<P> {
    Conformance { attributes: None, inputs: Vec::new(), ranges: Vec::new(), reference: None, seed: 0 }
}

impl<P: PluginSpec> Conformance<P> {
    /// The attributes; where all have defaults, they may be left to those.
    pub fn attributes(mut self, attributes: P::Attributes) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// The next input. An extent of -1 is free, and so is a name, which is equal wherever it stands: `("rows", 64)`.
    pub fn input<M>(mut self, dtype: DataType, dims: impl IntoDims<M>) -> Self {
        self.inputs.push((dtype, dims.into_dims()));
        self
    }

    /// The range of a named extent, or of one that is -1, called by its input and place (`x.0`); else 0 to 300.
    pub fn extent(mut self, name: &str, range: RangeInclusive<i64>) -> Self {
        self.ranges.push((name.into(), range));
        self
    }

    /// What is right: the outputs, row-major, in the types that the plugin gives them, for such inputs. Inputs that are
    /// updated in place are as they were before.
    pub fn reference(
        mut self,
        reference: impl Fn(&[HostTensor]) -> Result<Vec<HostTensor>> + Send + Sync + 'static,
    ) -> Self {
        self.reference = Some(AuthorReference::new(reference));
        self
    }

    /// Seeds extents and data; 0 if not called.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs the suite. What is left out is told to the standard error, with SKIPPED before it.
    ///
    /// # Errors
    /// When a result is wrong: each with its device, shapes, types, tactic and element. When nothing could be tried.
    pub fn check(self) -> Result<ConformanceReport> {
        let subject = Subject::new::<P>(self.attributes.as_ref())?;
        if self.inputs.len() != P::INPUTS.len() {
            return Err(Error::invalid(format_args!(
                "`{}` has {} inputs ({}): add .input(DataType::Float32, [\"n\", \"m\"]) for each",
                P::ID,
                P::INPUTS.len(),
                P::INPUTS.join(", ")
            )));
        }
        let extents = extents(P::INPUTS, &self.inputs, &self.ranges);
        let strange = self.ranges.iter().find(|(name, range)| {
            range.is_empty() || *range.start() < 0 || !extents.iter().any(|extent| extent.name == *name)
        });
        if let Some((name, range)) = strange {
            let names: Vec<&str> = extents.iter().map(|extent| extent.name.as_str()).collect();
            return Err(Error::invalid(format_args!(
                "extent(\"{name}\", {range:?}): the free extents are {}, each from 0 on",
                names.join(", ")
            )));
        }
        let suite = Suite {
            names: P::INPUTS,
            assignments: assignments(&extents, self.seed),
            subject,
            inputs: self.inputs,
            extents,
            reference: self.reference,
            seed: self.seed,
        };
        suite.run()
    }
}

/// What a plugin is tried with.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) subject: Subject,
    pub(super) names: &'static [&'static str],
    pub(super) inputs: Vec<Input>,
    pub(super) extents: Vec<Extent>,
    pub(super) assignments: Vec<Assignment>,
    pub(super) reference: Option<AuthorReference>,
    pub(super) seed: u64,
}

impl Suite {
    fn run(&self) -> Result<ConformanceReport> {
        let plugin = self.subject.plugin;
        let mut findings = Findings::of(plugin.entry.id);
        for (device, preferences) in self.devices(&mut findings) {
            for preference in preferences {
                let place = Place { device: &device, preference };
                let before = findings.mistakes();
                let accepted = self.tactics(&place, &mut findings);
                // In an engine's memory, what writes where it mustn't could do anything.
                if findings.mistakes() > before {
                    findings.leave_out(format!("{place}, engines and hosts, as single runs are wrong already"));
                    continue;
                }
                if accepted.is_empty() {
                    continue;
                }
                engines::check(self, &place, &accepted, &mut findings);
                if findings.mistakes() == before {
                    hosts::check(self, &place, &accepted, &mut findings);
                }
            }
        }
        hosts::leave_out(plugin, &mut findings);
        findings.finish()
    }

    /// The devices that the plugin has an implementation for and that are there.
    fn devices(&self, findings: &mut Findings) -> Vec<(Device, Vec<Preference>)> {
        let plugin = self.subject.plugin;
        let mut devices = Vec::new();
        if plugin.impl_for(DeviceKind::Cpu).is_some() {
            devices.push((Device::cpu(), vec![Preference::RequireJit]));
        }
        let jit = plugin.impl_for(DeviceKind::Cuda).map(|_| Preference::RequireJit);
        let aot = plugin.aot.as_ref().map(|_| Preference::RequireAot);
        let on_gpu: Vec<Preference> = jit.into_iter().chain(aot).collect();
        if !on_gpu.is_empty() {
            match Device::cuda(0) {
                Ok(gpu) => devices.push((gpu, on_gpu)),
                Err(error) => findings.leave_out(format!("device cuda: {error}")),
            }
        }
        devices
    }

    /// The network at some extents.
    pub(super) fn network(&self, assignment: &Assignment, preference: Preference) -> Result<Network> {
        self.subject.network(assignment.fixed(self.names, &self.inputs, &self.extents), preference)
    }

    /// `x FP32 [3, 5]`
    pub(super) fn shown(&self, assignment: &Assignment) -> String {
        let inputs = assignment.fixed(self.names, &self.inputs, &self.extents);
        let inputs = self.names.iter().zip(inputs).map(|(name, (dtype, dims))| format!("{name} {dtype} {dims:?}"));
        inputs.collect::<Vec<_>>().join(", ")
    }

    /// Each combination with each tactic, at each shape. Gives the shapes that the plugin accepts.
    fn tactics(&self, place: &Place<'_>, findings: &mut Findings) -> Vec<&Assignment> {
        let mut accepted = Vec::new();
        for assignment in &self.assignments {
            let shapes = self.shown(assignment);
            let network = match self.network(assignment, place.preference) {
                Ok(network) => network,
                Err(error) if error.to_string().contains("panicked") => {
                    findings.note(Err(format!("{shapes}: {error}")));
                    continue;
                }
                Err(error) => {
                    findings.leave_out(format!("{shapes} ({}), which it refuses: {error}", assignment.label));
                    continue;
                }
            };
            accepted.push(assignment);
            let proved =
                OneLayer::new(&network, place.device).and_then(|layer| layer.prove(self.seed, self.reference.as_ref()));
            let proved = match proved {
                Ok(proved) => proved,
                Err(error) => {
                    findings.note(Err(format!("{place}, {shapes}: {error}")));
                    continue;
                }
            };
            for (trial, reason) in proved.wrong() {
                let (combination, tactic) = (&trial.combination, &trial.tactic);
                findings.note(Err(format!("{place}, {shapes}, {combination}, tactic {tactic}: {reason}")));
            }
            for (trial, reason) in proved.not_tried() {
                let (combination, tactic) = (&trial.combination, &trial.tactic);
                findings.leave_out(format!("{place}, {shapes}, {combination}, tactic {tactic}: {reason}"));
            }
            (0..proved.right()).for_each(|_| findings.note(Ok(())));
            if !proved.compared {
                findings.leave_out(format!("{place}: results are compared with nothing: add .reference(..)"));
            }
            self.withheld(place, assignment, findings);
            proved.ruled_out.iter().for_each(|what| findings.leave_out(format!("{place}, {what}")));
            proved.notes.iter().for_each(|note| findings.leave_out(format!("{place}, {shapes}: {note}")));
        }
        accepted
    }

    /// The same at extents that only the GPU knows, and larger ones that the host does, for impls that cope with that.
    fn withheld(&self, place: &Place<'_>, assignment: &Assignment, findings: &mut Findings) {
        if self.extents.is_empty()
            || place.device.kind() == DeviceKind::Cpu
            || place.preference == Preference::RequireAot
        {
            return;
        }
        let shapes = self.shown(assignment);
        let proved = || -> Result<Option<Proved>> {
            let inputs = self.inputs.iter().map(|(dtype, dims)| (*dtype, dims.clone()));
            let network = self.subject.network(inputs, place.preference)?;
            let opt = assignment.fixed(self.names, &self.inputs, &self.extents);
            let most = assignment.larger(WITHHELD).fixed(self.names, &self.inputs, &self.extents);
            let pairs = self.names.iter().zip(opt.into_iter().zip(most));
            let profile = pairs.fold(Profile::new(), |profile, (name, ((_, opt), (_, most)))| {
                profile.dims(
                    *name,
                    opt.iter().map(|_| 0).zip(&opt).zip(&most).map(least).collect::<Vec<_>>(),
                    opt,
                    most,
                )
            });
            let layer = OneLayer::withheld(&network, place.device, &profile)?;
            layer.map(|layer| layer.prove(self.seed, self.reference.as_ref())).transpose()
        };
        match proved() {
            Ok(None) => findings.leave_out(format!("{place}, extents on the device: no impl says device_shape = true")),
            Ok(Some(proved)) => {
                for (trial, reason) in proved.wrong() {
                    let (combination, tactic) = (&trial.combination, &trial.tactic);
                    let what = format!("{place}, {shapes} known to the device alone, {combination}, tactic {tactic}");
                    findings.note(Err(format!("{what}: {reason}")));
                }
                (0..proved.right()).for_each(|_| findings.note(Ok(())));
            }
            Err(error) => findings.note(Err(format!("{place}, {shapes} known to the device alone: {error}"))),
        }
    }
}

/// How much larger extents are that the host knows than those that the device does.
const WITHHELD: i64 = 9;

/// The least extent of a profile: 0 where it is free, and the only one where it isn't.
fn least(((zero, opt), most): ((i64, &i64), &i64)) -> i64 {
    if opt == most { *opt } else { zero }
}

/// Where an implementation runs.
#[derive(Debug)]
pub(super) struct Place<'d> {
    pub(super) device: &'d Device,
    pub(super) preference: Preference,
}

/// `on cpu`, `on cuda:0, ahead of time`
impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "on {}", self.device)?;
        f.write_str(if self.preference == Preference::RequireAot { ", ahead of time" } else { "" })
    }
}
