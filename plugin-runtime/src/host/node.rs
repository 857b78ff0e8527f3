//! A plugin's node in a host's graph, and what it runs as.

use std::sync::Arc;

use crate::device::Device;
use crate::error::{Error, LayerContext, Result};
use crate::network::{Dim, Layer, Network, Preference};
#[cfg(feature = "tensorrt")]
use crate::plugin::Implementation;
use crate::plugin::{AttributeValue, Plugin};
use crate::tensor::DataType;
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

/// What runs a plugin on a GPU.
///
/// # Errors
/// When it has nothing for one, or not what is insisted on.
#[cfg(feature = "tensorrt")]
pub(crate) fn implementation(plugin: &'static Plugin, preference: Preference) -> Result<Implementation> {
    crate::tactic::implementation(plugin, preference, crate::device::DeviceKind::Cuda)
}
