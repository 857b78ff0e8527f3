//! From what a file says to an engine. Nothing in it is believed: whatever indexes, sizes or addresses is checked here,
//! so that no run has to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use prost::Message;

use super::container::{self, Section, SectionKind};
use super::records::{self, EngineRecord, LayerRecord, OutputRecord, TensorRecord};
use super::symbols::Symbols;
use super::{LARGEST_GRAPH, VERIFIED_CONSTANTS, attributes, load_plan};
use crate::device::{Constant, ConstantInFile, Device, FileBytes};
use crate::engine::plan::{OutputShape, OwnSize, Plan, PlannedStep, Run};
use crate::engine::{BuildReport, Engine, EngineInner, InputInfo, InsertedStep, LayerReport, Trial, TrialOutcome};
use crate::error::{Error, Result};
use crate::network::SymbolDef;
use crate::plugin::{AttributeValue, DynAttributes, ImplEntry, Plugin, Registry};
use crate::shape::{Dims, MAX_RANK, ShapeExpr, Symbol, decode_exprs};
use crate::tactic::Combination;
use crate::tensor::{DataType, Representation};

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
}

pub(super) struct LoadedLayer {
    pub(super) name: Arc<str>,
    pub(super) plugin: &'static Plugin,
    pub(super) implementation: &'static ImplEntry,
    pub(super) attributes: Arc<DynAttributes>,
    pub(super) values: Arc<[AttributeValue]>,
    /// For each output, the input that it is updated in place over.
    pub(super) in_place: Vec<Option<usize>>,
    pub(super) sizes: Vec<Arc<OwnSize>>,
}

pub(super) fn engine(file: FileBytes) -> Result<Engine> {
    let file = Arc::new(file);
    let sections = container::parse(&file).map_err(Error::invalid)?;
    let constants = match &*sections {
        [Section { kind: SectionKind::Graph, .. }, rest @ ..]
            if rest.iter().all(|s| s.kind == SectionKind::Constant) =>
        {
            rest
        }
        _ => return Err(Error::invalid("its sections aren't a graph and then constants")),
    };
    let record = record(&file, &sections[0])?;
    let device = device(&record.device)?;
    let graph = Graph::new(&file, &record, constants)?;
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

fn device(name: &str) -> Result<Device> {
    Device::from_name(name).map_err(|e| Error::invalid(format_args!("it was built for device `{name}`: {e}")))
}

fn add_to_report(report: &mut BuildReport, profile: usize, plan: &Plan) {
    report.layers.extend(plan.steps.iter().filter_map(|step| chosen(step, profile)));
    report.inserted.extend(plan.inserted().map(|name| InsertedStep { name: name.clone(), profile }));
    report.arena_bytes.push(plan.arena);
}

/// What a layer runs as; what else was tried isn't in the file.
fn chosen(step: &PlannedStep, profile: usize) -> Option<LayerReport> {
    let Run::Plugin { tactic: number, .. } = step.run else { return None };
    let (inputs, outputs) = (step.memory.inputs().iter().map(|input| &input.tensor), step.memory.outputs());
    let laid_out = inputs.chain(outputs).map(|tensor| (tensor.info.dtype, tensor.info.format));
    let (types, formats) = laid_out.unzip();
    let combination = Combination { types, formats, tactics: vec![number] }.to_string();
    let tactic = step.tactic.clone().unwrap_or_default();
    let trials = vec![Trial { combination, tactic, outcome: TrialOutcome::NotTimed, locked: false, chosen: true }];
    Some(LayerReport { layer: step.name.clone(), plugin: step.label.clone(), profile, trials })
}

/// Says where something is wrong.
pub(super) fn within(place: impl std::fmt::Display, error: Error) -> Error {
    Error::invalid(format_args!("{place}: {error}"))
}

impl Graph {
    fn new(file: &Arc<FileBytes>, record: &EngineRecord, sections: &[Section]) -> Result<Self> {
        let constants = constants(file, &record.constants, sections)?;
        let mut names = HashSet::new();
        let mut inputs = Vec::with_capacity(record.inputs.len());
        for (position, tensor) in record.inputs.iter().enumerate() {
            let info = input(tensor).map_err(|e| within(format_args!("input {position}"), e))?;
            unique(&mut names, &tensor.name)?;
            inputs.push(info);
        }
        let mut layers = layers(record)?;
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
        Ok(Graph { inputs, input_shapes, outputs, output_shapes, constants, definitions, symbols, layers })
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

fn layers(record: &EngineRecord) -> Result<Vec<LoadedLayer>> {
    let registry = Registry::global()?;
    let mut plugins = Vec::with_capacity(record.plugins.len());
    for plugin in &record.plugins {
        plugins.push(registry.get(&plugin.id, plugin.version)?);
    }
    let device = device(&record.device)?.kind();
    let layer = |layer: &LayerRecord| {
        let plugin = usize::try_from(layer.plugin).ok().and_then(|plugin| plugins.get(plugin)).copied();
        let plugin = plugin.ok_or_else(|| Error::invalid(format_args!("there is no plugin {}", layer.plugin)))?;
        let implementation = plugin.impl_for(device).ok_or_else(|| {
            Error::invalid(format_args!("`{}` has no impl for device `{device}` in this program", plugin.label()))
        })?;
        let values = attributes::load(&plugin.entry, implementation, &layer.attributes).map_err(Error::invalid)?;
        Ok(LoadedLayer {
            name: layer.name.as_str().into(),
            plugin,
            implementation,
            attributes: (plugin.entry.attributes_from_values)(&values)?.into(),
            values: values.into(),
            in_place: in_place(plugin, &layer.in_place)?,
            sizes: Vec::new(),
        })
    };
    let named = |record: &LayerRecord| layer(record).map_err(|e| within(format_args!("layer `{}`", record.name), e));
    record.layers.iter().map(named).collect()
}

fn in_place(plugin: &Plugin, record: &[u32]) -> Result<Vec<Option<usize>>> {
    let (inputs, outputs) = (plugin.entry.inputs.len(), plugin.entry.outputs);
    if record.len() != outputs {
        return Err(Error::invalid(format_args!(
            "`{}` has {outputs} outputs, but {} were saved",
            plugin.label(),
            record.len()
        )));
    }
    let over: Vec<Option<usize>> = record.iter().map(|&input| (input as usize).checked_sub(1)).collect();
    for (output, input) in over.iter().enumerate() {
        if input.is_some_and(|input| input >= inputs || over[..output].contains(&Some(input))) {
            return Err(Error::invalid(format_args!(
                "output {output} can't be updated in place over input {}: there are {inputs} inputs, each for one output",
                record[output] - 1
            )));
        }
    }
    Ok(over)
}
