//! What a plugin's `register` function says of its outputs, checked and put in the network's own terms.

use std::sync::Arc;

use super::Network;
use crate::error::{Error, LayerError, Result};
use crate::plugin::{AttributeValue, DynAttributes, Plugin};

use crate::guard::guarded;
use crate::shape::{MAX_RANK, ShapeExpr, SymbolKind};
use crate::suggest::did_you_mean;
use crate::tensor::{DataType, OutputDesc, SizeTensorDesc, TensorDesc};
use crate::wording::counted;

pub(super) struct Inferred {
    pub(super) attributes: Arc<DynAttributes>,
    pub(super) outputs: Vec<(DataType, Vec<ShapeExpr>)>,
    pub(super) aliases: Vec<Option<usize>>,
    pub(super) sizes: Vec<Option<u32>>,
}

pub(super) fn infer(
    network: &mut Network,
    layer: &Arc<str>,
    plugin: &'static Plugin,
    inputs: &[usize],
    attributes: &[AttributeValue],
) -> Result<Inferred> {
    let descs: Vec<TensorDesc> = inputs
        .iter()
        .enumerate()
        .map(|(i, &t)| TensorDesc::of_input(i, network.tensors[t].dtype, network.tensors[t].shape.clone()))
        .collect();
    let symbols_before = network.symbols.len();
    infer_outputs(network, layer, plugin, &descs, attributes).map_err(|source| {
        network.symbols.truncate(symbols_before);
        let shapes = plugin.entry.inputs.iter().zip(&descs).map(|(name, desc)| format!("{name}: {desc}"));
        Error::Layer(Box::new(LayerError {
            layer: layer.to_string(),
            plugin: plugin.label(),
            tactic: None,
            shapes: Some(shapes.collect::<Vec<_>>().join(", ")),
            source,
        }))
    })
}

fn infer_outputs(
    network: &mut Network,
    layer: &str,
    plugin: &'static Plugin,
    inputs: &[TensorDesc],
    attributes: &[AttributeValue],
) -> Result<Inferred> {
    let entry = &plugin.entry;
    if inputs.len() != entry.inputs.len() {
        return Err(Error::invalid(format_args!(
            "{} {} given, but it takes {}: {}",
            counted(inputs.len(), "input"),
            if inputs.len() == 1 { "was" } else { "were" },
            entry.inputs.len(),
            entry.inputs.join(", ")
        )));
    }
    let attributes: Arc<DynAttributes> = (entry.attributes_from_values)(attributes)?.into();
    let outputs = guarded(|| (entry.infer)(inputs, &*attributes))?;
    if outputs.len() != entry.outputs {
        return Err(Error::invalid(format_args!(
            "its register function gave {}, not {}",
            counted(outputs.len(), "output"),
            entry.outputs
        )));
    }

    let position = network.layers.len();
    let mut own_sizes = Vec::new();
    let mut sizes = vec![None; outputs.len()];
    for (output, desc) in outputs.iter().enumerate() {
        let OutputDesc::Size(size) = desc else { continue };
        let (opt, upper_bound) = checked_size(output, size)?;
        let expr = network.symbols.add_size(format!("{layer}.{output}"), (position, output), opt, upper_bound);
        own_sizes.push((size.symbol(), expr));
        sizes[output] = Some(network.symbols.len() as u32 - 1);
    }

    let mut aliases = vec![None; outputs.len()];
    let mut tensors = Vec::with_capacity(outputs.len());
    for (output, desc) in outputs.into_iter().enumerate() {
        tensors.push(match desc {
            OutputDesc::Size(size) => (size.data_type(), Vec::new()),
            OutputDesc::Tensor(desc) => {
                if let Some(input) = desc.alias_of() {
                    check_alias(output, input, &desc, inputs, &aliases)?;
                    aliases[output] = Some(input);
                }
                (desc.dtype(), resolved_shape(output, &desc, &own_sizes)?)
            }
        });
    }
    Ok(Inferred { attributes, outputs: tensors, aliases, sizes })
}

fn checked_size(output: usize, size: &SizeTensorDesc) -> Result<(ShapeExpr, ShapeExpr)> {
    if !matches!(size.data_type(), DataType::Int32 | DataType::Int64) {
        return Err(Error::invalid(format_args!(
            "output {output} is a size tensor of {}; it must be INT32 or INT64",
            size.data_type()
        )));
    }
    for (what, expr) in [("opt", size.opt()), ("upper bound", size.upper_bound())] {
        if let Some(reason) = expr.error() {
            return Err(Error::invalid(format_args!("the {what} of size tensor {output}: {reason}")));
        }
        if mentions_own_size(expr) {
            return Err(Error::invalid(format_args!(
                "the {what} of size tensor {output} uses a size tensor of the same plugin; it must follow from the inputs' shapes"
            )));
        }
    }
    Ok((size.opt().clone(), size.upper_bound().clone()))
}

fn mentions_own_size(expr: &ShapeExpr) -> bool {
    expr.symbols().iter().any(|symbol| symbol.kind == SymbolKind::OwnSize)
}

fn check_alias(
    output: usize,
    input: usize,
    desc: &TensorDesc,
    inputs: &[TensorDesc],
    aliases: &[Option<usize>],
) -> Result<()> {
    let same = inputs.get(input).is_some_and(|i| i.dtype() == desc.dtype() && i.shape_exprs() == desc.shape_exprs());
    if !same {
        return Err(Error::invalid(format_args!(
            "output {output} is aliased to input {input}, but differs from it in type or shape"
        )));
    }
    if let Some(first) = aliases.iter().position(|a| *a == Some(input)) {
        return Err(Error::invalid(format_args!("outputs {first} and {output} are both aliased to input {input}")));
    }
    Ok(())
}

fn resolved_shape(output: usize, desc: &TensorDesc, own_sizes: &[(u32, ShapeExpr)]) -> Result<Vec<ShapeExpr>> {
    if desc.rank() > MAX_RANK {
        return Err(Error::invalid(format_args!(
            "output {output} has {} dimensions; at most {MAX_RANK} are possible",
            desc.rank()
        )));
    }
    let resolve = |(dim, expr): (usize, &ShapeExpr)| {
        let resolved = expr.substitute(&|symbol| {
            let own = own_sizes.iter().find(|(index, _)| *index == symbol.index);
            own.filter(|_| symbol.kind == SymbolKind::OwnSize).map(|(_, expr)| expr.clone())
        });
        if let Some(reason) = resolved.error() {
            return Err(Error::invalid(format_args!("dimension {dim} of output {output}: {reason}")));
        }
        if mentions_own_size(&resolved) {
            return Err(Error::invalid(format_args!(
                "dimension {dim} of output {output} uses a size tensor that isn't one of the plugin's outputs: return it too"
            )));
        }
        if resolved.constant_value().is_some_and(|extent| extent < 0) {
            return Err(Error::invalid(format_args!("dimension {dim} of output {output} would be {resolved}")));
        }
        Ok(resolved)
    };
    desc.shape_exprs().iter().enumerate().map(resolve).collect()
}

/// One value an attribute, in the registered order, from values by name.
pub(super) fn attribute_values(plugin: &Plugin, given: &[(&str, AttributeValue)]) -> Result<Vec<AttributeValue>> {
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
