//! What a model holds.

use plugin_runtime::network::{LayerSummary, NetworkSummary, TensorSummary};
use plugin_runtime::plugin::AttributeValue;
use plugin_runtime::shape::display_shape;
use serde_json::{Value, json};

use super::{Shown, json};
use crate::runner::table::Table;
use crate::runner::text::count;

impl Shown for NetworkSummary {
    fn tables(&self) -> Vec<(String, Table)> {
        let title = format!(
            "network: {}, {}, {}, {}",
            count(self.inputs.len(), "input"),
            count(self.constants.len(), "constant"),
            count(self.layers.len(), "layer"),
            count(self.outputs.len(), "output")
        );
        let mut tensors = Table::new(["", "name", "type", "shape", "tensor"]);
        let mut row = |role: &str, tensor: &TensorSummary, source: String| {
            let shape = display_shape(&tensor.shape).to_string();
            tensors.row([role.into(), tensor.name.clone(), tensor.dtype.to_string(), shape, source]);
        };
        self.inputs.iter().for_each(|tensor| row("input", tensor, String::new()));
        self.constants.iter().for_each(|tensor| row("constant", tensor, String::new()));
        self.outputs.iter().for_each(|output| row("output", &output.output, output.tensor.clone()));
        let mut layers = Table::new(["layer", "plugin", "attributes", "inputs", "outputs"]);
        for layer in &self.layers {
            layers.row([
                layer.name.clone(),
                layer.plugin.clone().unwrap_or_else(|| "cast".into()),
                attributes(&layer.attributes),
                layer.inputs.join(", "),
                outputs(layer),
            ]);
        }
        vec![(title, tensors), ("layers".into(), layers)]
    }

    fn json(&self) -> Value {
        let tensor = |tensor: &TensorSummary| json::tensor(&tensor.name, tensor.dtype, &tensor.shape);
        let tensors = |tensors: &[TensorSummary]| tensors.iter().map(tensor).collect::<Vec<_>>();
        let layer = |layer: &LayerSummary| {
            json!({
                "name": layer.name,
                "plugin": layer.plugin,
                "attributes": json::attributes(&layer.attributes),
                "inputs": layer.inputs,
                "outputs": tensors(&layer.outputs),
                "in_place": layer.in_place,
            })
        };
        let output = |output: &plugin_runtime::network::OutputSummary| {
            let mut value = tensor(&output.output);
            value["tensor"] = output.tensor.as_str().into();
            value
        };
        json!({
            "kind": "network",
            "inputs": tensors(&self.inputs),
            "constants": tensors(&self.constants),
            "layers": self.layers.iter().map(layer).collect::<Vec<_>>(),
            "outputs": self.outputs.iter().map(output).collect::<Vec<_>>(),
        })
    }
}

/// `name = value, ..`
pub(super) fn attributes(attributes: &[(&'static str, AttributeValue)]) -> String {
    let attributes: Vec<String> = attributes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    attributes.join(", ")
}

/// `name FP32 [2, 3], ..`
fn outputs(layer: &LayerSummary) -> String {
    let outputs = layer.outputs.iter().zip(&layer.in_place).map(|(tensor, in_place)| {
        let place = in_place.and_then(|input| layer.inputs.get(input)).map(|name| format!(" in place of {name}"));
        let shape = display_shape(&tensor.shape);
        format!("{} {} {shape}{}", tensor.name, tensor.dtype, place.unwrap_or_default())
    });
    outputs.collect::<Vec<_>>().join(", ")
}
