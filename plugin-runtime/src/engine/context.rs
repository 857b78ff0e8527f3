//! Running an engine.

use std::cell::Cell;
use std::sync::Arc;

use super::EngineInner;
use super::plan::{OutputShape, PlannedStep, Run};
use crate::device::cpu::reformat::reformat;
use crate::device::{
    Active, AotRun, Binding, BindingRule, BindingUse, Frame, FrameSize, Invocation, Slot, StepMemory, StepViews, Stream,
};
use crate::error::{Error, LayerError, Result};
use crate::network::SymbolSource;
use crate::network::{checked_dims, largest_dims, range};
use crate::plugin::guarded;
use crate::shape::{Dims, Interval, ProfileDims, ShapeProgram};
use crate::tactic::check_size;
use crate::tensor::{HostTensor, Representation};

/// Runs an engine: holds its intermediate memory and its present shapes. One thread uses a context at a time; several
/// contexts of one engine run side by side.
#[derive(Debug)]
pub struct ExecutionContext {
    engine: Arc<EngineInner>,
    profile: usize,
    input_dims: Vec<Option<Dims>>,
    /// Whether shapes were set since what follows from them was computed.
    stale: bool,
    state: State,
    bindings: Vec<BindingRule>,
    output_dims: Vec<Dims>,
    /// The largest extents that each output can have at the present shapes.
    output_capacity: Vec<Dims>,
    frame: Frame,
}

/// What follows from the shapes, and room to compute it without allocating.
#[derive(Debug)]
struct State {
    memories: Vec<StepMemory>,
    /// The kernels of the steps that run those that lie in the engine.
    kernels: Vec<Option<AotRun>>,
    symbols: Vec<i64>,
    upper_bounds: Vec<i64>,
    extents: Vec<i64>,
    scratch: Vec<i64>,
}

impl ExecutionContext {
    pub(super) fn new(engine: Arc<EngineInner>, profile: usize) -> Result<Self> {
        let Some(plan) = engine.plans.get(profile) else {
            return Err(Error::invalid(format_args!(
                "the engine has no optimization profile {profile}; it has {}, counted from 0",
                engine.plans.len()
            )));
        };
        let symbols = vec![0; engine.symbols.len()];
        let kernels = |step: &PlannedStep| {
            let run = step.kernels().map(|program| AotRun::new(program, &engine.device)).transpose();
            run.map_err(|e| in_step(step, None, e))
        };
        let state = State {
            kernels: plan.steps.iter().map(kernels).collect::<Result<_>>()?,
            memories: plan.steps.iter().map(|s| s.memory.clone()).collect(),
            upper_bounds: symbols.clone(),
            symbols,
            extents: vec![0; plan.most_extents],
            scratch: vec![0; plan.most_scratch],
        };
        Ok(ExecutionContext {
            profile,
            input_dims: engine.inputs.iter().map(|i| (!i.dims.contains(&-1)).then_some(i.dims)).collect(),
            stale: true,
            state,
            bindings: plan.bindings.clone(),
            output_dims: vec![Dims::SCALAR; plan.outputs.len()],
            output_capacity: vec![Dims::SCALAR; plan.outputs.len()],
            frame: Frame::new(
                &engine.device,
                &FrameSize { arena: plan.arena, extents: 0, bindings: plan.bindings.len() },
                engine.constants.clone(),
                None,
            )?,
            engine,
        })
    }

    /// Sets the extents of an input for the runs that follow.
    ///
    /// # Errors
    /// When there is no such input, or the extents aren't within the optimization profile.
    pub fn set_input_shape(&mut self, name: &str, dims: &[i64]) -> Result<()> {
        let position = self.engine.input(name)?;
        let input = &self.engine.inputs[position];
        let profile = self.engine.plans[self.profile].profile.get(name);
        let fits = check_extents(&input.dims, profile, dims)
            .map_err(|problem| Error::invalid(format_args!("input `{name}` can't be {dims:?}: {problem}")))?;
        if self.input_dims[position] != Some(fits) {
            self.input_dims[position] = Some(fits);
            self.stale = true;
        }
        Ok(())
    }

    /// The extents of an output: the true ones of the last run. Where they depend on the data and nothing ran yet at the
    /// present shapes, the largest that are possible.
    ///
    /// # Errors
    /// When there is no such output, or not all input shapes are set.
    pub fn output_shape(&mut self, name: &str) -> Result<Dims> {
        let position = self.engine.output(name)?;
        self.prepare()?;
        Ok(self.output_dims[position])
    }

    /// Runs the engine: one binding for each input, then for each output, in the engine's order. On the CPU the work is
    /// done when this returns; after the first run with a shape it allocates nothing.
    ///
    /// # Errors
    /// When a binding is of the wrong kind, type or size, an input's shape isn't set, or a plugin fails: the error names
    /// layer, plugin, tactic and shapes. The context can be used again.
    pub fn enqueue(&mut self, bindings: &mut [Binding<'_>], stream: &Stream) -> Result<()> {
        self.prepare()?;
        let plan = &self.engine.plans[self.profile];
        let mut active = self.frame.activate(bindings, &self.bindings)?;
        let current = Cell::new(0);
        let state = &mut self.state;
        let ran = guarded(|| {
            for (position, step) in plan.steps.iter().enumerate() {
                current.set(position);
                state.run(position, step, &mut active, stream)?;
            }
            Ok(())
        });
        if let Err(error) = ran {
            let position = current.get();
            // What the failed run left in the symbols is of no use.
            self.stale = true;
            return Err(in_step(&plan.steps[position], Some(&self.state.memories[position]), error));
        }
        for (output, dims) in plan.outputs.iter().zip(&mut self.output_dims) {
            if output.data_dependent {
                *dims = self.state.output_dims(output)?;
            }
        }
        Ok(())
    }

    /// Runs the engine on tensors by name, and returns every output at its true extents.
    ///
    /// # Errors
    /// When an input is missing, unknown, of another type, or as [`ExecutionContext::set_input_shape`] and
    /// [`ExecutionContext::enqueue`].
    pub fn run(&mut self, inputs: &[(&str, &HostTensor)]) -> Result<Vec<(String, HostTensor)>> {
        let engine = self.engine.clone();
        let mut given: Vec<Option<&HostTensor>> = vec![None; engine.inputs.len()];
        for (name, tensor) in inputs {
            let position = engine.input(name)?;
            let input = &engine.inputs[position];
            if tensor.dtype() != input.dtype {
                return Err(Error::invalid(format_args!(
                    "input `{name}` is {}, but {} was given",
                    input.dtype,
                    tensor.dtype()
                )));
            }
            if given[position].replace(tensor).is_some() {
                return Err(Error::invalid(format_args!("input `{name}` was given twice")));
            }
            self.set_input_shape(name, tensor.dims())?;
        }
        let missing = engine.inputs.iter().zip(&given).find(|(_, tensor)| tensor.is_none());
        if let Some((input, _)) = missing {
            return Err(Error::invalid(format_args!("input `{}` is missing", input.name)));
        }
        self.prepare()?;
        self.run_given(&given.into_iter().flatten().collect::<Vec<_>>())
    }

    fn run_given(&mut self, given: &[&HostTensor]) -> Result<Vec<(String, HostTensor)>> {
        let (inputs, outputs) = self.bindings.split_at(given.len());
        let mut updated = Vec::new();
        for (rule, tensor) in inputs.iter().zip(given) {
            updated.push((rule.usage == BindingUse::Update).then(|| (*tensor).clone()));
        }
        let mut fresh = Vec::new();
        for (rule, dims) in outputs.iter().zip(&self.output_capacity) {
            let owned = !matches!(rule.usage, BindingUse::Aliases(_));
            fresh.push(owned.then(|| HostTensor::zeros(rule.dtype, dims)).transpose()?);
        }
        let rules = self.bindings.clone();
        let stream = self.engine.device.create_stream()?;
        let mut bindings = Vec::with_capacity(rules.len());
        for (tensor, updated) in given.iter().zip(&mut updated) {
            bindings.push(match updated {
                Some(copy) => Binding::in_place_bytes(copy.bytes_mut()),
                None => Binding::input_tensor(tensor),
            });
        }
        for tensor in &mut fresh {
            bindings.push(tensor.as_mut().map_or_else(Binding::aliased, |t| Binding::output_bytes(t.bytes_mut())));
        }
        self.enqueue(&mut bindings, &stream)?;
        drop(bindings);
        let mut results = Vec::with_capacity(fresh.len());
        for ((rule, tensor), dims) in rules[given.len()..].iter().zip(fresh).zip(&self.output_dims) {
            let tensor = match (tensor, rule.usage) {
                (Some(tensor), _) => tensor.truncated(*dims)?,
                (None, BindingUse::Aliases(input)) => updated
                    .get(input)
                    .cloned()
                    .flatten()
                    .ok_or_else(|| Error::invalid(format_args!("output `{}` has no memory", rule.name)))?,
                (None, _) => return Err(Error::invalid(format_args!("output `{}` has no memory", rule.name))),
            };
            results.push((rule.name.to_string(), tensor));
        }
        Ok(results)
    }

    /// Computes all that follows from the shapes, if they changed.
    fn prepare(&mut self) -> Result<()> {
        if !self.stale {
            return Ok(());
        }
        let plan = &self.engine.plans[self.profile];
        self.state.set_dims(&self.engine, &self.input_dims)?;
        let mut ranges: Vec<Interval> = self.state.symbols.iter().copied().map(Interval::exactly).collect();
        for (position, step) in plan.steps.iter().enumerate() {
            for size in &step.sizes {
                let max = range(&size.upper_bound, &ranges).map_err(|e| in_step(step, None, e))?.max;
                ranges[size.symbol] = Interval { min: 0, max: max.max(0) };
            }
            if !step.data_dependent {
                self.state.resize(position, step).map_err(|e| in_step(step, None, e))?;
            }
        }
        for (position, output) in plan.outputs.iter().enumerate() {
            let dims = match output.data_dependent {
                false => self.state.output_dims(output),
                true => largest_dims(&output.extents, &ranges),
            };
            let name = &self.engine.outputs[position].0;
            let dims = dims.map_err(|e| Error::invalid(format_args!("output `{name}`: {e}")))?;
            self.output_capacity[position] = dims;
            self.output_dims[position] = dims;
        }
        let dims = self.input_dims.iter().map(|d| d.unwrap_or_default()).chain(self.output_capacity.iter().copied());
        for (rule, dims) in self.bindings.iter_mut().zip(dims) {
            rule.bytes = match rule.usage {
                BindingUse::Aliases(_) => 0,
                _ => Representation::linear(rule.dtype).bytes(&dims)?,
            };
        }
        self.stale = false;
        Ok(())
    }
}

/// Extents that fit an input, or what is wrong with them.
fn check_extents(input: &Dims, profile: Option<&ProfileDims>, given: &[i64]) -> Result<Dims, String> {
    if given.len() != input.len() {
        return Err(format!("it has {} dimensions, {input}", input.len()));
    }
    for (axis, (&extent, &fixed)) in given.iter().zip(input.iter()).enumerate() {
        if fixed >= 0 && extent != fixed {
            return Err(format!("dimension {axis} is {fixed}"));
        }
        let range = profile.and_then(|p| Some((*p.min.get(axis)?, *p.max.get(axis)?)));
        if let (-1, Some((min, max))) = (fixed, range)
            && !(min..=max).contains(&extent)
        {
            return Err(format!("dimension {axis} is {extent}, outside its optimization profile of {min} to {max}"));
        }
        if extent < 0 {
            return Err(format!("dimension {axis} is negative"));
        }
    }
    Dims::new(given).ok_or_else(|| "it has too many dimensions".into())
}

impl State {
    fn set_dims(&mut self, engine: &EngineInner, inputs: &[Option<Dims>]) -> Result<()> {
        for (symbol, def) in self.symbols.iter_mut().zip(&engine.symbols) {
            let SymbolSource::Dim(places) = &def.source else { continue };
            let mut first: Option<(usize, i64)> = None;
            for &(input, axis) in places {
                let name = &engine.inputs[input].name;
                let Some(extent) = inputs[input].and_then(|d| d.get(axis).copied()) else {
                    return Err(Error::invalid(format_args!(
                        "input `{name}` has dynamic dimensions: set them with set_input_shape"
                    )));
                };
                match first {
                    Some((other, expected)) if expected != extent => {
                        return Err(Error::invalid(format_args!(
                            "dimension {axis} of input `{name}` is {extent}, but the same dimension of input `{}` is {expected}",
                            engine.inputs[other].name
                        )));
                    }
                    _ => first = Some((input, extent)),
                }
            }
            *symbol = first.map_or(0, |(_, extent)| extent);
        }
        Ok(())
    }

    /// Puts a step's own size tensors to their upper bounds, and its tensors to the extents that follow.
    fn resize(&mut self, position: usize, step: &PlannedStep) -> Result<()> {
        for size in &step.sizes {
            let mut upper = [0];
            size.program.evaluate(&self.symbols, &mut self.scratch, &mut upper)?;
            if upper[0] < 0 {
                return Err(Error::invalid(format_args!(
                    "the upper bound of size tensor {} would be {}",
                    size.output, upper[0]
                )));
            }
            self.symbols[size.symbol] = upper[0];
            self.upper_bounds[size.symbol] = upper[0];
        }
        self.evaluate(&step.program)?;
        let memory = &mut self.memories[position];
        let (inputs, outputs) = (memory.inputs().len(), memory.outputs().len());
        let mut at = 0;
        for slot in (0..inputs).map(Slot::Input).chain((0..outputs).map(Slot::Output)) {
            let Some(info) = memory.info(slot) else { continue };
            let (rank, representation) = (info.dims.len(), info.representation());
            let exprs = &step.extents[at..at + rank];
            let dims = checked_dims(&self.extents[at..at + rank], |axis| exprs[axis].to_string())?;
            memory.resize(slot, dims, representation.bytes(&dims)?)?;
            at += rank;
        }
        if step.has_workspace {
            let bytes = self.extents[at];
            let bytes = usize::try_from(bytes).map_err(|_| {
                Error::plugin(format_args!("its workspace, {}, would be {bytes} bytes", step.extents[at]))
            })?;
            memory.resize_workspace(bytes)?;
        }
        if let Some(program) = step.kernels() {
            self.evaluate(&program.program)?;
        }
        if let (Some(program), Some(run)) = (step.kernels(), &mut self.kernels[position]) {
            run.set(&self.extents[..program.exprs.len()])?;
        }
        Ok(())
    }

    fn run(&mut self, position: usize, step: &PlannedStep, active: &mut Active<'_>, stream: &Stream) -> Result<()> {
        if step.data_dependent {
            self.resize(position, step)?;
        }
        let memory = &self.memories[position];
        for size in &step.sizes {
            active.clear_size(&memory.outputs()[size.output], stream)?;
        }
        let views = active.step(memory);
        match &step.run {
            Run::Reformat => run_reformat(views)?,
            Run::Plugin { implementation, attributes, tactic, .. } => {
                (implementation.run)(&mut Invocation::new(views, &**attributes, stream, *tactic))?;
            }
            Run::Aot { .. } => {
                if let Some(run) = &mut self.kernels[position] {
                    run.launch(&views, stream)?;
                }
            }
        }
        for size in &step.sizes {
            let found = active.read_size(&memory.outputs()[size.output], stream)?;
            check_size(size.output, found, self.upper_bounds[size.symbol])?;
            self.symbols[size.symbol] = found;
        }
        Ok(())
    }

    fn evaluate(&mut self, program: &ShapeProgram) -> Result<()> {
        let scratch = &mut self.scratch[..program.scratch_len()];
        Ok(program.evaluate(&self.symbols, scratch, &mut self.extents[..program.output_len()])?)
    }

    fn output_dims(&mut self, output: &OutputShape) -> Result<Dims> {
        self.evaluate(&output.program)?;
        checked_dims(&self.extents[..output.extents.len()], |axis| output.extents[axis].to_string())
    }
}

fn run_reformat(mut views: StepViews<'_>) -> Result<()> {
    let source = views.input(0)?;
    let [target] = views.outputs()?;
    let (from, to) = (source.info(), target.info());
    reformat(from.representation(), source.bytes()?, to.representation(), target.into_bytes()?, &from.dims)
}

#[cold]
fn in_step(step: &PlannedStep, memory: Option<&StepMemory>, source: Error) -> Error {
    Error::Layer(Box::new(LayerError {
        layer: step.name.to_string(),
        plugin: step.label.clone(),
        tactic: step.tactic.clone(),
        shapes: memory.map(StepMemory::describe),
        source,
    }))
}
