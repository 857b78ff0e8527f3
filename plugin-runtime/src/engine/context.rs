//! Running an engine.

mod extents;
mod gpu;
mod run;
mod state;

use std::sync::Arc;

use self::extents::ExtentsTable;
use self::gpu::GpuState;
use self::state::{State, in_step};
use super::EngineInner;
use super::plan::{Plan, PlannedStep, PlannedWork};
#[cfg(any(feature = "bench", test))]
use crate::device::cuda::BareLaunches;
use crate::device::cuda::Recorded;
use crate::device::{Active, Binding, BindingRule, BindingUse, Device, Frame, FrameSize, Stream};
use crate::error::{Error, Result};
use crate::network::largest_dims;
use crate::shape::{Dims, ProfileDims};
use crate::tensor::Representation;
use crate::wording::counted;

/// Runs an engine: holds its intermediate memory and its present shapes. One thread uses a context at a time; several
/// contexts of one engine run side by side.
#[derive(Debug)]
pub struct ExecutionContext {
    engine: Arc<EngineInner>,
    profile: usize,
    input_dims: Vec<Option<Dims>>,
    /// Whether shapes were set since the last [`ExecutionContext::prepare`].
    stale: bool,
    /// Why the last run failed, if it did and no shape was changed since.
    failure: Option<Error>,
    state: State,
    bindings: Vec<BindingRule>,
    output_dims: Vec<Dims>,
    /// The largest extents that each output can have at the present shapes.
    output_capacity: Vec<Dims>,
    frame: Frame,
    /// Streams, events and size tensors of runs on a GPU.
    gpu: Option<GpuState>,
    /// The stream of [`ExecutionContext::run`] on a GPU.
    own_stream: Option<Stream>,
    /// The queue in which a run is nothing but its steps, by [`Stream::queue_address`], as long as nothing but bindings
    /// changes; 0 for none. It is that of the last run, whose stream is kept.
    plain_in: usize,
}

impl ExecutionContext {
    pub(super) fn new(engine: Arc<EngineInner>, profile: usize) -> Result<Self> {
        let Some(plan) = engine.plans.get(profile) else {
            return Err(Error::invalid(format_args!(
                "the engine has no optimization profile {profile}; it has {}, counted from 0",
                engine.plans.len()
            )));
        };
        let mut state = State::new(&engine, plan)?;
        let mut size = FrameSize { arena: plan.arena, extents: 0, bindings: plan.bindings.len() };
        let (mut gpu, mut constants) = (None, None);
        if let Some(device) = engine.device.gpu() {
            let table = ExtentsTable::new(plan, engine.symbols.len(), &mut state.memories)?;
            size.extents = table.len();
            constants = Some(gpu::constants(&engine, device)?);
            gpu = Some(GpuState::new(device, plan, table)?);
        }
        let frame = Frame::new(&engine.device, &size, engine.constants.clone(), constants);
        Ok(ExecutionContext {
            profile,
            input_dims: engine.inputs.iter().map(|i| (!i.dims.contains(&-1)).then_some(i.dims)).collect(),
            stale: true,
            failure: None,
            state,
            bindings: plan.bindings.clone(),
            output_dims: vec![Dims::SCALAR; plan.outputs.len()],
            output_capacity: vec![Dims::SCALAR; plan.outputs.len()],
            frame: frame.map_err(|error| gpu::without_memory(plan, error))?,
            gpu,
            own_stream: None,
            plain_in: 0,
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
            self.failure = None;
        }
        Ok(())
    }

    /// The device that it runs on.
    pub fn device(&self) -> &Device {
        &self.engine.device
    }

    /// The extents of an output: the true ones of the last run. Where they depend on the data and nothing ran yet at
    /// the present shapes, the largest that are possible. On a GPU, where they depend on the data, this waits for the
    /// last run.
    ///
    /// # Errors
    /// When there is no such output, not all input shapes are set, or the last run failed and no shape was changed since.
    pub fn output_shape(&mut self, name: &str) -> Result<Dims> {
        let position = self.engine.output(name)?;
        if let Some(failure) = &self.failure {
            return Err(Error::invalid(format_args!(
                "output `{name}` has no extents, as the last run failed: {failure}"
            )));
        }
        self.prepare()?;
        self.take_sizes()?;
        Ok(self.output_dims[position])
    }

    /// The largest extents that an output can have at the present shapes: what is bound for it has to hold as much.
    ///
    /// # Errors
    /// When there is no such output, or not all input shapes are set.
    pub fn max_output_shape(&mut self, name: &str) -> Result<Dims> {
        let position = self.engine.output(name)?;
        self.prepare()?;
        Ok(self.output_capacity[position])
    }

    /// Runs the engine: one binding for each input, then for each output, in the engine's order. On the CPU the work is
    /// done when this returns, on a GPU when `stream` gets there. After the first run with a shape this allocates
    /// nothing, and it waits for nothing, unless an impl doesn't cope with extents that only the GPU knows: then it
    /// waits for those before that impl (see `device_shape` of [`impl_plugin`](macro@crate::prelude::impl_plugin)).
    /// Where [`ExecutionContext::capture`] recorded a run with just these bindings, it is replayed.
    ///
    /// An error on the GPU after this returned is told to whoever waits for the stream next.
    ///
    /// # Errors
    /// When a binding is of the wrong kind, type or size, or lies in another device's memory, when an input's shape isn't
    /// set, or when a plugin fails: the error names layer, plugin, tactic and shapes. The context can be used again.
    pub fn enqueue(&mut self, bindings: &mut [Binding<'_>], stream: &Stream) -> Result<()> {
        let plain = self.plain_in != 0 && self.plain_in == stream.queue_address() && !self.stale;
        if plain && stream.is_bound() {
            return self.enqueue_plain(bindings, stream);
        }
        self.enqueue_with(bindings, stream, Care::Fast)
    }

    /// As [`ExecutionContext::enqueue_with`], where that found that there is nothing to order, to record or to find out.
    #[inline]
    fn enqueue_plain(&mut self, bindings: &mut [Binding<'_>], stream: &Stream) -> Result<()> {
        let mut active = self.frame.activate_in(bindings, &self.bindings, stream)?;
        let ran = self.state.run_plain(&mut active, stream);
        ran.map_err(|(position, error)| self.failed_at(position, error))
    }

    fn enqueue_with(&mut self, bindings: &mut [Binding<'_>], stream: &Stream, care: Care) -> Result<()> {
        self.prepare()?;
        let _bound = match &mut self.gpu {
            Some(gpu) => gpu.begin(&self.state, &self.frame, stream)?,
            None if stream.device().gpu().is_some() => return Err(not_for_cpu(stream)),
            None => None,
        };
        let plan = &self.engine.plans[self.profile];
        let captured = stream.is_captured()?;
        if captured {
            check_capturable(plan, &self.state)?;
        }
        let mut active = self.frame.activate_in(bindings, &self.bindings, stream)?;
        let replayed = match &self.gpu {
            Some(_) if care == Care::Fast => active.replay(stream.cuda()?)?,
            _ => false,
        };
        let ran = match replayed {
            true => Ok(()),
            false => run_steps(plan, &mut self.state, self.gpu.as_mut(), &mut active, stream, care),
        };
        // Also of a run that failed some work may be there to be waited for.
        let marked = stream.ran(captured);
        let ended = ran.and(marked).and_then(|()| match &mut self.gpu {
            Some(gpu) => gpu.end(stream, captured),
            None => self.update_output_dims(),
        });
        match ended {
            Ok(()) => self.failure = None,
            Err(error) => return Err(self.failed(error)),
        }
        let is_plain = self.gpu.as_ref().is_some_and(GpuState::is_plain) && !stream.is_borrowed();
        self.plain_in = if is_plain && !self.frame.has_captured() { stream.queue_address() } else { 0 };
        Ok(())
    }

    #[cold]
    fn failed_at(&mut self, position: usize, error: Error) -> Error {
        let error = at_step(&self.engine.plans[self.profile], &self.state, position, error);
        self.failed(error)
    }

    /// Remembers that a run failed; what it left in the symbols is of no use.
    #[cold]
    fn failed(&mut self, error: Error) -> Error {
        self.stale = true;
        self.failure = Some(error.clone());
        error
    }

    /// Records a run with these bindings at the present shapes, to be replayed by each [`ExecutionContext::enqueue`]
    /// with the same bindings: the whole engine for little more than the launch of one kernel. Nothing runs yet. What
    /// depends on data gets memory for the largest extents that are possible. When a shape is set to something else,
    /// the record is dropped, and runs are enqueued step by step until the next call of this.
    ///
    /// # Errors
    /// On the CPU; where a run has to wait for extents that only the GPU knows: names the layer; or as
    /// [`ExecutionContext::enqueue`], or when a plugin does something that can't be recorded.
    pub fn capture(&mut self, bindings: &mut [Binding<'_>], stream: &Stream) -> Result<()> {
        self.record(bindings, stream, |active, recorded| active.keep(&recorded))
    }

    /// Records a run as [`ExecutionContext::capture`] does, to be launched without the engine: what is left is the least
    /// that such a run can cost the host. The engine doesn't replay it.
    ///
    /// # Errors
    /// As [`ExecutionContext::capture`].
    #[cfg(any(feature = "bench", test))]
    pub fn bare_launches<'a>(
        &'a mut self,
        bindings: &'a mut [Binding<'_>],
        stream: &Stream,
    ) -> Result<BareLaunches<'a>> {
        self.record(bindings, stream, |_, recorded| BareLaunches::new(stream, recorded))
    }

    fn record<R>(
        &mut self,
        bindings: &mut [Binding<'_>],
        stream: &Stream,
        then: impl FnOnce(&mut Active<'_>, Recorded) -> Result<R>,
    ) -> Result<R> {
        self.prepare()?;
        self.plain_in = 0;
        let Some(gpu) = &mut self.gpu else {
            return Err(Error::invalid("a run on the CPU can't be recorded: enqueue it, or use device `cuda`"));
        };
        let plan = &self.engine.plans[self.profile];
        check_capturable(plan, &self.state)?;
        let _bound = gpu.begin(&self.state, &self.frame, stream)?;
        let mut active = self.frame.activate_in(bindings, &self.bindings, stream)?;
        let state = &mut self.state;
        let run = |active: &mut Active<'_>| run_steps(plan, state, Some(gpu), active, stream, Care::Fast);
        let recorded = active.record(stream.cuda()?, run)?;
        then(&mut active, recorded)
    }

    /// Recomputes extents, sizes and launch dimensions, if shapes changed.
    #[inline]
    fn prepare(&mut self) -> Result<()> {
        if self.stale { self.prepare_anew() } else { Ok(()) }
    }

    #[cold]
    fn prepare_anew(&mut self) -> Result<()> {
        self.frame.forget_captured();
        self.plain_in = 0;
        if let Some(gpu) = &mut self.gpu {
            gpu.shapes_changed();
        }
        let plan = &self.engine.plans[self.profile];
        let ranges = self.state.prepare(&self.engine, plan, &self.input_dims)?;
        for (position, output) in plan.outputs.iter().enumerate() {
            let dims = match output.data_dependent {
                false => self.state.output_dims(output),
                true => largest_dims(&output.extents, &ranges),
            };
            let name = &self.engine.outputs[position].0;
            let dims = dims.map_err(|e| e.within(format_args!("output `{name}`")))?;
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

    /// Reads the size tensors of the last run on a GPU, once it is done.
    fn take_sizes(&mut self) -> Result<()> {
        let plan = &self.engine.plans[self.profile];
        let taken = match &mut self.gpu {
            Some(gpu) => gpu.take_sizes(plan, &mut self.state, &self.frame),
            None => Ok(false),
        };
        let updated = taken.and_then(|found| if found { self.update_output_dims() } else { Ok(()) });
        updated.map_err(|error| self.failed(error))
    }

    #[inline]
    fn update_output_dims(&mut self) -> Result<()> {
        for (output, dims) in self.engine.plans[self.profile].outputs.iter().zip(&mut self.output_dims) {
            if output.data_dependent {
                *dims = self.state.output_dims(output)?;
            }
        }
        Ok(())
    }
}

impl Drop for ExecutionContext {
    /// Waits until a run on a GPU doesn't need the memory any more.
    fn drop(&mut self) {
        if let Some(gpu) = &self.gpu {
            gpu.drain();
        }
    }
}

#[cold]
fn not_for_cpu(stream: &Stream) -> Error {
    Error::invalid(format_args!("the engine runs on the CPU, but the stream belongs to `{}`", stream.device()))
}

/// Refuses to record a run that waits: names the first layer that it waits for.
#[cold]
fn check_capturable(plan: &Plan, state: &State) -> Result<()> {
    match plan.steps.iter().position(PlannedStep::waits) {
        Some(position) => Err(at_step(plan, state, position, waits_for_extents(&plan.steps[position]))),
        None => Ok(()),
    }
}

/// An error for a step that keeps a run from being recorded.
fn waits_for_extents(step: &PlannedStep) -> Error {
    let (what, attribute) = match &step.work {
        PlannedWork::Impl { implementation, .. } => (format!("the impl at {}", implementation.location), "impl_plugin"),
        PlannedWork::Kernels { .. } | PlannedWork::Reformat => ("its AOT kernels".into(), "aot_impl"),
    };
    Error::invalid(format_args!(
        "a run that waits can't be recorded, and it waits here for extents that an earlier layer finds, since nothing says \
         that this layer copes without: enqueue the run; or, if {what} asks for device_shape(), or what is done up to the \
         upper bounds is harmless, write `device_shape = true` in the #[{attribute}(..)]"
    ))
}

/// How much a run does to find mistakes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Fast,
    /// Size tensors that aren't written, and layers that fail later, are found.
    Traced,
}

fn run_steps(
    plan: &Plan,
    state: &mut State,
    mut gpu: Option<&mut GpuState>,
    active: &mut Active<'_>,
    stream: &Stream,
    care: Care,
) -> Result<()> {
    let traced = care == Care::Traced;
    if let Some(gpu) = gpu.as_mut().filter(|_| traced) {
        gpu.clear_marks();
    }
    for (position, step) in plan.steps.iter().enumerate() {
        if let Some(gpu) = gpu.as_mut().filter(|_| step.waits())
            && let Err((at_fault, error)) = gpu.settle(position, plan, state, stream)
        {
            // What shows while the host waits isn't the fault of the layer that it waits for.
            return Err(match at_fault.or_else(|| traced.then(|| gpu.steps_done())) {
                Some(position) => at_step(plan, state, position, error),
                None => error,
            });
        }
        let ran = run_step((position, step), state, gpu.as_deref_mut(), active, (stream, traced));
        ran.map_err(|error| at_step(plan, state, position, error))?;
    }
    Ok(())
}

#[inline]
fn run_step(
    (position, step): (usize, &PlannedStep),
    state: &mut State,
    gpu: Option<&mut GpuState>,
    active: &mut Active<'_>,
    (stream, traced): (&Stream, bool),
) -> Result<()> {
    let Some(gpu) = gpu else { return state.run(position, step, active, stream) };
    if step.waits() {
        state.resize(position, step)?;
    }
    if !step.sizes.is_empty() && (traced || gpu.is_awaited(position)) {
        for size in &step.sizes {
            active.clear_size(&state.memories[position].outputs()[size.output], stream)?;
        }
    }
    state.run(position, step, active, stream)?;
    gpu.after_step(position, step, state, active, stream)?;
    if traced { gpu.mark(position, stream) } else { Ok(()) }
}

#[cold]
fn at_step(plan: &Plan, state: &State, position: usize, error: Error) -> Error {
    match plan.steps.get(position) {
        Some(step) => in_step(step, Some(&state.memories[position]), error),
        None => error,
    }
}

/// Extents that fit an input, or what is wrong with them.
fn check_extents(input: &Dims, profile: Option<&ProfileDims>, given: &[i64]) -> Result<Dims, String> {
    if given.len() != input.len() {
        return Err(format!("it has {}, {input}", counted(input.len(), "dimension")));
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
