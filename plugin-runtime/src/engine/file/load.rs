//! From what a file says to an engine. Nothing in it is believed: whatever indexes, sizes or addresses is checked here,
//! so that no run has to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use prost::Message;

use super::container::{self, Section, SectionKind};
use super::records::{self, EngineRecord, LayerRecord, OutputRecord, PluginRecord, TensorRecord};
use super::symbols::Symbols;
use super::{LARGEST_GRAPH, VERIFIED_CONSTANTS, attributes, images, load_plan, runtime_kernels};
use crate::device::{Constant, ConstantInFile, Device, DeviceKind, FileBytes};

use crate::device::cuda::AotModule;
use crate::engine::plan::{OutputShape, OwnSize, Plan, PlannedStep, PlannedWork};
use crate::engine::{BuildReport, Engine, EngineInner, InputInfo, InsertedStep, LayerReport, Trial, TrialOutcome};
use crate::error::{Error, Result};
use crate::network::SymbolDef;
use crate::plugin::combination::Combination;
use crate::plugin::{BoundPlugin, ImplEntry, Plugin, Registry};
use crate::shape::{Dims, MAX_RANK, ShapeExpr, Symbol, decode_exprs};
use crate::tensor::{DataType, Representation};
use crate::wording::counted;

/// What the plans of an engine share.
pub(super) struct Graph {
    pub(super) inputs: Vec<InputInfo>,
    pub(super) input_shapes: Vec<Vec<ShapeExpr>>,
    pub(super) outputs: Vec<(Arc<str>, DataType)>,
    pub(super) output_shapes: Arc<[OutputShape]>,
    pub(super) constants: Arc<[Constant]>,
    pub(super) definitions: Vec<SymbolDef>,
    pub(super) symbols: Vec<Symbol>,
    pub(super) layers: Vec<LoadedLayer>,
    pub(super) modules: Vec<Arc<AotModule>>,
}

pub(super) struct LoadedLayer {
    pub(super) name: Arc<str>,
    /// The plugin's id and version.
    pub(super) label: String,
    /// The names of the plugin's inputs.
    pub(super) inputs: Vec<Arc<str>>,
    pub(super) work: LoadedWork,
    /// For each output, the input that it is updated in place over.
    pub(super) in_place: Vec<Option<usize>>,
    pub(super) sizes: Vec<Arc<OwnSize>>,
}

/// What a layer runs.
pub(super) enum LoadedWork {
    Impl {
        implementation: &'static ImplEntry,
        bound: BoundPlugin,
    },
    /// Kernels that lie in the file.
    Aot {
        id: Arc<str>,
        version: u32,
        /// Whether they cope with extents that only the device knows.
        device_shape: bool,
    },
}

pub(super) fn engine(file: FileBytes, find: &dyn Fn(&str) -> Result<Device>) -> Result<Engine> {
    let file = Arc::new(file);
    let sections = container::parse(&file).map_err(Error::invalid)?;
    let Some((graph, rest)) = sections.split_first() else {
        return Err(Error::invalid("it has no section"));
    };
    let (constants, images) = rest.split_at(rest.partition_point(|s| s.kind == SectionKind::Constant));
    if graph.kind != SectionKind::Graph || images.iter().any(|s| s.kind != SectionKind::Image) {
        return Err(Error::invalid("its sections aren't a graph, then constants, then images"));
    }
    let record = record(&file, graph)?;
    let device = find(&record.device)
        .map_err(|e| Error::invalid(format_args!("it was built for device `{}`: {e}", record.device)))?;
    let modules = images::modules(&file, &record, images)?;
    let runtime_kernels = runtime_kernels::load(&record.runtime, &modules)?;
    let graph = Graph::new(&file, &record, constants, modules, device.kind())?;
    if record.plans.is_empty() {
        return Err(Error::invalid("it has no plan: at least one is needed"));
    }
    if graph.outputs.is_empty() {
        return Err(Error::invalid("it has no output: at least one is needed"));
    }
    let mut report = BuildReport::default();
    let mut plans = Vec::with_capacity(record.plans.len());
    for (profile, plan) in record.plans.iter().enumerate() {
        let plan = load_plan::plan(&graph, plan).map_err(|e| within(format_args!("profile {profile}"), e))?;
        add_to_report(&mut report, profile, &plan);
        plans.push(plan);
    }
    let Graph { inputs, outputs, constants, definitions, .. } = graph;
    Ok(Engine(Arc::new(EngineInner {
        device,
        inputs,
        outputs,
        constants,
        on_device: Mutex::default(),
        symbols: definitions,
        plans,
        runtime_kernels,
        report,
    })))
}

fn record(file: &FileBytes, section: &Section) -> Result<EngineRecord> {
    let bytes = file.get(section.range.clone()).unwrap_or_default();
    if bytes.len() > LARGEST_GRAPH {
        let len = bytes.len();
        return Err(Error::invalid(format_args!("its graph takes {len} bytes; at most {LARGEST_GRAPH} are read")));
    }
    container::compare("graph", crc32fast::hash(bytes), section.checksum).map_err(Error::invalid)?;
    EngineRecord::decode(bytes).map_err(|e| Error::invalid(format_args!("its graph can't be read: {e}")))
}

fn add_to_report(report: &mut BuildReport, profile: usize, plan: &Plan) {
    report.layers.extend(plan.steps.iter().filter_map(|step| chosen(step, profile)));
    report.inserted.extend(plan.inserted().map(|name| InsertedStep { name: name.clone(), profile }));
    report.arena_bytes.push(plan.arena);
}

/// What a layer runs as; what else was tried isn't in the file.
fn chosen(step: &PlannedStep, profile: usize) -> Option<LayerReport> {
    let number = match &step.work {
        PlannedWork::Impl { tactic, .. } => *tactic,
        PlannedWork::Kernels { plugin, .. } => plugin.tactic,
        PlannedWork::Reformat => return None,
    };
    let (inputs, outputs) = (step.memory.inputs().iter().map(|input| &input.tensor), step.memory.outputs());
    let laid_out = inputs.chain(outputs).map(|tensor| (tensor.info.dtype, tensor.info.format));
    let (types, formats) = laid_out.unzip();
    let combination = Combination { types, formats, tactics: vec![number], references: Vec::new() }.to_string();
    let tactic = step.tactic.clone().unwrap_or_default();
    let trials = vec![Trial { combination, tactic, outcome: TrialOutcome::NotTimed, locked: false, chosen: true }];
    let (layer, plugin) = (step.name.clone(), step.label.clone());
    Some(LayerReport { layer, plugin, profile, check: None, notes: Vec::new(), trials })
}

/// Says where something is wrong.
pub(super) fn within(place: impl std::fmt::Display, error: Error) -> Error {
    Error::invalid(format_args!("{place}: {error}"))
}

impl Graph {
    fn new(
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
            let info = input(tensor).map_err(|e| within(format_args!("input {position}"), e))?;
            unique(&mut names, &tensor.name)?;
            inputs.push(info);
        }
        let mut layers = layers(record, device)?;
        let mut symbols = Symbols::new(&inputs);
        for (position, symbol) in record.symbols.iter().enumerate() {
            symbols.add(symbol, &inputs, &mut layers).map_err(|e| within(format_args!("symbol {position}"), e))?;
        }
        let input_shapes = symbols.input_shapes(&inputs)?;
        let Symbols { definitions, symbols, .. } = symbols;
        let mut outputs = Vec::with_capacity(record.outputs.len());
        let mut output_shapes = Vec::with_capacity(record.outputs.len());
        for (position, output) in record.outputs.iter().enumerate() {
            unique(&mut names, &output.name)?;
            let (dtype, shape) =
                output_shape(output, &symbols).map_err(|e| within(format_args!("output {position}"), e))?;
            outputs.push((output.name.as_str().into(), dtype));
            output_shapes.push(shape);
        }
        let output_shapes = output_shapes.into();
        Ok(Graph { inputs, input_shapes, outputs, output_shapes, constants, definitions, symbols, layers, modules })
    }

    /// The inputs as (name, extents), -1 where one is dynamic.
    pub(super) fn input_dims(&self) -> Vec<(&str, Dims)> {
        self.inputs.iter().map(|input| (&*input.name, input.dims)).collect()
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
    let dtype = records::dtype(record.dtype).map_err(Error::invalid)?;
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
        let (dtype, dims) = (records::dtype(record.dtype).map_err(Error::invalid)?, dims(record, 0)?);
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
        constants.push(checked.map_err(|e| within(format_args!("constant {position}"), e))?);
    }
    Ok(constants.into())
}

fn output_shape(record: &OutputRecord, symbols: &[Symbol]) -> Result<(DataType, OutputShape)> {
    let dtype = records::dtype(record.dtype).map_err(Error::invalid)?;
    Ok((dtype, OutputShape::new(shape(&record.shape, symbols)?)?))
}

/// The extents of one tensor.
pub(super) fn shape(bytes: &[u8], symbols: &[Symbol]) -> Result<Vec<ShapeExpr>> {
    let shape = decode_exprs(bytes, symbols)?;
    if shape.len() > MAX_RANK {
        let rank = shape.len();
        return Err(Error::invalid(format_args!("it has {rank} dimensions; at most {MAX_RANK} are possible")));
    }
    Ok(shape)
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
    let named = |record: &LayerRecord| layer(record).map_err(|e| within(format_args!("layer `{}`", record.name), e));
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
