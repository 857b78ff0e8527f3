//! One impl on given tensors.

use super::subject::Subject;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::network::Preference;
use crate::plugin::PluginSpec;
use crate::plugin::combination::{AutoTuneCombination, Tactic};
use crate::tactic::OneLayer;
use crate::tensor::HostTensor;

/// One run of a plugin's impl: see [`call`].
#[derive(Debug)]
#[must_use]
pub struct Call<P: PluginSpec> {
    device: Device,
    attributes: Option<P::Attributes>,
    combination: Option<AutoTuneCombination>,
    tactic: i32,
    preference: Preference,
}

/// A run of a plugin's impl on given tensors: on the CPU, in the tensors' own types, with the default tactic, unless it is
/// told otherwise.
pub fn call<P: PluginSpec>() -> Call<P> {
    Call { device: Device::cpu(), attributes: None, combination: None, tactic: 0, preference: Preference::PreferJit }
}

impl<P: PluginSpec> Call<P> {
    /// The attributes, where the plugin has any.
    pub fn attributes(mut self, attributes: P::Attributes) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// The device whose impl runs.
    pub fn on(mut self, device: &Device) -> Self {
        self.device = device.clone();
        self
    }

    /// The tactic.
    pub fn tactic<T: Tactic>(mut self, tactic: T) -> Self {
        self.tactic = tactic.id();
        self
    }

    /// Types and layouts to run in, one for each input and output; inputs are converted.
    pub fn combination(mut self, combination: AutoTuneCombination) -> Self {
        self.combination = Some(combination);
        self
    }

    /// Runs the kernels that `#[aot_impl]` describes.
    pub fn aot(mut self) -> Self {
        self.preference = Preference::RequireAot;
        self
    }

    /// The outputs, row-major, at their true extents. Before the run, outputs and scratch memory are full of bytes 255, and
    /// so is what lies between tensors.
    ///
    /// # Errors
    /// When the plugin refuses the inputs, it fails, or it writes to memory that isn't its own.
    pub fn run(&self, inputs: &[&HostTensor]) -> Result<Vec<HostTensor>> {
        let subject = Subject::new::<P>(self.attributes.as_ref())?;
        let network = subject.network(inputs.iter().map(|x| (x.dtype(), x.shape().iter())), self.preference)?;
        let inputs: Vec<HostTensor> = inputs.iter().map(|&tensor| tensor.clone()).collect();
        let combination = match &self.combination {
            None => None,
            Some(combination) => {
                let mut expanded = combination.expand(P::INPUTS.len(), P::OUTPUTS)?;
                if expanded.len() != 1 {
                    let count = expanded.len();
                    return Err(Error::invalid(format_args!("a run takes one combination, and {count} are given")));
                }
                expanded.pop()
            }
        };
        OneLayer::new(&network, &self.device)?.run(&inputs, combination, self.tactic)
    }
}
