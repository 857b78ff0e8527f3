//! From an engine to what its file says.

use std::collections::HashMap;
use std::sync::Arc;

use super::images::Images;
use super::records::*;
use super::wire::{count, dtype_code, format_code, index_or_0};
use super::{attributes, kernels, runtime_kernels};
use crate::device::{Base, BindingUse, PlacedTensor, Region};
use crate::engine::EngineInner;
use crate::engine::plan::{AotPlugin, Plan, PlannedStep, PlannedWork};
use crate::error::{Error, LayerContext, Result};
use crate::network::{SymbolDef, SymbolSource};
use crate::plugin::Registry;
use crate::shape::{ShapeExpr, encode_exprs};

pub(super) fn graph(engine: &EngineInner) -> Result<EngineRecord> {
    let input = |input: &crate::engine::InputInfo| TensorRecord {
        name: input.name.to_string(),
        dtype: dtype_code(input.dtype),
        dims: input.dims.to_vec(),
    };
    let constants = engine.constants.iter().map(|constant| TensorRecord {
        name: String::new(),
        dtype: dtype_code(constant.dtype()),
        dims: constant.shape().to_vec(),
    });
    let images = Images::of(engine);
    let (image_records, modules) = images.records()?;
    let mut layers = Layers::default();
    let first = engine.plans.first().ok_or_else(|| Error::invalid("it has no optimization profile"))?;
    for step in &first.steps {
        layers.add(step).map_err(|e| e.in_layer(LayerContext::new(&step.name, &step.label)))?;
    }
    let outputs = engine.outputs.iter().zip(&*first.outputs).map(|((name, dtype), shape)| {
        Ok(OutputRecord { name: name.to_string(), dtype: dtype_code(*dtype), shape: encode_exprs(&shape.extents)? })
    });
    Ok(EngineRecord {
        device: engine.device.kind().name().into(),
        inputs: engine.inputs.iter().map(input).collect(),
        outputs: outputs.collect::<Result<_>>()?,
        constants: constants.collect(),
        symbols: engine.symbols.iter().map(symbol).collect::<Result<_>>()?,
        plans: engine.plans.iter().map(|p| plan(engine, &images, &layers.records, p)).collect::<Result<_>>()?,
        plugins: layers.plugins,
        layers: layers.records,
        images: image_records,
        modules,
        runtime: runtime_kernels::save(&engine.runtime_kernels, &images)?,
    })
}

/// The layers in the order in which they run, and the plugins in that of their first use.
#[derive(Default)]
struct Layers {
    plugins: Vec<PluginRecord>,
    positions: HashMap<PluginRecord, u32>,
    records: Vec<LayerRecord>,
}

impl Layers {
    fn add(&mut self, step: &PlannedStep) -> Result<()> {
        let mut aot = None;
        let (plugin, attributes) = match &step.work {
            PlannedWork::Reformat => return Ok(()),
            PlannedWork::Impl { implementation, bound, .. } => {
                let entry = &Registry::global()?.get(implementation.id, implementation.version)?.entry;
                let attributes = attributes::save(entry, implementation, bound.values()).map_err(Error::invalid)?;
                (PluginRecord { id: entry.id.into(), version: entry.version }, attributes)
            }
            PlannedWork::Kernels { plugin, .. } => {
                let inputs = step.memory.inputs().iter().map(|input| input.tensor.info.name.to_string());
                aot = Some(AotLayerRecord { inputs: inputs.collect(), device_shape: plugin.device_shape });
                (PluginRecord { id: plugin.id.to_string(), version: plugin.version }, Vec::new())
            }
        };
        let plugin = match self.positions.get(&plugin) {
            Some(&position) => position,
            None => {
                let position = count(self.plugins.len())?;
                self.plugins.push(plugin.clone());
                self.positions.insert(plugin, position);
                position
            }
        };
        let over = |output: usize| step.memory.inputs().iter().position(|input| input.in_place == Some(output));
        let in_place = (0..step.memory.outputs().len()).map(|output| index_or_0(over(output)));
        self.records.push(LayerRecord {
            name: step.name.to_string(),
            plugin,
            attributes,
            in_place: in_place.collect::<Result<_>>()?,
            aot,
        });
        Ok(())
    }
}

fn symbol(def: &SymbolDef) -> Result<SymbolRecord> {
    let name = def.symbol.name.to_string();
    match &def.source {
        SymbolSource::Dim(places) => {
            let place = |&(input, axis): &(usize, usize)| Ok(PlaceRecord { input: count(input)?, axis: count(axis)? });
            Ok(SymbolRecord { name, places: places.iter().map(place).collect::<Result<_>>()?, size: None })
        }
        SymbolSource::Size { layer, output, opt, upper_bound } => {
            let (layer, output) = (count(layer.position())?, count(*output)?);
            let size =
                SizeRecord { layer, output, opt: encode_exprs([opt])?, upper_bound: encode_exprs([upper_bound])? };
            Ok(SymbolRecord { name, places: Vec::new(), size: Some(size) })
        }
    }
}

fn plan(engine: &EngineInner, images: &Images<'_>, layers: &[LayerRecord], plan: &Plan) -> Result<PlanRecord> {
    let inputs: HashMap<&str, usize> = engine.inputs.iter().enumerate().map(|(i, input)| (&*input.name, i)).collect();
    let profile = plan.profile.iter().map(|(name, dims)| {
        let input =
            inputs.get(name).ok_or_else(|| Error::invalid(format_args!("its profile names no input `{name}`")))?;
        let [min, opt, max] = [dims.min, dims.opt, dims.max].map(|dims| dims.to_vec());
        Ok(ProfileRecord { input: count(*input)?, min, opt, max })
    });
    let bindings = plan.bindings.iter().map(|rule| match rule.usage {
        BindingUse::Read | BindingUse::Write => Ok(0),
        BindingUse::Update => Ok(1),
        BindingUse::Aliases(input) => index_or_0(Some(input)),
    });
    let mut steps = Vec::with_capacity(plan.steps.len());
    let mut next_layer = 0;
    for planned in &plan.steps {
        let layer = match planned.work {
            PlannedWork::Reformat => None,
            PlannedWork::Impl { .. } | PlannedWork::Kernels { .. } => {
                check_layer(engine, layers, planned, next_layer)?;
                next_layer += 1;
                Some(count(next_layer - 1)?)
            }
        };
        steps.push(
            step(planned, layer, images).map_err(|e| e.in_layer(LayerContext::new(&planned.name, &planned.label)))?,
        );
    }
    Ok(PlanRecord {
        profile: profile.collect::<Result<_>>()?,
        steps,
        arena: plan.arena as u64,
        bindings: bindings.collect::<Result<_>>()?,
    })
}

/// Layers run in one order in all plans, and a size tensor belongs to the layer of that number.
fn check_layer(engine: &EngineInner, layers: &[LayerRecord], step: &PlannedStep, position: usize) -> Result<()> {
    let same = layers.get(position).is_some_and(|layer| layer.name == *step.name);
    let of_layer = |symbol: usize| {
        let source = engine.symbols.get(symbol).map(|def| &def.source);
        matches!(source, Some(SymbolSource::Size { layer, .. }) if layer.position() == position)
    };
    if same && step.sizes.iter().all(|size| of_layer(size.symbol.position())) {
        return Ok(());
    }
    Err(Error::invalid("it runs in another order than the network's")
        .in_layer(LayerContext::new(&step.name, &step.label)))
}

fn step(step: &PlannedStep, layer: Option<u32>, images: &Images<'_>) -> Result<StepRecord> {
    let memory = &step.memory;
    let mut extents = &step.extents[..];
    let inputs = memory.inputs().iter().map(|input| slot(&input.tensor, &mut extents)).collect::<Result<_>>()?;
    let outputs = memory.outputs().iter().map(|output| slot(output, &mut extents)).collect::<Result<_>>()?;
    let workspace = match extents {
        [size] => Some(WorkspaceRecord { offset: memory.workspace().offset as u64, size: encode_exprs([size])? }),
        _ => None,
    };
    let inserted =
        |text: Option<&Arc<str>>| text.filter(|_| layer.is_none()).map_or_else(String::new, |t| t.to_string());
    Ok(StepRecord {
        layer,
        tactic: match step.work {
            PlannedWork::Impl { tactic, .. } | PlannedWork::Kernels { plugin: AotPlugin { tactic, .. }, .. } => tactic,
            PlannedWork::Reformat => 0,
        },
        kernels: match &step.work {
            PlannedWork::Kernels { plugin, program } => Some(kernels::save(plugin, program, images)?),
            PlannedWork::Impl { .. } | PlannedWork::Reformat => None,
        },
        inputs,
        outputs,
        workspace,
        name: inserted(Some(&step.name)),
        tensor: inserted(memory.inputs().first().map(|input| &input.tensor.info.name)),
    })
}

/// Takes the tensor's extents off the front of the step's.
fn slot(tensor: &PlacedTensor, extents: &mut &[ShapeExpr]) -> Result<SlotRecord> {
    let Some((shape, rest)) = extents.split_at_checked(tensor.info.dims.len()) else {
        return Err(Error::invalid("it has fewer extents than its tensors have dimensions"));
    };
    *extents = rest;
    let Region { base, offset, .. } = tensor.region;
    let (base, index) = match base {
        Base::Arena => (0, 0),
        Base::Constant(index) => (1, index),
        Base::Binding(index) => (2, index),
    };
    Ok(SlotRecord {
        dtype: dtype_code(tensor.info.dtype),
        format: format_code(tensor.info.format),
        shape: encode_exprs(shape)?,
        base,
        index: count(index)?,
        offset: offset as u64,
    })
}
