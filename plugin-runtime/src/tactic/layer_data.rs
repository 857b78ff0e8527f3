//! The input data of a layer's trials.

use std::sync::Arc;

use super::difference::converted;
use super::sample_data::sample;
use crate::error::{Error, Result};
use crate::network::{Layer, Network, Point, Producer, SymbolIndex, TensorIndex, dims_at};
use crate::plugin::Sample;
use crate::tensor::{DataType, HostTensor};

/// Sample inputs that the caller gave, by the name of a network's tensor.
pub(crate) type Given = Vec<(Arc<str>, HostTensor)>;

/// The input data of trials: the caller's samples, and a seed.
pub(crate) struct Data<'a> {
    pub(crate) given: &'a Given,
    pub(crate) seed: u64,
}

impl Data<'_> {
    /// The inputs of a layer, each from the first of these that applies: the constant itself, the caller's sample, the
    /// value of a size tensor as the layer's other inputs have it, what the author describes.
    pub(super) fn inputs(
        &self,
        network: &Network,
        layer: &Layer,
        point: &Point,
        symbols: &[i64],
    ) -> Result<Arc<[HostTensor]>> {
        let described = layer.bound.samples(&network.input_descs(layer))?.unwrap_or_default();
        let input = |(index, &tensor): (usize, &TensorIndex)| {
            let node = &network.tensors[tensor];
            if let Producer::Constant(constant) = node.producer {
                return Ok(network.constants[constant].clone());
            }
            let dims = dims_at(&node.shape, &point.symbols)?;
            let given = || self.given.iter().filter(|(name, _)| *name == node.name).map(|(_, tensor)| tensor);
            if let Some(tensor) = given().find(|tensor| *tensor.shape() == *dims) {
                return Ok(tensor.clone());
            }
            if given().next().is_some() {
                let extents: Vec<String> = given().map(|tensor| tensor.extents().to_string()).collect();
                return Err(Error::invalid(format_args!(
                    "Builder::sample_input gives `{}` as {}, but at the profile's {} it is {dims}",
                    node.name,
                    extents.join(" and "),
                    point.at.name()
                )));
            }
            if let Some(symbol) = size_in(network, tensor) {
                return size_tensor(node.dtype, point.symbols[symbol.position()]);
            }
            let (seed, usual) = (self.seed ^ ((index as u64) << 32), Sample::new());
            let wanted = described.get(index).unwrap_or(&usual);
            sample(wanted, node.dtype, &dims, symbols, seed)
                .map_err(|e| e.within(format_args!("data for input `{}`", layer.plugin().entry.inputs[index])))
        };
        layer.inputs.iter().enumerate().map(input).collect()
    }
}

/// The symbol that a tensor holds the value of, if it is a size tensor.
fn size_in(network: &Network, tensor: TensorIndex) -> Option<SymbolIndex> {
    match network.tensors[tensor].producer {
        Producer::Layer { layer, output } => network.layers[layer].sizes[output],
        Producer::Cast(of) => size_in(network, of),
        Producer::Input(_) | Producer::Constant(_) => None,
    }
}

fn size_tensor(dtype: DataType, value: i64) -> Result<HostTensor> {
    converted(&HostTensor::from_slice(&[value], &[])?, dtype)
}
