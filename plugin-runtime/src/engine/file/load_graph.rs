//! From what a file says of a network to what the plans share.

use std::collections::HashSet;
use std::sync::Arc;

use super::container::Section;
use super::graph::{Graph, LoadedLayer, LoadedWork, shape};
use super::records::{EngineRecord, LayerRecord, OutputRecord, PluginRecord, TensorRecord};
use super::symbols::Symbols;
use super::wire::{self};
use super::{VERIFIED_CONSTANTS, attributes};
use crate::device::cuda::AotModule;
use crate::device::{Constant, ConstantInFile, DeviceKind, FileBytes};
use crate::engine::InputInfo;
use crate::engine::plan::OutputShape;
use crate::error::{Error, Result};
use crate::plugin::{BoundPlugin, Plugin, Registry};
use crate::shape::{Dims, MAX_RANK, Symbol};
use crate::tensor::{DataType, Representation};
use crate::wording::counted;

impl Graph {
    pub(super) fn new(
        file: &Arc<FileBytes>,
        record: &EngineRecord,
        sections: &[Section],
        modules: Vec<Arc<AotModule>>,
        device: DeviceKind,
    ) -> Result<Self> {
        let constants = constants(file, &record.constants, sections)?;
        let mut names = HashSet::new();
        let mut inputs = Vec::with_capacity(record.inputs.len());
        for (position, tensor) in record.inputs.iter().enumerate() {
            let info = input(tensor).map_err(|e| e.within(format_args!("input {position}")))?;
            unique(&mut names, &tensor.name)?;
            inputs.push(info);
        }
        let mut layers = layers(record, device)?;
        let mut symbols = Symbols::new(&inputs);
        for (position, symbol) in record.symbols.iter().enumerate() {
            symbols.add(symbol, &inputs, &mut layers).map_err(|e| e.within(format_args!("symbol {position}")))?;
        }
        let input_shapes = symbols.input_shapes(&inputs)?;
        let Symbols { definitions, symbols, .. } = symbols;
        let mut outputs = Vec::with_capacity(record.outputs.len());
        let mut output_shapes = Vec::with_capacity(record.outputs.len());
        for (position, output) in record.outputs.iter().enumerate() {
            unique(&mut names, &output.name)?;
            let (dtype, shape) =
                output_shape(output, &symbols).map_err(|e| e.within(format_args!("output {position}")))?;
            outputs.push((output.name.as_str().into(), dtype));
            output_shapes.push(shape);
        }
        let output_shapes = output_shapes.into();
        Ok(Graph { inputs, input_shapes, outputs, output_shapes, constants, definitions, symbols, layers, modules })
    }
}

fn unique<'r>(names: &mut HashSet<&'r str>, name: &'r str) -> Result<()> {
    if names.insert(name) {
        return Ok(());
    }
    Err(Error::invalid(format_args!("two of its inputs and outputs are named `{name}`")))
}

fn dims(record: &TensorRecord, least: i64) -> Result<Dims> {
    let dims = Dims::new(&record.dims).filter(|dims| dims.iter().all(|extent| *extent >= least));
    dims.ok_or_else(|| {
        Error::invalid(format_args!(
            "its extents have to be at most {MAX_RANK}, each at least {least}, not {:?}",
            &record.dims[..record.dims.len().min(MAX_RANK + 1)]
        ))
    })
}

fn input(record: &TensorRecord) -> Result<InputInfo> {
    let dtype = wire::dtype(record.dtype).map_err(Error::invalid)?;
    Ok(InputInfo { name: record.name.as_str().into(), dtype, dims: dims(record, -1)? })
}

fn constants(file: &Arc<FileBytes>, records: &[TensorRecord], sections: &[Section]) -> Result<Arc<[Constant]>> {
    if records.len() != sections.len() {
        return Err(Error::invalid(format_args!(
            "its graph has {} constants, but {} sections hold one",
            records.len(),
            sections.len()
        )));
    }
    let constant = |(record, section): (&TensorRecord, &Section)| {
        let (dtype, dims) = (wire::dtype(record.dtype).map_err(Error::invalid)?, dims(record, 0)?);
        let (expected, found) = (Representation::linear(dtype).bytes(&dims)?, section.range.len());
        if expected != found {
            return Err(Error::invalid(format_args!(
                "{dtype} {dims} takes {expected} bytes, but its section has {found}"
            )));
        }
        ConstantInFile::new(file.clone(), section.range.clone(), (dtype, dims), section.checksum).map(Constant::InFile)
    };
    let mut constants = Vec::with_capacity(records.len());
    let verified = sections.iter().map(|s| s.range.len()).sum::<usize>() <= VERIFIED_CONSTANTS;
    for (position, parts) in records.iter().zip(sections).enumerate() {
        let checked = constant(parts).and_then(|constant| match verified {
            true => constant.verify().map(|()| constant),
            false => Ok(constant),
        });
        constants.push(checked.map_err(|e| e.within(format_args!("constant {position}")))?);
    }
    Ok(constants.into())
}

fn output_shape(record: &OutputRecord, symbols: &[Symbol]) -> Result<(DataType, OutputShape)> {
    let dtype = wire::dtype(record.dtype).map_err(Error::invalid)?;
    Ok((dtype, OutputShape::new(shape(&record.shape, symbols)?)?))
}

fn layers(record: &EngineRecord, device: DeviceKind) -> Result<Vec<LoadedLayer>> {
    let linked = linked(record)?;
    let layer = |layer: &LayerRecord| {
        let index = layer.plugin as usize;
        let saved = record.plugins.get(index);
        let saved = saved.ok_or_else(|| Error::invalid(format_args!("there is no plugin {}", layer.plugin)))?;
        let name: Arc<str> = layer.name.as_str().into();
        if let Some(aot) = &layer.aot {
            if !layer.attributes.is_empty() {
                return Err(Error::invalid("it runs kernels that lie in the file, but attributes were saved"));
            }
            return Ok(LoadedLayer {
                name,
                label: format!("{} v{}", saved.id, saved.version),
                inputs: aot.inputs.iter().map(|name| name.as_str().into()).collect(),
                in_place: in_place(aot.inputs.len(), &layer.in_place)?,
                work: LoadedWork::Aot {
                    id: saved.id.as_str().into(),
                    version: saved.version,
                    device_shape: aot.device_shape,
                },
                sizes: Vec::new(),
            });
        }
        let plugin = linked.get(index).copied().flatten();
        let plugin = plugin.ok_or_else(|| Error::invalid(format_args!("plugin {index} isn't linked")))?;
        let implementation = plugin.impl_for(device).ok_or_else(|| {
            Error::invalid(format_args!("`{}` has no impl for device `{device}` in this program", plugin.label()))
        })?;
        let outputs = plugin.entry.outputs;
        if layer.in_place.len() != outputs {
            let (plugin, saved) = (plugin.label(), layer.in_place.len());
            return Err(Error::invalid(format_args!(
                "`{plugin}` has {}, but {saved} were saved",
                counted(outputs, "output")
            )));
        }
        let values = attributes::load(&plugin.entry, implementation, &layer.attributes).map_err(Error::invalid)?;
        Ok(LoadedLayer {
            name,
            label: plugin.label(),
            inputs: plugin.entry.inputs.iter().map(|name| Arc::from(*name)).collect(),
            in_place: in_place(plugin.entry.inputs.len(), &layer.in_place)?,
            work: LoadedWork::Impl { implementation, bound: BoundPlugin::new(plugin, values.into())? },
            sizes: Vec::new(),
        })
    };
    let named = |record: &LayerRecord| layer(record).map_err(|e| e.within(format_args!("layer `{}`", record.name)));
    record.layers.iter().map(named).collect()
}

/// The plugins that a file names. Those whose kernels lie in the file needn't be linked, and aren't looked for.
fn linked(record: &EngineRecord) -> Result<Vec<Option<&'static Plugin>>> {
    let mut needed = vec![true; record.plugins.len()];
    for layers_own in [true, false] {
        for layer in record.layers.iter().filter(|layer| layer.aot.is_some() == layers_own) {
            if let Some(needed) = needed.get_mut(layer.plugin as usize) {
                *needed = !layers_own;
            }
        }
    }
    let find = |(plugin, needed): (&PluginRecord, bool)| match needed {
        true => Ok(Some(Registry::global()?.get(&plugin.id, plugin.version)?)),
        false => Ok(None),
    };
    record.plugins.iter().zip(needed).map(find).collect()
}

fn in_place(inputs: usize, record: &[u32]) -> Result<Vec<Option<usize>>> {
    let over: Vec<Option<usize>> = record.iter().map(|&input| (input as usize).checked_sub(1)).collect();
    for (output, input) in over.iter().enumerate() {
        if input.is_some_and(|input| input >= inputs || over[..output].contains(&Some(input))) {
            return Err(Error::invalid(format_args!(
                "output {output} can't be updated in place over input {}: of {}, each is for one output",
                record[output] - 1,
                counted(inputs, "input")
            )));
        }
    }
    Ok(over)
}
