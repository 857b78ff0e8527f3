//! What one call of a node needs for itself.

use std::ffi::c_void;
use std::ops::Range;
use std::sync::Arc;

use super::plan::Plan;
use crate::device::cuda::DeviceConstants;
use crate::device::{
    Binding, BindingRule, BindingUse, Device, FOREIGN_ALIGNMENT, Frame, FrameSize, Slot, StepMemory, Stream,
};
use crate::error::{Error, LayerContext, Result};
use crate::network::{checked_dims, data_dependent, range};
use crate::plugin::{Work, check_size};
use crate::shape::{Dims, ShapeProgram};
use crate::tensor::{DataType, DeviceSlice, DeviceSliceMut, HostBytes};

/// What one call of a node needs for itself: what follows from its shapes, and room to run.
#[derive(Debug)]
pub(super) struct State {
    pub(super) plan: Arc<Plan>,
    work: Work,
    memory: StepMemory,
    frame: Frame,
    /// Inputs, then outputs, then the workspace.
    rules: Vec<BindingRule>,
    bindings: Vec<Binding<'static>>,
    /// One value a symbol, size tensors at their upper bounds.
    symbols: Vec<i64>,
    /// The same with what a run found.
    found: Vec<i64>,
    extents: Vec<i64>,
    scratch: Vec<i64>,
    /// Of each output the largest extents that are possible.
    pub(super) largest: Vec<Dims>,
    /// Of each output the extents that the last run found.
    pub(super) outputs: Vec<Dims>,
    pub(super) workspace: usize,
    /// Copies of tensors that lie where they can't be used.
    staging: Vec<HostBytes>,
}

/// Where a call's tensors lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    pub(crate) inputs: &'a [*const c_void],
    pub(crate) outputs: &'a [*mut c_void],
    pub(crate) workspace: *mut c_void,
}

impl State {
    /// # Errors
    /// When kernels can't be loaded.
    pub(super) fn new(plan: Arc<Plan>, device: &Device) -> Result<State> {
        let step = plan.step();
        let on_device = device.gpu().map(|gpu| DeviceConstants::new(gpu, &[])).transpose()?;
        let rules = rules(&step.memory);
        let size = FrameSize { arena: 0, extents: 0, bindings: rules.len() };
        let most = |of: fn(&ShapeProgram) -> usize| {
            let sizes = step.sizes.iter().map(|size| &size.program);
            let programs = sizes.chain([&step.program]).chain(plan.kernels().map(|kernels| &kernels.program));
            programs.map(of).max().unwrap_or(0)
        };
        let (extents, scratch) = (vec![0; most(ShapeProgram::output_len)], vec![0; most(ShapeProgram::scratch_len)]);
        Ok(State {
            work: step.work.prepare(device)?,
            memory: step.memory.clone(),
            frame: Frame::new(device, &size, Arc::from([]), on_device.map(Arc::new))?,
            bindings: Vec::with_capacity(rules.len()),
            staging: Vec::new(),
            rules,
            symbols: Vec::new(),
            found: Vec::new(),
            extents,
            scratch,
            largest: vec![Dims::SCALAR; plan.outputs().len()],
            outputs: vec![Dims::SCALAR; plan.outputs().len()],
            workspace: 0,
            plan,
        })
    }

    /// Computes all that follows from the inputs' extents; `false` where the plan is for others.
    ///
    /// # Errors
    /// When an extent can't be computed, or would be negative.
    pub(super) fn fit(&mut self, inputs: &[Dims]) -> Result<bool> {
        let plan = self.plan.clone();
        if !plan.take(inputs, &mut self.symbols) {
            return Ok(false);
        }
        for size in &plan.step().sizes {
            let mut upper = [0];
            size.program.evaluate(&self.symbols, &mut self.scratch, &mut upper)?;
            if upper[0] < 0 {
                return Err(Error::invalid(format_args!(
                    "the upper bound of size tensor {} would be {}",
                    size.output, upper[0]
                )));
            }
            self.symbols[size.symbol.position()] = upper[0];
        }
        self.evaluate_extents()?;
        self.resize(&plan)?;
        self.set_kernels(&plan)?;
        Ok(true)
    }

    fn evaluate_extents(&mut self) -> Result<()> {
        let program = &self.plan.step().program;
        Ok(program.evaluate(&self.symbols, &mut self.scratch, &mut self.extents)?)
    }

    fn dims(&self, part: Range<usize>) -> Result<Dims> {
        let exprs = &self.plan.step().extents[part.clone()];
        checked_dims(&self.extents[part], |axis| exprs[axis].to_string())
    }

    fn resize(&mut self, plan: &Plan) -> Result<()> {
        let (inputs, outputs) = (self.memory.inputs().len(), self.memory.outputs().len());
        let slots = (0..inputs).map(Slot::Input).chain((0..outputs).map(Slot::Output));
        let mut at = 0;
        for (slot, rule) in slots.zip(0..) {
            let Some(info) = self.memory.info(slot) else { continue };
            let (rank, representation) = (info.dims.len(), info.representation());
            let dims = self.dims(at..at + rank)?;
            let bytes = representation.bytes(&dims)?;
            self.memory.resize(slot, dims, bytes)?;
            let rule: &mut BindingRule = &mut self.rules[rule];
            rule.bytes = if matches!(rule.usage, BindingUse::Aliases(_)) { 0 } else { bytes };
            if let Slot::Output(output) = slot {
                (self.largest[output], self.outputs[output]) = (dims, dims);
            }
            at += rank;
        }
        self.workspace = 0;
        if plan.step().has_workspace {
            let bytes = self.extents[at];
            self.workspace = usize::try_from(bytes).map_err(|_| {
                Error::plugin(format_args!("its workspace, {}, would be {bytes} bytes", plan.step().extents[at]))
            })?;
            self.memory.resize_workspace(self.workspace)?;
        }
        if let Some(rule) = self.rules.last_mut() {
            rule.bytes = self.workspace;
        }
        Ok(())
    }

    /// Computes what kernels described ahead of time are launched with: the largest of what depends on data.
    fn set_kernels(&mut self, plan: &Plan) -> Result<()> {
        let (Work::Kernels(run), Some(kernels)) = (&mut self.work, plan.kernels()) else { return Ok(()) };
        kernels.program.evaluate(&self.symbols, &mut self.scratch, &mut self.extents)?;
        let ranges = plan.ranges(&self.symbols);
        for (value, expr) in self.extents.iter_mut().zip(&kernels.exprs).filter(|(_, expr)| data_dependent(expr)) {
            *value = range(expr, &ranges)?.max;
        }
        run.set(&self.extents[..kernels.exprs.len()])
    }

    /// Runs the node.
    ///
    /// # Safety
    /// As [`Lease::run`](super::Lease::run) says.
    ///
    /// # Errors
    /// When a place can't be used, the plugin fails, or a size tensor isn't written.
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(super) unsafe fn run(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        let _bound = stream.bind()?;
        let finds_sizes = !self.plan.step().sizes.is_empty();
        if finds_sizes && stream.is_captured()? {
            return Err(Error::invalid(
                "it finds extents that the host has to wait for, so that it can't be captured into a graph",
            ));
        }
        self.bindings.clear();
        // SAFETY: as the caller says.
        unsafe { self.bind(places, stream)? };
        let sizes = &self.plan.step().sizes;
        let mut active = self.frame.activate_in(&mut self.bindings, &self.rules, stream)?;
        for size in sizes {
            active.clear_size(&self.memory.outputs()[size.output], stream)?;
        }
        self.work.run(active.step(&self.memory), stream)?;
        if finds_sizes {
            self.found.clone_from(&self.symbols);
            for size in sizes {
                let found = active.read_size(&self.memory.outputs()[size.output], stream)?;
                check_size(size.output, found, self.symbols[size.symbol.position()])?;
                self.found[size.symbol.position()] = found;
            }
            self.take_found()?;
        }
        self.bindings.clear();
        // SAFETY: as the caller says.
        unsafe { self.unstage(places) };
        Ok(())
    }
}

impl State {
    /// Puts down where everything lies. On the CPU what doesn't lie at a multiple of [`FOREIGN_ALIGNMENT`] is copied to where
    /// it does; an input that is updated in place is copied to its output, unless it lies there.
    ///
    /// # Safety
    /// As [`Lease::run`](super::Lease::run) says.
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn bind(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        self.check_places(places)?;
        let on_host = stream.device().gpu().is_none();
        for (index, input) in self.memory.inputs().iter().enumerate() {
            let (bytes, dtype) = (self.rules[index].bytes, self.rules[index].dtype);
            let source = places.inputs[index];
            let wanted = input.in_place.map_or(source, |output| places.outputs[output].cast_const());
            let target = match on_host && is_askew(wanted, bytes) {
                true => staged(&mut self.staging, index, bytes)?,
                false => wanted.cast_mut(),
            };
            // SAFETY: the caller says that as many bytes lie at each place, and that the output's are the run's own.
            self.bindings.push(unsafe {
                if target.cast_const() != source {
                    copy(source, target, bytes, stream)?;
                }
                match input.in_place {
                    Some(_) => Binding::foreign_in_place(target, bytes, dtype),
                    None => Binding::foreign_input(target, bytes, dtype),
                }
            });
        }
        let inputs = self.bindings.len();
        for (output, &place) in places.outputs.iter().enumerate() {
            let rule = &self.rules[inputs + output];
            let place = match on_host && is_askew(place, rule.bytes) {
                true => staged(&mut self.staging, inputs + output, rule.bytes)?,
                false => place,
            };
            self.bindings.push(match rule.usage {
                BindingUse::Aliases(_) => Binding::aliased(),
                // SAFETY: as above.
                _ => unsafe { Binding::foreign_output(place, rule.bytes, rule.dtype) },
            });
        }
        // SAFETY: as above.
        let workspace = unsafe { Binding::foreign_output(places.workspace, self.workspace, DataType::UInt8) };
        self.bindings.push(workspace);
        Ok(())
    }

    fn check_places(&self, places: &Places<'_>) -> Result<()> {
        let counts = (self.memory.inputs().len(), self.memory.outputs().len());
        if (places.inputs.len(), places.outputs.len()) != counts {
            return Err(Error::invalid(format_args!(
                "memory for {} inputs and {} outputs was given, not for {} and {}",
                places.inputs.len(),
                places.outputs.len(),
                counts.0,
                counts.1
            )));
        }
        if self.workspace > 0 && !places.workspace.addr().is_multiple_of(HostBytes::ALIGNMENT) {
            return Err(Error::invalid(format_args!(
                "the workspace is at {:#x}, which isn't a multiple of {}",
                places.workspace.addr(),
                HostBytes::ALIGNMENT
            )));
        }
        Ok(())
    }

    /// Copies outputs that were written elsewhere to their places.
    ///
    /// # Safety
    /// As [`State::bind`], which was given the same places.
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn unstage(&self, places: &Places<'_>) {
        if self.staging.is_empty() {
            return;
        }
        let inputs = self.memory.inputs().len();
        for ((output, &place), placed) in places.outputs.iter().enumerate().zip(self.memory.outputs()) {
            let bytes = placed.region.len;
            if !is_askew(place, bytes) {
                continue;
            }
            let slot = self.plan.outputs()[output].alias.unwrap_or(inputs + output);
            let Some(staged) = self.staging.get(slot).filter(|staged| staged.len() >= bytes) else { continue };
            // SAFETY: the caller says that as many bytes lie there; those staged are memory of our own.
            unsafe { std::ptr::copy_nonoverlapping(staged.as_ptr(), place.cast(), bytes) };
        }
    }

    /// The extents of outputs that depend on what a run found.
    fn take_found(&mut self) -> Result<()> {
        let plan = self.plan.clone();
        plan.step().program.evaluate(&self.found, &mut self.scratch, &mut self.extents)?;
        for (index, output) in plan.outputs().iter().enumerate().filter(|(_, output)| output.data_dependent) {
            self.outputs[index] = self.dims(output.extents.clone())?;
        }
        Ok(())
    }

    /// Says of an error in which node it happened, with what tactic and shapes.
    #[cold]
    pub(super) fn failed(&self, error: Error) -> Error {
        let step = self.plan.step();
        let layer = LayerContext::new(&step.name, &step.label);
        error.in_layer(layer.tactic(step.tactic.clone()).shapes(Some(self.memory.describe())))
    }
}

/// Whether bytes lie where they can't be used.
fn is_askew(place: *const c_void, bytes: usize) -> bool {
    bytes > 0 && !place.addr().is_multiple_of(FOREIGN_ALIGNMENT)
}

/// Memory of our own in place of a binding's.
#[cold]
fn staged(staging: &mut Vec<HostBytes>, binding: usize, bytes: usize) -> Result<*mut c_void> {
    if staging.len() <= binding {
        staging.resize_with(binding + 1, HostBytes::default);
    }
    if staging[binding].len() < bytes {
        staging[binding] = HostBytes::zeroed(bytes)?;
    }
    Ok(staging[binding].as_mut_ptr().cast())
}

/// Copies bytes on the device of a stream.
///
/// # Safety
/// As many bytes can be read and written there.
#[expect(unsafe_code, reason = "takes addresses on trust")]
pub(crate) unsafe fn copy(from: *const c_void, to: *mut c_void, bytes: usize, stream: &Stream) -> Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    if stream.device().gpu().is_some() {
        let _bound = stream.bind()?;
        let source = DeviceSlice::<u8>::new(from.addr() as u64, bytes)?;
        return stream.copy(source, DeviceSliceMut::new(to.addr() as u64, bytes)?);
    }
    // SAFETY: as the caller says.
    unsafe { std::ptr::copy(from.cast::<u8>(), to.cast(), bytes) };
    Ok(())
}

/// What each binding must be, but for its size.
fn rules(memory: &StepMemory) -> Vec<BindingRule> {
    let inputs = memory.inputs();
    let rule = |name: &Arc<str>, dtype: DataType, usage: BindingUse| BindingRule {
        name: name.clone(),
        dtype,
        usage,
        bytes: 0,
    };
    let of_inputs = inputs.iter().map(|input| {
        let usage = if input.in_place.is_some() { BindingUse::Update } else { BindingUse::Read };
        rule(&input.tensor.info.name, input.tensor.info.dtype, usage)
    });
    let of_outputs = memory.outputs().iter().enumerate().map(|(index, output)| {
        let alias = inputs.iter().position(|input| input.in_place == Some(index));
        rule(&output.info.name, output.info.dtype, alias.map_or(BindingUse::Write, BindingUse::Aliases))
    });
    let workspace = rule(&"workspace".into(), DataType::UInt8, BindingUse::Write);
    of_inputs.chain(of_outputs).chain([workspace]).collect()
}
