//! A plugin's node in a host's graph, and what it runs as.

use std::sync::Arc;

use crate::device::Device;
use crate::error::{Error, LayerContext, Result};
use crate::network::{Dim, Layer, Network, Preference};
use crate::plugin::combination::Combination;
use crate::plugin::{AttributeValue, Plugin};
use crate::tactic::{Choice, Rules, enumerate};
use crate::tensor::{DataType, Format};
use crate::wording::counted;

/// What a host knows of a node before it runs.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) plugin: &'static Plugin,
    /// By name; those that have a default may be left out.
    pub(crate) attributes: Vec<(&'static str, AttributeValue)>,
    pub(crate) device: Device,
    pub(crate) preference: Preference,
    /// Element types of the inputs.
    pub(crate) inputs: Vec<DataType>,
}

impl Node {
    /// The node as the one layer of a network, whose inputs have these dimensions.
    ///
    /// # Errors
    /// When there are more or fewer inputs than the plugin has, an attribute is missing, or its register function refuses.
    pub(crate) fn network(&self, dims: &[Vec<Dim>]) -> Result<Network> {
        let entry = &self.plugin.entry;
        if self.inputs.len() != entry.inputs.len() {
            return Err(self.failed(Error::invalid(format_args!(
                "it is given {}, but takes {}: {}",
                counted(self.inputs.len(), "input"),
                entry.inputs.len(),
                entry.inputs.join(", ")
            ))));
        }
        let mut network = Network::new();
        let mut inputs = Vec::with_capacity(dims.len());
        for ((name, &dtype), dims) in entry.inputs.iter().zip(&self.inputs).zip(dims) {
            inputs.push(network.add_input(name, dtype, dims.iter().cloned()).map_err(|e| self.failed(e))?);
        }
        let added = network.add_plugin_by_id(&self.name, entry.id, entry.version, &inputs, &self.attributes);
        added.map_err(|error| if error.layer().is_some() { error } else { self.failed(error) })?;
        network.set_preference(&self.name, self.preference)?;
        Ok(network)
    }

    /// Says of an error that it is the node's.
    pub(crate) fn failed(&self, error: Error) -> Error {
        error.in_layer(LayerContext::new(&self.name, &self.plugin.label()))
    }
}

/// The layer of a network that [`Node::network`] made.
pub(crate) fn only_layer(network: &Network) -> Result<&Layer> {
    network.layers.iter().next().ok_or_else(|| Error::invalid("a node's network has no layer"))
}

/// What a network's only layer runs as where nothing was timed: the first that its autotune function lists in the network's
/// own types, all LINEAR.
///
/// # Errors
/// When it has no impl for the device, or takes other types: lists those.
pub(crate) fn first_listed(network: &Network, device: &Device) -> Result<Choice> {
    let layer = only_layer(network)?;
    let found = enumerate(network, layer, device.kind(), &Rules::default())?;
    let is_linear = |combination: usize| found.combinations[combination].formats.iter().all(|f| *f == Format::Linear);
    let mut possible = found.candidates.iter().filter(|c| is_linear(c.combination) && c.ruled_out.is_none());
    let Some(first) = possible.next() else { return Err(not_taken(network, layer, &found.combinations)) };
    let combination = found.combinations[first.combination].clone();
    Ok(Choice { implementation: found.implementation, combination, tactic: first.tactic })
}

fn not_taken(network: &Network, layer: &Layer, combinations: &[Combination]) -> Error {
    /// More wouldn't be read.
    const MOST: usize = 8;
    let inputs = layer.inputs.len();
    let types = |types: &mut dyn Iterator<Item = DataType>| {
        let names: Vec<&str> = types.map(DataType::name).collect();
        let (of_inputs, of_outputs) = names.split_at(inputs.min(names.len()));
        format!("{} -> {}", of_inputs.join(", "), of_outputs.join(", "))
    };
    let given = types(&mut layer.tensors().map(|tensor| network.tensors[tensor].dtype));
    let is_linear = |c: &&Combination| c.formats.iter().all(|format| *format == Format::Linear);
    let mut listed: Vec<String> =
        combinations.iter().filter(is_linear).map(|c| types(&mut c.types.iter().copied())).collect();
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
