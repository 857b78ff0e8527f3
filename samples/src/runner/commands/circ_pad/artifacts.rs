//! The files of the sample: its model and its engine.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use plugin_runtime::device::cuda::{AotArg, AotParameter};
use plugin_runtime::engine::{Engine, EngineSummary, KernelsSummary, LaunchSummary};
use plugin_runtime::network::Network;
use plugin_runtime::plugin::AttributeValue;
use plugin_runtime::shape::ShapeExpr;
use plugin_runtime::tensor::{DataType, HostTensor};

use super::{PLUGIN, check};
use crate::runner::data::{self, Fill};
use crate::runner::device::{DeviceName, shown_device};
use crate::runner::failure::{Failure, Result};
use crate::runner::npy::write_whole;
use crate::runner::output::Output;
use crate::runner::source::load_engine;
use crate::runner::text::shown;

/// Writes a network as an ONNX model, and reads it back from there.
///
/// # Errors
/// When the file can't be written, or doesn't give a network.
pub(super) fn through_onnx(network: &Network, folder: &Path, out: &mut Output) -> Result<Network> {
    let path = folder.join("circ_pad.onnx");
    let model = network.to_onnx()?;
    write_whole(&path, |file| file.write_all(&model))
        .map_err(|e| Failure::work(format_args!("can't write {}: {e}", path.display())))?;
    out.line(format_args!("model written to {}", path.display()))?;
    Ok(Network::from_onnx(&path)?)
}

/// # Errors
/// When the file can't be written.
pub(super) fn save(engine: &Engine, folder: &Path, out: &mut Output) -> Result<()> {
    let path = engine_path(folder);
    engine.save(&path)?;
    out.line(format_args!("engine saved to {}", path.display()))
}

/// Runs the engine that [`save`] saved, on data made up for the shape of its input, and checks the result against the pads
/// that the engine holds. It runs on `device`, if one is named.
///
/// # Errors
/// When it can't be loaded, is another engine, or the result is wrong.
pub(super) fn run_saved(folder: &Path, device: Option<DeviceName>, out: &mut Output) -> Result<()> {
    let path = engine_path(folder);
    if !path.exists() {
        return Err(Failure::work(format_args!(
            "{} isn't there: save it first, e.g. circ_pad --mode inetdef --save_engine --artifacts_dir {}",
            path.display(),
            folder.display()
        )));
    }
    let engine = load_engine(&path, device)?;
    let summary = engine.inspect();
    let Some(Padding { dtype, dims, pads }) = padding(&summary) else {
        return Err(Failure::work(format_args!(
            "{} isn't an engine of this sample, which pads one input of a fixed shape: run it with samples run",
            path.display()
        )));
    };
    let x = data::made_up(dtype, &dims, 0, Fill::Values)?;
    let outputs = engine.create_context()?.run(&[("X", &x)])?;
    let [(name, y)] = <[(String, HostTensor); 1]>::try_from(outputs)
        .map_err(|outputs| Failure::work(format_args!("circ_pad should have one output, got {}", outputs.len())))?;
    check(&x, &y, &pads)?;
    out.line(format_args!(
        "circ_pad (loaded from {}) on {}: X {dtype} {dims:?} -> {} {} {:?}: right",
        path.display(),
        shown_device(engine.device()),
        shown(&name),
        y.dtype(),
        y.shape()
    ))
}

fn engine_path(folder: &Path) -> PathBuf {
    folder.join("circ_pad.engine")
}

/// What an engine of this sample pads, and by how much.
struct Padding<'e> {
    dtype: DataType,
    dims: Vec<i64>,
    pads: Cow<'e, [i32]>,
}

/// `None` for another engine.
fn padding(summary: &EngineSummary) -> Option<Padding<'_>> {
    let ([input], [output], [plan]) = (&*summary.inputs, &*summary.outputs, &*summary.plans) else { return None };
    let dims = input.shape.iter().map(|extent| extent.constant_value()).collect::<Option<Vec<i64>>>()?;
    let mut plugins = plan.steps.iter().filter_map(|step| step.plugin.as_ref());
    let plugin = plugins.next().filter(|plugin| plugin.id == PLUGIN)?;
    let pads = match &plugin.kernels {
        Some(kernels) => Cow::Owned(pads_of_kernel(kernels, &dims, &output.shape)?),
        None => plugin.attributes.iter().find_map(|(name, value)| match value {
            AttributeValue::Int32s(pads) if *name == "pads" => Some(Cow::Borrowed(&**pads)),
            _ => None,
        })?,
    };
    let alone = plugins.next().is_none() && input.name == "X";
    let known_type = matches!(input.dtype, DataType::Float32 | DataType::Float16);
    (alone && known_type).then_some(Padding { dtype: input.dtype, dims, pads })
}

/// An engine that holds the kernels keeps no attributes: the pads follow from what the kernel is given, the pads before
/// each dimension after the input, and from the shapes.
fn pads_of_kernel(kernels: &KernelsSummary, dims: &[i64], output: &[ShapeExpr]) -> Option<Vec<i32>> {
    let ([LaunchSummary { parameters, .. }], [_, _, _, _]) = (&*kernels.launches, dims) else { return None };
    let mut pads = Vec::with_capacity(2 * dims.len());
    for (dim, extent) in dims.iter().enumerate().rev() {
        let AotParameter::Extra(AotArg::I32(before)) = parameters.get(dim + 1)? else { return None };
        let before = i32::try_from(before.constant_value()?).ok()?;
        let padded = output.get(dim)?.constant_value()?;
        let after = i32::try_from(padded.checked_sub(*extent)?).ok()?.checked_sub(before)?;
        let is_possible = before >= 0 && after >= 0 && (*extent > 0 || padded == 0);
        pads.extend(is_possible.then_some([before, after])?);
    }
    Some(pads)
}
