//! Shapes of a plugin's outputs, by the host's expressions.

use std::sync::Arc;

use super::arguments::impossible;
use super::described::Described;
use super::instance::{Asked, Instance, output_types};
use super::shapes::{Exprs, Extent};
use crate::error::{Error, Result};
use crate::network::{Dim, Network, SymbolSource};
use crate::plugin::Plugin;
use crate::tensor::DataType;

impl Instance {
    /// The outputs' extents, for inputs of these extents.
    pub(super) fn output_shapes(&self, inputs: &[Vec<Extent>], exprs: Exprs) -> Result<Vec<Vec<Extent>>> {
        let Asked { types, outputs, .. } = self.asked().clone();
        let types = types.ok_or_else(|| Error::invalid("its inputs' types aren't known yet"))?;
        let described = Arc::new(Described::new(&self.node(types), named(self.shared.plugin(), inputs)?)?);
        check_told(outputs.as_deref(), &output_types(&described.network)?)?;
        let (network, layer) = (&described.network, described.layer()?);
        let mut symbols = dimensions(network, inputs)?;
        for (index, def) in network.symbols.iter().enumerate() {
            if let SymbolSource::Size { output, opt, upper_bound, .. } = &def.source {
                let (opt, upper) = (exprs.build(opt, &symbols)?, exprs.build(upper_bound, &symbols)?);
                symbols[index] = Some(exprs.declare_size(*output, opt, upper)?);
            }
        }
        let mut shapes = Vec::with_capacity(layer.outputs.len());
        for (output, &tensor) in layer.outputs.iter().enumerate() {
            shapes.push(match layer.aliases[output].and_then(|input| inputs.get(input)) {
                Some(input) => input.clone(),
                None => {
                    let shape = &network.tensors[tensor].shape;
                    let extents = shape.iter().map(|extent| exprs.build(extent, &symbols));
                    extents.collect::<Result<_>>().map_err(|error| error.within(format_args!("output {output}")))?
                }
            });
        }
        self.asked().described = Some(described);
        Ok(shapes)
    }
}

/// The host's expressions of the inputs' dimensions, by symbol. Size tensors have none.
pub(super) fn dimensions(network: &Network, inputs: &[Vec<Extent>]) -> Result<Vec<Option<Extent>>> {
    let of = |source: &SymbolSource| match source {
        SymbolSource::Dim(places) => {
            let place = places.first().and_then(|&(input, axis)| inputs.get(input)?.get(axis));
            place.copied().map(Some).ok_or_else(|| Error::invalid("an extent belongs to no input"))
        }
        SymbolSource::Size { .. } => Ok(None),
    };
    network.symbols.iter().map(|def| of(&def.source)).collect()
}

/// What the host was told of types before it told the shapes has to be what they are.
fn check_told(told: Option<&[DataType]>, found: &[DataType]) -> Result<()> {
    let Some(told) = told.filter(|told| *told != found) else { return Ok(()) };
    let listed = |types: &[DataType]| types.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(", ");
    Err(Error::invalid(format_args!(
        "its outputs are {} for inputs of these shapes, but {} for others: TensorRT asks for types before it tells ranks, so \
         that they mustn't depend on these",
        listed(found),
        listed(told)
    )))
}

/// Names for the extents that aren't known: what is one expression in the host has one name.
fn named(plugin: &Plugin, inputs: &[Vec<Extent>]) -> Result<Vec<Vec<Dim>>> {
    let mut known: Vec<(Extent, String)> = Vec::new();
    let mut all = Vec::with_capacity(inputs.len());
    for (name, extents) in plugin.entry.inputs.iter().zip(inputs) {
        let mut dims = Vec::with_capacity(extents.len());
        for (axis, &extent) in extents.iter().enumerate() {
            dims.push(match (extent.constant()?, known.iter().find(|(other, _)| *other == extent)) {
                (Some(value), _) if value >= 0 => Dim::Fixed(value),
                (Some(value), _) => return Err(impossible(format_args!("an extent of {value}"))),
                (None, Some((_, name))) => Dim::Named(name.clone()),
                (None, None) => {
                    let name = format!("{name}.d{axis}");
                    known.push((extent, name.clone()));
                    Dim::Named(name)
                }
            });
        }
        all.push(dims);
    }
    Ok(all)
}
