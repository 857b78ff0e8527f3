//! A context's steps at its present shapes: extents, memory, launch dimensions.

use std::ops::Range;

use crate::device::{Active, Slot, StepMemory, Stream};

use crate::engine::EngineInner;
use crate::engine::plan::{OutputShape, OwnSize, Plan, PlannedStep};
use crate::error::{Error, LayerContext, Result};
use crate::network::data_dependent;
use crate::network::{SymbolSource, checked_dims, largest_dims, range};
use crate::plugin::{Work, check_size};
use crate::shape::{Dims, Interval, ShapeProgram};

/// The steps at the present shapes, with room to compute extents without allocating.
#[derive(Debug)]
pub(super) struct State {
    pub(super) memories: Vec<StepMemory>,
    /// The work of each step.
    works: Vec<Work>,
    pub(super) symbols: Vec<i64>,
    pub(super) upper_bounds: Vec<i64>,
    extents: Vec<i64>,
    scratch: Vec<i64>,
    /// Whether size tensors stay on the device: then tensors that depend on them have their largest extents.
    deferred: bool,
}

impl State {
    /// # Errors
    /// When kernels that lie in the engine can't be loaded.
    pub(super) fn new(engine: &EngineInner, plan: &Plan) -> Result<Self> {
        let symbols = vec![0; engine.symbols.len()];
        let work = |step: &PlannedStep| step.work.prepare(&engine.device).map_err(|e| in_step(step, None, e));
        Ok(State {
            works: plan.steps.iter().map(work).collect::<Result<_>>()?,
            memories: plan.steps.iter().map(|s| s.memory.clone()).collect(),
            upper_bounds: symbols.clone(),
            symbols,
            extents: vec![0; plan.most_extents],
            scratch: vec![0; plan.most_scratch],
            deferred: engine.device.gpu().is_some(),
        })
    }

    /// Resizes all steps to the inputs' extents, and tensors that depend on data to their largest. Returns the symbols'
    /// ranges.
    pub(super) fn prepare(
        &mut self,
        engine: &EngineInner,
        plan: &Plan,
        inputs: &[Option<Dims>],
    ) -> Result<Vec<Interval>> {
        self.set_dims(engine, inputs)?;
        let mut ranges: Vec<Interval> = self.symbols.iter().copied().map(Interval::exactly).collect();
        for (position, step) in plan.steps.iter().enumerate() {
            for size in &step.sizes {
                let max = range(&size.upper_bound, &ranges).map_err(|e| in_step(step, None, e))?.max;
                ranges[size.symbol.position()] = Interval { min: 0, max: max.max(0) };
            }
            let resized = match (step.data_dependent, self.deferred) {
                (false, _) => self.resize(position, step),
                (true, true) => self.resize_to_largest(position, step, &ranges),
                (true, false) => Ok(()),
            };
            resized.map_err(|e| in_step(step, None, e))?;
        }
        Ok(ranges)
    }

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

    /// Sets a step's own size tensors to their upper bounds, then resizes its tensors by these and the symbols' present
    /// values.
    pub(super) fn resize(&mut self, position: usize, step: &PlannedStep) -> Result<()> {
        for size in &step.sizes {
            let mut upper = [0];
            size.program.evaluate(&self.symbols, &mut self.scratch, &mut upper)?;
            self.bound(size, upper[0])?;
        }
        self.evaluate(&step.program)?;
        let extents = &self.extents;
        let dims = |part: Range<usize>| {
            let exprs = &step.extents[part.clone()];
            checked_dims(&extents[part], |axis| exprs[axis].to_string())
        };
        fit(&mut self.memories[position], step, dims, |at| Ok(extents[at]))?;
        self.set_kernels(position, step, &[])
    }

    /// As [`State::resize`], where the extents depend on what only the device knows.
    fn resize_to_largest(&mut self, position: usize, step: &PlannedStep, ranges: &[Interval]) -> Result<()> {
        for size in &step.sizes {
            self.bound(size, ranges[size.symbol.position()].max)?;
        }
        let dims = |part: Range<usize>| largest_dims(&step.extents[part], ranges);
        fit(&mut self.memories[position], step, dims, |at| Ok(range(&step.extents[at], ranges)?.max))?;
        // Launch dimensions that are possible at the true extents may be impossible at the largest.
        if step.waits() { Ok(()) } else { self.set_kernels(position, step, ranges) }
    }

    /// Computes launch dimensions and scalars of AOT kernels; with ranges, the largest value of each that depends on
    /// data.
    fn set_kernels(&mut self, position: usize, step: &PlannedStep, ranges: &[Interval]) -> Result<()> {
        let Some(program) = step.kernels() else { return Ok(()) };
        self.evaluate(&program.program)?;
        if !ranges.is_empty() {
            for (value, expr) in self.extents.iter_mut().zip(&program.exprs).filter(|(_, expr)| data_dependent(expr)) {
                *value = range(expr, ranges)?.max;
            }
        }
        match &mut self.works[position] {
            Work::Kernels(kernels) => kernels.set(&self.extents[..program.exprs.len()]),
            Work::Impl { .. } | Work::Reformat => Ok(()),
        }
    }

    fn bound(&mut self, size: &OwnSize, upper: i64) -> Result<()> {
        if upper < 0 {
            return Err(Error::invalid(format_args!(
                "the upper bound of size tensor {} would be {upper}",
                size.output
            )));
        }
        self.symbols[size.symbol.position()] = upper;
        self.upper_bounds[size.symbol.position()] = upper;
        Ok(())
    }

    /// Runs a step on the CPU, or enqueues it.
    #[inline]
    pub(super) fn run(
        &mut self,
        position: usize,
        step: &PlannedStep,
        active: &mut Active<'_>,
        stream: &Stream,
    ) -> Result<()> {
        if step.data_dependent && !self.deferred {
            self.resize(position, step)?;
        }
        let memory = &self.memories[position];
        if self.deferred || step.sizes.is_empty() {
            return self.works[position].run(active, memory, stream);
        }
        for size in &step.sizes {
            active.clear_size(&memory.outputs()[size.output], stream)?;
        }
        self.works[position].run(active, memory, stream)?;
        for size in &step.sizes {
            let found = active.read_size(&memory.outputs()[size.output], stream)?;
            check_size(size.output, found, self.upper_bounds[size.symbol.position()])?;
            self.symbols[size.symbol.position()] = found;
        }
        Ok(())
    }

    /// Enqueues all steps, none of which has size tensors or waits for some.
    ///
    /// # Errors
    /// With the position of the step.
    #[inline]
    pub(super) fn run_plain(&mut self, active: &mut Active<'_>, stream: &Stream) -> Result<(), (usize, Error)> {
        for (position, (work, memory)) in self.works.iter_mut().zip(&self.memories).enumerate() {
            work.run(active, memory, stream).map_err(|error| (position, error))?;
        }
        Ok(())
    }

    fn evaluate(&mut self, program: &ShapeProgram) -> Result<()> {
        let scratch = &mut self.scratch[..program.scratch_len()];
        Ok(program.evaluate(&self.symbols, scratch, &mut self.extents[..program.output_len()])?)
    }

    pub(super) fn output_dims(&mut self, output: &OutputShape) -> Result<Dims> {
        self.evaluate(&output.program)?;
        checked_dims(&self.extents[..output.extents.len()], |axis| output.extents[axis].to_string())
    }
}

/// Resizes a step's tensors and workspace; `dims` and `workspace` give values by position among its expressions.
fn fit(
    memory: &mut StepMemory,
    step: &PlannedStep,
    dims: impl Fn(Range<usize>) -> Result<Dims>,
    workspace: impl FnOnce(usize) -> Result<i64>,
) -> Result<()> {
    let (inputs, outputs) = (memory.inputs().len(), memory.outputs().len());
    let mut at = 0;
    for slot in (0..inputs).map(Slot::Input).chain((0..outputs).map(Slot::Output)) {
        let Some(info) = memory.info(slot) else { continue };
        let (rank, representation) = (info.dims.len(), info.representation());
        let dims = dims(at..at + rank)?;
        memory.resize(slot, dims, representation.bytes(&dims)?)?;
        at += rank;
    }
    if !step.has_workspace {
        return Ok(());
    }
    let bytes = workspace(at)?;
    let bytes = usize::try_from(bytes)
        .map_err(|_| Error::plugin(format_args!("its workspace, {}, would be {bytes} bytes", step.extents[at])))?;
    memory.resize_workspace(bytes)
}

#[cold]
pub(super) fn in_step(step: &PlannedStep, memory: Option<&StepMemory>, source: Error) -> Error {
    let layer = LayerContext::new(&step.name, &step.label);
    source.in_layer(layer.tactic(step.tactic.clone()).shapes(memory.map(StepMemory::describe)))
}
