//! Shape inference: the outputs that a plugin's `register` function describes, checked, over the network's symbols.

use std::sync::Arc;

use super::{Network, SymbolIndex, TensorIndex};
use crate::error::{Error, LayerContext, Result};
use crate::plugin::{AttributeValue, BoundPlugin, Plugin};

use crate::shape::{ShapeExpr, SymbolKind};
use crate::suggest::did_you_mean;
use crate::tensor::{DataType, OutputDesc, TensorDesc};

/// The outputs of a layer over the network's symbols.
pub(super) struct Inferred {
    pub(super) outputs: Vec<(DataType, Vec<ShapeExpr>)>,
    pub(super) aliases: Vec<Option<usize>>,
    pub(super) sizes: Vec<Option<SymbolIndex>>,
}

pub(super) fn infer(
    network: &mut Network,
    layer: &Arc<str>,
    plugin: &'static Plugin,
    inputs: &[TensorIndex],
    values: &[AttributeValue],
) -> Result<(BoundPlugin, Inferred)> {
    let descs = network.descs(inputs);
    let symbols_before = network.symbols.len();
    let inferred = BoundPlugin::new(plugin, values.into()).and_then(|bound| {
        let outputs = bound.outputs(&descs)?;
        Ok((bound, in_network(network, layer, outputs)?))
    });
    inferred.map_err(|source| {
        network.symbols.truncate(symbols_before);
        let shapes = plugin.entry.inputs.iter().zip(&descs).map(|(name, desc)| format!("{name}: {desc}"));
        let shapes = shapes.collect::<Vec<_>>().join(", ");
        source.in_layer(LayerContext::new(layer, &plugin.label()).shapes(Some(shapes)))
    })
}

/// Gives the plugin's own size tensors symbols of the network.
fn in_network(network: &mut Network, layer: &str, outputs: Vec<OutputDesc>) -> Result<Inferred> {
    let position = network.layers.next();
    let mut own_sizes = Vec::new();
    let mut sizes = vec![None; outputs.len()];
    for (output, desc) in outputs.iter().enumerate() {
        let OutputDesc::Size(size) = desc else { continue };
        let (opt, upper_bound) = (size.opt().clone(), size.upper_bound().clone());
        let (symbol, expr) =
            network.symbols.add_size(format!("{layer}.{output}"), (position, output), opt, upper_bound);
        own_sizes.push((size.symbol(), expr));
        sizes[output] = Some(symbol);
    }
    let mut aliases = vec![None; outputs.len()];
    let mut tensors = Vec::with_capacity(outputs.len());
    for (output, desc) in outputs.into_iter().enumerate() {
        tensors.push(match desc {
            OutputDesc::Size(size) => (size.data_type(), Vec::new()),
            OutputDesc::Tensor(desc) => {
                aliases[output] = desc.alias_of();
                (desc.dtype(), resolved_shape(output, &desc, &own_sizes)?)
            }
        });
    }
    Ok(Inferred { outputs: tensors, aliases, sizes })
}

fn resolved_shape(output: usize, desc: &TensorDesc, own_sizes: &[(u32, ShapeExpr)]) -> Result<Vec<ShapeExpr>> {
    let resolve = |(dim, expr): (usize, &ShapeExpr)| {
        let resolved = expr.substitute(&|symbol| {
            let own = own_sizes.iter().find(|(index, _)| *index == symbol.index);
            own.filter(|_| symbol.kind == SymbolKind::OwnSize).map(|(_, expr)| expr.clone())
        });
        match resolved.error() {
            Some(reason) => Err(Error::invalid(format_args!("dimension {dim} of output {output}: {reason}"))),
            None => Ok(resolved),
        }
    };
    desc.shape_exprs().iter().enumerate().map(resolve).collect()
}

/// One value per attribute, in the registered order: those given by name, the others by default.
pub(crate) fn attribute_values(plugin: &Plugin, given: &[(&str, AttributeValue)]) -> Result<Vec<AttributeValue>> {
    let schema = plugin.entry.attributes;
    for (position, (name, value)) in given.iter().enumerate() {
        let Some(attribute) = schema.iter().find(|a| a.name == *name) else {
            return Err(Error::invalid(format_args!(
                "plugin `{}` has no attribute `{name}`{}",
                plugin.label(),
                did_you_mean(name, schema.iter().map(|a| a.name))
            )));
        };
        if attribute.ty != value.ty() {
            return Err(Error::invalid(format_args!(
                "attribute `{name}` of plugin `{}` is {}, but {} was given",
                plugin.label(),
                attribute.ty.name(),
                value.ty().name()
            )));
        }
        if given[..position].iter().any(|(earlier, _)| earlier == name) {
            return Err(Error::invalid(format_args!(
                "attribute `{name}` of plugin `{}` was given twice",
                plugin.label()
            )));
        }
    }
    let value_of = |attribute: &crate::plugin::AttributeSchema| {
        let named = given.iter().find(|(name, _)| *name == attribute.name).map(|(_, value)| value.clone());
        named.or_else(|| attribute.default.map(|default| default())).ok_or_else(|| {
            Error::invalid(format_args!(
                "plugin `{}` needs the attribute `{}` ({})",
                plugin.label(),
                attribute.name,
                attribute.ty.name()
            ))
        })
    };
    schema.iter().map(value_of).collect()
}
