//! From what a file says of one optimization profile to a plan.

use std::sync::Arc;

use super::graph::{Graph, LoadedLayer, LoadedWork, shape};
use super::kernels;
use super::records::{PlanRecord, SlotRecord, StepRecord, WorkspaceRecord};
use super::wire::{self};
use crate::device::cuda::AotSlots;
use crate::device::{Base, BindingRule, BindingUse, Region, StepLayout, StepMemory};
use crate::engine::plan::{AotPlugin, Plan, PlannedStep, PlannedWork};
use crate::error::{Error, Result};
use crate::network::{Bounds, LayerIndex};
use crate::plugin::Implementation;
use crate::shape::{Dims, Profile, ShapeExpr, SymbolKind, decode_exprs};
use crate::tensor::{DataType, Format, HostBytes, Representation};
use crate::wording::counted;

pub(super) fn plan(graph: &Graph, record: &PlanRecord) -> Result<Plan> {
    let profile = profile(graph, record)?;
    let rules = bindings(graph, record)?;
    let names: Vec<&str> = graph.inputs.iter().map(|input| &*input.name).collect();
    let layer = |layer: LayerIndex| {
        let layer = &graph.layers[layer.position()];
        (&*layer.name, layer.label.clone())
    };
    let bounds = Bounds::of_symbols(graph.definitions.iter(), &names, &layer, &profile)?;
    let known = graph.symbols.iter().map(|symbol| symbol.kind == SymbolKind::Dim).collect();
    let mut planner = Planner {
        graph,
        bounds: &bounds,
        rules: &rules,
        arena: usize::try_from(record.arena).map_err(|_| Error::invalid("its arena is larger than memory can be"))?,
        demand: 0,
        known,
        updated: vec![false; graph.inputs.len()],
        next_layer: 0,
    };
    let mut steps = Vec::with_capacity(record.steps.len());
    for (position, step) in record.steps.iter().enumerate() {
        let planned = planner.step(step).map_err(|e| {
            let layer = step.layer.and_then(|layer| graph.layers.get(layer as usize));
            let name = layer.map_or(&*step.name, |layer| &*layer.name);
            e.within(format_args!("step {position}, `{name}`"))
        })?;
        steps.push(planned);
    }
    planner.finish()?;
    let arena = planner.arena;
    Ok(Plan::of_steps(profile, steps, arena, rules, graph.output_shapes.clone()))
}

fn profile(graph: &Graph, record: &PlanRecord) -> Result<Profile> {
    let mut profile = Profile::new();
    for dims in &record.profile {
        let input = graph.inputs.get(dims.input as usize);
        let input = input.ok_or_else(|| Error::invalid(format_args!("it gives extents of input {}", dims.input)))?;
        profile = profile.dims(&*input.name, &dims.min, &dims.opt, &dims.max);
    }
    profile.validate(&graph.input_dims())?;
    Ok(profile)
}

fn bindings(graph: &Graph, record: &PlanRecord) -> Result<Vec<BindingRule>> {
    let (inputs, outputs) = (graph.inputs.len(), graph.outputs.len());
    if record.bindings.len() != inputs + outputs {
        return Err(Error::invalid(format_args!(
            "it says how {} inputs and outputs are bound, but there are {inputs} and {outputs}",
            record.bindings.len()
        )));
    }
    let (of_inputs, of_outputs) = record.bindings.split_at(inputs);
    let mut rules = Vec::with_capacity(inputs + outputs);
    for (input, &usage) in graph.inputs.iter().zip(of_inputs) {
        let usage = match usage {
            0 => BindingUse::Read,
            1 => BindingUse::Update,
            other => return Err(Error::invalid(format_args!("input `{}` can't be used as {other} says", input.name))),
        };
        rules.push(BindingRule { name: input.name.clone(), dtype: input.dtype, usage, bytes: 0 });
    }
    for (position, ((name, dtype), &usage)) in graph.outputs.iter().zip(of_outputs).enumerate() {
        let usage = match (usage as usize).checked_sub(1) {
            None => BindingUse::Write,
            Some(input) => {
                let updated = rules[..inputs].get(input).is_some_and(|rule| rule.usage == BindingUse::Update);
                let alike = updated
                    && graph.inputs[input].dtype == *dtype
                    && graph.input_shapes[input] == graph.output_shapes[position].extents;
                if !alike {
                    return Err(Error::invalid(format_args!(
                        "output `{name}` can't lie in the memory of input {input}: it isn't updated, or differs in type \
                         or shape"
                    )));
                }
                BindingUse::Aliases(input)
            }
        };
        rules.push(BindingRule { name: name.clone(), dtype: *dtype, usage, bytes: 0 });
    }
    Ok(rules)
}

struct Planner<'g> {
    graph: &'g Graph,
    bounds: &'g Bounds,
    rules: &'g [BindingRule],
    arena: usize,
    /// Bytes that all steps together ask of the arena.
    demand: usize,
    /// For each symbol, whether it has a value when the step runs.
    known: Vec<bool>,
    /// For each input, whether a step writes to it.
    updated: Vec<bool>,
    next_layer: usize,
}

/// A tensor of a step with its shape, at its largest.
struct Placed {
    name: Arc<str>,
    shape: Vec<ShapeExpr>,
    representation: Representation,
    dims: Dims,
    region: Region,
}

impl Planner<'_> {
    fn step(&mut self, record: &StepRecord) -> Result<PlannedStep> {
        match record.layer {
            Some(layer) => self.plugin(record, layer as usize),
            None => self.reformat(record),
        }
    }

    fn plugin(&mut self, record: &StepRecord, position: usize) -> Result<PlannedStep> {
        let graph = self.graph;
        let layer = graph.layers.get(position).filter(|_| position == self.next_layer).ok_or_else(|| {
            Error::invalid(format_args!("it runs layer {position}, but layer {} is next", self.next_layer))
        })?;
        self.next_layer += 1;
        let (inputs, outputs) = (layer.inputs.len(), layer.in_place.len());
        if (record.inputs.len(), record.outputs.len()) != (inputs, outputs) {
            return Err(Error::invalid(format_args!(
                "`{}` has {} and {}, but {} and {} were saved",
                layer.label,
                counted(inputs, "input"),
                counted(outputs, "output"),
                record.inputs.len(),
                record.outputs.len()
            )));
        }
        check_run(layer, record)?;
        let names = layer.inputs.iter().cloned();
        let inputs = self.inputs(record, names)?;
        for size in &layer.sizes {
            self.check_known([&size.upper_bound])?;
            self.known[size.symbol.position()] = true;
        }
        let outputs = self.outputs(record)?;
        for size in &layer.sizes {
            let Placed { representation: Representation { dtype, format, .. }, dims, .. } = &outputs[size.output];
            if !dims.is_empty() || !matches!(dtype, DataType::Int32 | DataType::Int64) {
                let layout = crate::tensor::laid_out(*dtype, dims, *format);
                return Err(Error::invalid(format_args!(
                    "output {} is {}, and can't be a size tensor: that is a scalar of INT32 or INT64",
                    size.output, layout
                )));
            }
        }
        let (workspace, region) = self.workspace(record.workspace.as_ref())?;
        let work = self.work(layer, record)?;
        let (memory, extents) = memory(inputs, outputs, &layer.in_place, region)?;
        PlannedStep::new(layer.name.clone(), work, memory, extents, workspace, layer.sizes.clone())
    }

    fn work(&self, layer: &LoadedLayer, record: &StepRecord) -> Result<PlannedWork> {
        match (&layer.work, &record.kernels) {
            (LoadedWork::Impl { implementation, bound }, _) => {
                Ok(PlannedWork::Impl { bound: bound.clone(), implementation, tactic: record.tactic })
            }
            (LoadedWork::Aot { id, version, device_shape }, Some(kernels)) => {
                let (inputs, outputs) = (layer.inputs.len(), layer.in_place.len());
                let (workspace, device_shape) = (record.workspace.is_some(), *device_shape);
                let slots = AotSlots { inputs, outputs, workspace, device_shape };
                let program = kernels::load(self.graph, kernels, slots, &|exprs| self.check_known(exprs))?;
                let tactic_name = kernels.tactic_name.clone();
                let (id, version, tactic) = (id.clone(), *version, record.tactic);
                let plugin = AotPlugin { id, version, tactic, tactic_name, device_shape };
                Ok(PlannedWork::Kernels { plugin, program: Arc::new(program) })
            }
            (LoadedWork::Aot { .. }, None) => Err(Error::invalid("its layer runs kernels, but none were saved")),
        }
    }

    fn reformat(&mut self, record: &StepRecord) -> Result<PlannedStep> {
        let inputs = self.inputs(record, [Arc::from(&*record.tensor)].into_iter())?;
        let outputs = self.outputs(record)?;
        let alike = match (&*inputs, &*outputs) {
            ([from], [to]) => from.shape == to.shape,
            _ => false,
        };
        if !alike || record.workspace.is_some() || record.kernels.is_some() {
            return Err(Error::invalid(
                "a conversion has one input and one output of one shape, and neither workspace nor kernels",
            ));
        }
        let (memory, extents) = memory(inputs, outputs, &[None], self.workspace(None)?.1)?;
        PlannedStep::new(record.name.as_str().into(), PlannedWork::Reformat, memory, extents, None, Vec::new())
    }

    fn inputs(&mut self, record: &StepRecord, names: impl Iterator<Item = Arc<str>>) -> Result<Vec<Placed>> {
        let input = |(slot, name): (&SlotRecord, Arc<str>)| {
            self.placed(slot, name.clone(), false).map_err(|e| e.within(format_args!("input `{name}`")))
        };
        record.inputs.iter().zip(names).map(input).collect()
    }

    fn outputs(&mut self, record: &StepRecord) -> Result<Vec<Placed>> {
        let output = |(position, slot): (usize, &SlotRecord)| {
            let name = format!("outputs[{position}]");
            self.placed(slot, name.as_str().into(), true).map_err(|e| e.within(name))
        };
        record.outputs.iter().enumerate().map(output).collect()
    }

    fn placed(&mut self, slot: &SlotRecord, name: Arc<str>, write: bool) -> Result<Placed> {
        let dtype = wire::dtype(slot.dtype).map_err(Error::invalid)?;
        let format = wire::format(slot.format).map_err(Error::invalid)?;
        if dtype == DataType::Int4 && format != Format::Linear {
            return Err(Error::invalid(format_args!("INT4 data is LINEAR, not {format}")));
        }
        let shape = shape(&slot.shape, &self.graph.symbols)?;
        self.check_known(&shape)?;
        let dims = self.bounds.max_dims(&shape)?;
        let representation = Representation::new(dtype, format);
        let region = self.region(slot, representation.bytes(&dims)?, write)?;
        Ok(Placed { name, shape, representation, dims, region })
    }

    fn region(&mut self, slot: &SlotRecord, len: usize, write: bool) -> Result<Region> {
        let index = slot.index as usize;
        match slot.base {
            0 => self.in_arena(slot.offset, len, write),
            1 => {
                let holds = self.graph.constants.get(index).map(|constant| constant.bytes().len());
                if write || slot.offset != 0 || holds.is_none_or(|holds| holds < len) {
                    let what = if write { "written" } else { "read" };
                    return Err(Error::invalid(format_args!(
                        "{len} bytes from {} of constant {index} can't be {what}",
                        slot.offset
                    )));
                }
                Ok(Region { base: Base::Constant(index), offset: 0, len })
            }
            2 => {
                let own = self.rules.get(index).is_some_and(|rule| !matches!(rule.usage, BindingUse::Aliases(_)));
                if !own || slot.offset != 0 {
                    return Err(Error::invalid(format_args!(
                        "binding {index} has no memory at {}: there are {}, inputs first, and some outputs lie in an \
                         input's",
                        slot.offset,
                        self.rules.len()
                    )));
                }
                if let Some(updated) = self.updated.get_mut(index) {
                    *updated |= write;
                }
                Ok(Region { base: Base::Binding(index), offset: 0, len })
            }
            other => Err(Error::invalid(format_args!("memory of kind {other} is unknown; 0 to 2 are"))),
        }
    }

    fn in_arena(&mut self, offset: u64, len: usize, write: bool) -> Result<Region> {
        let padded = len.checked_next_multiple_of(HostBytes::ALIGNMENT);
        let offset = usize::try_from(offset).ok().filter(|offset| offset.is_multiple_of(HostBytes::ALIGNMENT));
        let end = offset.and_then(|offset| offset.checked_add(padded?)).filter(|&end| end <= self.arena);
        let (Some(offset), Some(_), Some(padded)) = (offset, end, padded) else {
            return Err(Error::invalid(format_args!(
                "{len} bytes don't lie at a multiple of {} within the arena of {}",
                HostBytes::ALIGNMENT,
                self.arena
            )));
        };
        if write {
            self.demand = self.demand.saturating_add(padded);
        }
        Ok(Region { base: Base::Arena, offset, len })
    }

    fn workspace(&mut self, record: Option<&WorkspaceRecord>) -> Result<(Option<ShapeExpr>, Region)> {
        let Some(record) = record else { return Ok((None, Region { base: Base::Arena, offset: 0, len: 0 })) };
        let mut size = decode_exprs(&record.size, &self.graph.symbols)?;
        let (Some(size), true) = (size.pop(), size.is_empty()) else {
            return Err(Error::invalid("its workspace isn't one expression"));
        };
        self.check_known([&size])?;
        let most = usize::try_from(self.bounds.range(&size)?.max.max(0)).unwrap_or(usize::MAX);
        let region = self.in_arena(record.offset, most, true).map_err(|e| e.within("its workspace"))?;
        Ok((Some(size), region))
    }

    fn check_known<'e>(&self, exprs: impl IntoIterator<Item = &'e ShapeExpr>) -> Result<()> {
        for symbol in exprs.into_iter().flat_map(ShapeExpr::symbols) {
            if !self.known.get(symbol.index as usize).is_some_and(|known| *known) {
                return Err(Error::invalid(format_args!(
                    "`{}` is needed before a layer gives it a value",
                    symbol.name
                )));
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<()> {
        if self.next_layer != self.graph.layers.len() {
            return Err(Error::invalid(format_args!(
                "it runs {} of {} layers",
                self.next_layer,
                self.graph.layers.len()
            )));
        }
        if self.arena > self.demand {
            return Err(Error::invalid(format_args!(
                "its arena has {} bytes, but all that its steps write takes {}",
                self.arena, self.demand
            )));
        }
        for (rule, updated) in self.rules.iter().zip(&self.updated) {
            if (rule.usage == BindingUse::Update) != *updated {
                return Err(Error::invalid(format_args!(
                    "input `{}` is bound as {}, which isn't what its steps do",
                    rule.name,
                    if *updated { "read" } else { "updated in place" }
                )));
            }
        }
        Ok(())
    }
}

/// Whether a step asks of an impl what it has.
fn check_run(layer: &LoadedLayer, record: &StepRecord) -> Result<()> {
    let LoadedWork::Impl { implementation, .. } = &layer.work else { return Ok(()) };
    if record.kernels.is_some() {
        return Err(Error::invalid("its layer runs an impl, but kernels were saved"));
    }
    if let Some(reason) = Implementation::Impl(implementation).unknown_tactic(record.tactic) {
        return Err(Error::invalid(reason));
    }
    if record.workspace.is_some() != implementation.workspace.is_some() {
        let asks = if record.workspace.is_some() { "asks for no" } else { "asks for" };
        return Err(Error::invalid(format_args!(
            "the impl at {} {asks} workspace, which isn't what was saved: build the engine again with this impl",
            implementation.location
        )));
    }
    Ok(())
}

/// The memory of a step, and the extents of its inputs and outputs one after another.
fn memory(
    inputs: Vec<Placed>,
    outputs: Vec<Placed>,
    in_place: &[Option<usize>],
    workspace: Region,
) -> Result<(StepMemory, Vec<ShapeExpr>)> {
    for (output, over) in in_place.iter().enumerate() {
        let (Some(input), Some(placed)) = (over.and_then(|input| inputs.get(input)), outputs.get(output)) else {
            continue;
        };
        if input.shape != placed.shape {
            return Err(Error::invalid(format_args!(
                "outputs[{output}] is updated in place over `{}`, but differs from it in memory, type, layout or shape",
                input.name
            )));
        }
    }
    let extents = inputs.iter().chain(&outputs).flat_map(|placed| placed.shape.iter().cloned()).collect();
    let mut layout = StepLayout::new(in_place);
    for Placed { name, representation, dims, region, .. } in inputs {
        layout.input(name, representation, dims, region);
    }
    for Placed { representation, dims, region, .. } in outputs {
        layout.output(representation, dims, region);
    }
    Ok((layout.finish(workspace)?, extents))
}
