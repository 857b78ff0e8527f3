//! Symbolic descs of a layer's tensors, as its plugin's functions are given them.

use super::{Layer, Network, TensorIndex};
use crate::plugin::combination::Combination;
use crate::shape::{ShapeExpr, SymbolKind};
use crate::tensor::TensorDesc;

impl Layer {
    /// The tensors in the order of a combination's entries: inputs, then outputs.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = TensorIndex> {
        self.inputs.iter().chain(&self.outputs).copied()
    }
}

impl Network {
    /// Descs of a layer's inputs, in the network's own types.
    pub(crate) fn input_descs(&self, layer: &Layer) -> Vec<TensorDesc> {
        self.descs(&layer.inputs)
    }

    /// Descs of a layer's outputs, in the network's own types.
    pub(crate) fn output_descs(&self, layer: &Layer) -> Vec<TensorDesc> {
        self.descs(&layer.outputs)
    }

    /// Descs of a layer's inputs and of its outputs, in the types and layouts of a combination.
    pub(crate) fn laid_out_descs(
        &self,
        layer: &Layer,
        combination: &Combination,
    ) -> (Vec<TensorDesc>, Vec<TensorDesc>) {
        let laid_out = |position: usize, desc: TensorDesc| {
            desc.with_layout(combination.types[position], combination.formats[position], 1.0)
        };
        let inputs = self.input_descs(layer).into_iter().enumerate();
        let outputs = self.output_descs(layer).into_iter().enumerate();
        (
            inputs.map(|(index, desc)| laid_out(index, desc)).collect(),
            outputs.map(|(index, desc)| laid_out(layer.inputs.len() + index, desc)).collect(),
        )
    }

    pub(super) fn descs(&self, tensors: &[TensorIndex]) -> Vec<TensorDesc> {
        let desc = |(index, &tensor): (usize, &TensorIndex)| {
            let node = &self.tensors[tensor];
            TensorDesc::of_input(index, node.dtype, node.shape.clone())
        };
        tensors.iter().enumerate().map(desc).collect()
    }
}

/// Whether an expression depends on what a plugin finds when it runs.
pub(crate) fn data_dependent(expr: &ShapeExpr) -> bool {
    expr.symbols().iter().any(|symbol| symbol.kind == SymbolKind::Size)
}
