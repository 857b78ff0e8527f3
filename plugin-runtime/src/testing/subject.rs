//! A plugin with attributes, in networks of one layer.

use crate::error::{Error, Result};
use crate::network::{Dim, IntoDims, Network, Preference, TensorId};
use crate::plugin::{AttributeSet, AttributeValue, Plugin, PluginSpec, Registry};
use crate::tensor::DataType;

/// A plugin with the values of its attributes.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) plugin: &'static Plugin,
    attributes: Vec<AttributeValue>,
}

impl Subject {
    /// `attributes` may be left out where all have defaults.
    ///
    /// # Errors
    /// When the plugin isn't linked, or has attributes without defaults and none are given.
    pub(super) fn new<P: PluginSpec>(attributes: Option<&P::Attributes>) -> Result<Self> {
        let plugin = Registry::global()?.get(P::ID, P::VERSION)?;
        let by_default = || plugin.entry.attributes.iter().map(|schema| Some(schema.default?())).collect();
        let Some(attributes) = attributes.map(AttributeSet::to_values).or_else(by_default) else {
            let (name, all) = (P::ID.rsplit("::").next().unwrap_or(P::ID), P::ATTRIBUTES.join(": .., "));
            return Err(Error::invalid(format_args!(
                "`{}` has attributes: add .attributes({name}::Attributes {{ {all}: .. }})",
                P::ID
            )));
        };
        Ok(Subject { plugin, attributes })
    }

    /// A network of the plugin alone, with inputs and outputs by their names.
    ///
    /// # Errors
    /// When the numbers of inputs differ, or the plugin's `register` function refuses them.
    pub(super) fn network<M, D: IntoDims<M>>(
        &self,
        inputs: impl IntoIterator<Item = (DataType, D)>,
        preference: Preference,
    ) -> Result<Network> {
        let mut network = Network::new();
        let mut tensors: Vec<TensorId> = Vec::new();
        let names = self.plugin.entry.inputs;
        let inputs: Vec<(DataType, Vec<Dim>)> =
            inputs.into_iter().map(|(dtype, dims)| (dtype, dims.into_dims())).collect();
        if inputs.len() != names.len() {
            return Err(Error::invalid(format_args!(
                "`{}` has {} inputs ({}), and {} are given",
                self.plugin.entry.id,
                names.len(),
                names.join(", "),
                inputs.len()
            )));
        }
        for (name, (dtype, dims)) in names.iter().zip(inputs) {
            tensors.push(network.add_input(name, dtype, dims)?);
        }
        let name = self.plugin.entry.id.to_owned();
        let outputs = network.add_layer(name.clone(), self.plugin, &tensors, &self.attributes)?;
        for (index, output) in outputs.into_iter().enumerate() {
            network.mark_output(output, &output_name(index))?;
        }
        network.set_preference(&name, preference)?;
        Ok(network)
    }
}

/// The name that a network gives an output.
pub(super) fn output_name(index: usize) -> String {
    format!("outputs[{index}]")
}
