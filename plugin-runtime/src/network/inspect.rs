//! Summaries of networks, for people and tools to read.

use super::{LayerIndex, Network, Producer, TensorIndex};
use crate::plugin::AttributeValue;
use crate::shape::ShapeExpr;
use crate::tensor::DataType;

/// A network, as it was made or imported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkSummary {
    /// The inputs, in the order of their bindings.
    pub inputs: Vec<TensorSummary>,
    /// The constants.
    pub constants: Vec<TensorSummary>,
    /// Plugins and casts, each after those that it depends on.
    pub layers: Vec<LayerSummary>,
    /// The outputs, in the order of their bindings.
    pub outputs: Vec<OutputSummary>,
}

/// A tensor of a network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TensorSummary {
    /// Its name.
    pub name: String,
    /// Element type.
    pub dtype: DataType,
    /// Extents, as expressions of the inputs' dynamic dimensions and of size tensors.
    pub shape: Vec<ShapeExpr>,
}

/// A plugin or a cast of a network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LayerSummary {
    /// Its name; a cast's is its tensor's.
    pub name: String,
    /// `namespace::name v1`; `None` for a cast.
    pub plugin: Option<String>,
    /// Names and values, in the registered order.
    pub attributes: Vec<(&'static str, AttributeValue)>,
    /// The names of the tensors that it reads.
    pub inputs: Vec<String>,
    /// The tensors that it makes.
    pub outputs: Vec<TensorSummary>,
    /// For each output, the input that it is updated in place over, counted from 0.
    pub in_place: Vec<Option<usize>>,
}

/// An output of a network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutputSummary {
    /// The output's name, type and shape.
    pub output: TensorSummary,
    /// The name of the tensor that it gives.
    pub tensor: String,
}

impl Network {
    /// A summary of it.
    pub fn inspect(&self) -> NetworkSummary {
        let mut summary = NetworkSummary {
            inputs: self.inputs.iter().map(|&tensor| self.tensor_summary(tensor)).collect(),
            constants: Vec::new(),
            layers: Vec::new(),
            outputs: Vec::new(),
        };
        for (tensor, node) in self.tensors.entries() {
            match node.producer {
                Producer::Constant(_) => summary.constants.push(self.tensor_summary(tensor)),
                Producer::Layer { layer, output: 0 } => summary.layers.push(self.layer_summary(layer)),
                Producer::Cast(source) => summary.layers.push(LayerSummary {
                    name: node.name.to_string(),
                    plugin: None,
                    attributes: Vec::new(),
                    inputs: vec![self.tensors[source].name.to_string()],
                    outputs: vec![self.tensor_summary(tensor)],
                    in_place: vec![None],
                }),
                Producer::Input(_) | Producer::Layer { .. } => {}
            }
        }
        for (tensor, name) in &self.outputs {
            let of_tensor = self.tensor_summary(*tensor);
            let tensor = of_tensor.name.clone();
            summary
                .outputs
                .push(OutputSummary { output: TensorSummary { name: name.to_string(), ..of_tensor }, tensor });
        }
        summary
    }

    fn tensor_summary(&self, tensor: TensorIndex) -> TensorSummary {
        let node = &self.tensors[tensor];
        TensorSummary { name: node.name.to_string(), dtype: node.dtype, shape: node.shape.clone() }
    }

    fn layer_summary(&self, layer: LayerIndex) -> LayerSummary {
        let layer = &self.layers[layer];
        let schemas = layer.plugin().entry.attributes;
        LayerSummary {
            name: layer.name.to_string(),
            plugin: Some(layer.plugin().label()),
            attributes: schemas.iter().map(|schema| schema.name).zip(layer.bound.values().iter().cloned()).collect(),
            inputs: layer.inputs.iter().map(|&tensor| self.tensors[tensor].name.to_string()).collect(),
            outputs: layer.outputs.iter().map(|&tensor| self.tensor_summary(tensor)).collect(),
            in_place: layer.aliases.clone(),
        }
    }
}
