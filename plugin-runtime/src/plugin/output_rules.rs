//! Rules of the outputs that a plugin's register function describes.

use super::PluginEntry;
use crate::error::{Error, Result};
use crate::shape::{MAX_RANK, ShapeExpr, SymbolKind};
use crate::tensor::{DataType, OutputDesc, SizeTensorDesc, TensorDesc};
use crate::wording::counted;

pub(super) fn check_inputs(entry: &PluginEntry, given: usize) -> Result<()> {
    if given == entry.inputs.len() {
        return Ok(());
    }
    Err(Error::invalid(format_args!(
        "{} {} given, but it takes {}: {}",
        counted(given, "input"),
        if given == 1 { "was" } else { "were" },
        entry.inputs.len(),
        entry.inputs.join(", ")
    )))
}

pub(super) fn check_outputs(entry: &PluginEntry, inputs: &[TensorDesc], outputs: &[OutputDesc]) -> Result<()> {
    if outputs.len() != entry.outputs {
        return Err(Error::invalid(format_args!(
            "its register function gave {}, not {}",
            counted(outputs.len(), "output"),
            entry.outputs
        )));
    }
    let mut sizes = Vec::new();
    for (output, desc) in outputs.iter().enumerate() {
        if let OutputDesc::Size(size) = desc {
            check_size_tensor(output, size)?;
            sizes.push(size.symbol());
        }
    }
    let mut aliases = vec![None; outputs.len()];
    for (output, desc) in outputs.iter().enumerate() {
        let OutputDesc::Tensor(desc) = desc else { continue };
        if let Some(input) = desc.alias_of() {
            check_alias(output, input, desc, inputs, &aliases)?;
            aliases[output] = Some(input);
        }
        check_shape(output, desc, &sizes)?;
    }
    Ok(())
}

fn check_size_tensor(output: usize, size: &SizeTensorDesc) -> Result<()> {
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
        if own_sizes(expr).next().is_some() {
            return Err(Error::invalid(format_args!(
                "the {what} of size tensor {output} uses a size tensor of the same plugin; it must follow from the inputs' shapes"
            )));
        }
    }
    Ok(())
}

/// The symbols of size tensors that are still being described.
fn own_sizes(expr: &ShapeExpr) -> impl Iterator<Item = u32> {
    expr.symbols().into_iter().filter(|symbol| symbol.kind == SymbolKind::OwnSize).map(|symbol| symbol.index)
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

/// `sizes` are the symbols of the plugin's own size tensors.
fn check_shape(output: usize, desc: &TensorDesc, sizes: &[u32]) -> Result<()> {
    if desc.rank() > MAX_RANK {
        return Err(Error::invalid(format_args!(
            "output {output} has {} dimensions; at most {MAX_RANK} are possible",
            desc.rank()
        )));
    }
    for (dim, extent) in desc.shape_exprs().iter().enumerate() {
        if let Some(reason) = extent.error() {
            return Err(Error::invalid(format_args!("dimension {dim} of output {output}: {reason}")));
        }
        if own_sizes(extent).any(|symbol| !sizes.contains(&symbol)) {
            return Err(Error::invalid(format_args!(
                "dimension {dim} of output {output} uses a size tensor that isn't one of the plugin's outputs: return it too"
            )));
        }
        if extent.constant_value().is_some_and(|extent| extent < 0) {
            return Err(Error::invalid(format_args!("dimension {dim} of output {output} would be {extent}")));
        }
    }
    Ok(())
}

/// Checks what an impl wrote into a size tensor.
pub(crate) fn check_size(output: usize, found: i64, upper: i64) -> Result<()> {
    match found {
        -1 => Err(Error::plugin(format_args!(
            "the impl didn't write its size tensor, output {output}: call outputs[{output}].write_size(n)"
        ))),
        n if n < 0 || n > upper => Err(Error::plugin(format_args!(
            "the impl wrote {n} to its size tensor, output {output}; it must be 0 to {upper}, its upper bound"
        ))),
        _ => Ok(()),
    }
}
