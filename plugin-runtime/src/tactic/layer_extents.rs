//! The extents of a layer's tensors at one of a profile's shapes.

use crate::error::Result;
use crate::network::{Layer, Network, Point, TensorIndex, dims_at};
use crate::shape::Dims;

/// Values of a network's symbols for the trials of a layer: the profile's, with the layer's own size tensors at their
/// upper bounds.
pub(super) fn symbols(network: &Network, layer: &Layer, point: &Point) -> Result<Vec<i64>> {
    let mut symbols = point.symbols.clone();
    for size in layer.sizes.iter().flatten() {
        if let Some(upper) = network.symbols.get(*size).and_then(|def| def.source.upper_bound()) {
            symbols[size.position()] = upper.evaluate(&symbols)?.max(0);
        }
    }
    Ok(symbols)
}

/// Whether a layer's tensors have the same extents at two of a profile's shapes, as far as those can be computed.
pub(super) fn same_shape(network: &Network, layer: &Layer, a: &Point, b: &Point) -> bool {
    let dims = |point: &Point| {
        let symbols = symbols(network, layer, point).ok()?;
        layer.tensors().map(|tensor| dims(network, tensor, &symbols).ok()).collect::<Option<Vec<Dims>>>()
    };
    dims(a).is_some_and(|a| dims(b) == Some(a))
}

/// A tensor's extents where symbols have these values.
pub(super) fn dims(network: &Network, tensor: TensorIndex, symbols: &[i64]) -> Result<Dims> {
    dims_at(&network.tensors[tensor].shape, symbols)
}
