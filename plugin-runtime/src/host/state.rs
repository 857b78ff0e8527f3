//! What one call of a node needs for itself.

use std::ffi::c_void;
use std::ops::Range;
use std::sync::Arc;

use super::plan::{Output, Plan};
use crate::device::cuda::DeviceConstants;
use crate::device::{Device, FOREIGN_ALIGNMENT, Frame, FrameSize, Slot, StepMemory, Stream};
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
    on_host: bool,
    /// Whether an input is updated in place.
    updates: bool,
    finds_sizes: bool,
    /// Of the inputs, then of the outputs.
    bytes: Vec<usize>,
    /// One value a symbol, size tensors at their upper bounds.
    symbols: Vec<i64>,
    /// The same with what a run found.
    found: Vec<i64>,
    extents: Vec<i64>,
    scratch: Vec<i64>,
    /// The outputs at the present extents of the inputs.
    pub(super) largest: Vec<Largest>,
    /// Of each output the extents that the last run found.
    pub(super) outputs: Vec<Dims>,
    pub(super) workspace: usize,
    /// Copies of tensors that lie where they can't be used.
    staging: Vec<HostBytes>,
}

/// An output at the present extents of the inputs.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(any(feature = "onnxruntime", feature = "python", test)),
    expect(dead_code, reason = "TensorRT knows the rest")
)]
pub(crate) struct Largest {
    /// The largest that are possible.
    pub(crate) dims: Dims,
    pub(crate) dtype: DataType,
    /// Whether the true ones are known only when the node has run.
    pub(crate) data_dependent: bool,
}

impl Largest {
    fn of(output: &Output) -> Largest {
        Largest { dims: Dims::SCALAR, dtype: output.dtype, data_dependent: output.data_dependent }
    }
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
        let tensors = step.memory.inputs().len() + step.memory.outputs().len();
        let size = FrameSize { arena: 0, extents: 0, bindings: tensors + 1 };
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
            on_host: device.gpu().is_none(),
            updates: step.memory.inputs().iter().any(|input| input.in_place.is_some()),
            bytes: vec![0; tensors],
            staging: Vec::new(),
            symbols: Vec::new(),
            found: Vec::new(),
            extents,
            scratch,
            finds_sizes: !step.sizes.is_empty(),
            largest: plan.outputs().iter().map(Largest::of).collect(),
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
        for (slot, tensor) in slots.zip(0usize..) {
            let Some(info) = self.memory.info(slot) else { continue };
            let (rank, representation) = (info.dims.len(), info.representation());
            let dims = self.dims(at..at + rank)?;
            let bytes = representation.bytes(&dims)?;
            self.memory.resize(slot, dims, bytes)?;
            self.bytes[tensor] = bytes;
            if let Slot::Output(output) = slot {
                (self.largest[output].dims, self.outputs[output]) = (dims, dims);
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
        if self.finds_sizes && stream.is_captured()? {
            return Err(Error::invalid(
                "it finds extents that the host has to wait for, so that it can't be captured into a graph",
            ));
        }
        // SAFETY: as the caller says.
        unsafe { self.start(places, stream, self.finds_sizes)? };
        if self.finds_sizes {
            self.take_found()?;
        }
        // SAFETY: as the caller says.
        unsafe { self.unstage(places) };
        Ok(())
    }

    /// Enqueues the node on a GPU, and leaves size tensors to whoever has the memory. The caller answers for it
    /// that a context which was the thread's at its last run still is.
    ///
    /// # Safety
    /// As [`Lease::run`](super::Lease::run) says.
    ///
    /// # Errors
    /// As [`State::run`].
    #[cfg(any(feature = "tensorrt", feature = "jax"))]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(super) unsafe fn enqueue(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        let _bound = stream.bind_again()?;
        // SAFETY: as the caller says.
        unsafe { self.start(places, stream, false) }
    }

    /// Starts the node's work, and where it `reads` size tensors waits for what it finds.
    ///
    /// # Safety
    /// As [`Lease::run`](super::Lease::run) says.
    #[inline]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn start(&mut self, places: &Places<'_>, stream: &Stream, reads: bool) -> Result<()> {
        // SAFETY: as the caller says.
        unsafe { self.bind(places, stream)? };
        let mut active = self.frame.activate_lent();
        if !self.finds_sizes {
            return self.work.run(&mut active, &self.memory, stream);
        }
        let sizes = &self.plan.step().sizes;
        for size in sizes {
            active.clear_size(&self.memory.outputs()[size.output], stream)?;
        }
        self.work.run(&mut active, &self.memory, stream)?;
        if reads {
            self.found.clone_from(&self.symbols);
            for size in sizes {
                let found = active.read_size(&self.memory.outputs()[size.output], stream)?;
                check_size(size.output, found, self.symbols[size.symbol.position()])?;
                self.found[size.symbol.position()] = found;
            }
        }
        Ok(())
    }
}

impl State {
    /// Puts down where everything lies. On the CPU what doesn't lie at a multiple of [`FOREIGN_ALIGNMENT`] is copied to where
    /// it does; an input that is updated in place is copied to its output, unless it lies there.
    ///
    /// # Safety
    /// As [`Lease::run`](super::Lease::run) says.
    #[inline]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn bind(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        // SAFETY: as the caller says.
        match unsafe { self.bind_as_given(places) } {
            true => Ok(()),
            // SAFETY: as the caller says.
            false => unsafe { self.bind_with_care(places, stream) },
        }
    }

    /// Puts down where everything lies, where all of it can be used where it is. Returns whether that is so.
    ///
    /// # Safety
    /// As [`State::bind`].
    #[inline]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn bind_as_given(&mut self, places: &Places<'_>) -> bool {
        let Places { inputs, outputs, workspace } = *places;
        let as_many = (inputs.len(), outputs.len()) == (self.memory.inputs().len(), self.memory.outputs().len());
        let has_workspace = !workspace.is_null() && workspace.addr().is_multiple_of(HostBytes::ALIGNMENT);
        if self.updates || !as_many || (self.workspace > 0 && !has_workspace) {
            return false;
        }
        let places = inputs.iter().map(|&place| (place, false));
        let places = places.chain(outputs.iter().map(|&place| (place.cast_const(), true)));
        for (index, ((place, writable), &bytes)) in places.zip(&self.bytes).enumerate() {
            if is_askew(place, bytes) {
                return false;
            }
            // SAFETY: the caller says that as many bytes lie at each place, and that an output's are the run's own.
            unsafe { self.frame.lend(index, place.expose_provenance(), bytes, writable) };
        }
        // SAFETY: as above; its place was looked at.
        unsafe {
            self.frame.lend(inputs.len() + outputs.len(), workspace.expose_provenance(), self.workspace, true);
        }
        true
    }

    /// As [`State::bind`], where something has to be copied, or can't be used.
    ///
    /// # Safety
    /// As [`State::bind`].
    #[inline(never)]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn bind_with_care(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        self.check_places(places)?;
        let inputs = places.inputs.len();
        for (index, &source) in places.inputs.iter().enumerate() {
            let bytes = self.bytes[index];
            let output = self.memory.inputs()[index].in_place;
            let wanted = output.map_or(source, |output| places.outputs[output].cast_const());
            let target = match is_askew(wanted, bytes) {
                true => self.elsewhere(index, bytes, wanted)?,
                false => wanted.cast_mut(),
            };
            // SAFETY: the caller says that as many bytes lie at each place, and that an output's are the run's own; what is
            // askew was replaced.
            unsafe {
                if target.cast_const() != source {
                    copy(source, target, bytes, stream)?;
                }
                self.frame.lend(index, target.expose_provenance(), bytes, output.is_some());
            }
        }
        for (index, &place) in places.outputs.iter().enumerate() {
            let bytes = self.bytes[inputs + index];
            let place = match is_askew(place, bytes) {
                true => self.elsewhere(inputs + index, bytes, place)?,
                false => place,
            };
            // SAFETY: as above. That of an output which is updated in place isn't used.
            unsafe { self.frame.lend(inputs + index, place.expose_provenance(), bytes, true) };
        }
        let workspace = inputs + places.outputs.len();
        // SAFETY: as above; its place was checked.
        unsafe { self.frame.lend(workspace, places.workspace.expose_provenance(), self.workspace, true) };
        Ok(())
    }

    /// Memory of our own in place of a tensor that lies where it can't be used.
    ///
    /// # Errors
    /// On a GPU, or when there is none.
    #[cold]
    fn elsewhere(&mut self, tensor: usize, bytes: usize, place: *const c_void) -> Result<*mut c_void> {
        if !self.on_host || place.is_null() {
            let infos = self.memory.inputs().iter().map(|input| &input.tensor.info);
            let name = infos.chain(self.memory.outputs().iter().map(|output| &output.info)).nth(tensor);
            return Err(Error::invalid(format_args!(
                "`{}` is at {:#x}, which isn't a multiple of {FOREIGN_ALIGNMENT}: copy it to where it is",
                name.map_or("", |info| &info.name),
                place.addr()
            )));
        }
        if self.staging.len() <= tensor {
            self.staging.resize_with(tensor + 1, HostBytes::default);
        }
        if self.staging[tensor].len() < bytes {
            self.staging[tensor] = HostBytes::zeroed(bytes)?;
        }
        Ok(self.staging[tensor].as_mut_ptr().cast())
    }

    #[inline]
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
        let of_inputs =
            self.memory.inputs().iter().map(|input| &input.tensor).zip(places.inputs.iter().map(|p| p.is_null()));
        let of_outputs = self.memory.outputs().iter().zip(places.outputs.iter().map(|p| p.is_null()));
        for (tensor, is_null) in of_inputs.chain(of_outputs) {
            if is_null && tensor.region.len > 0 {
                let (name, bytes) = (&tensor.info.name, tensor.region.len);
                return Err(Error::invalid(format_args!("`{name}` has {bytes} bytes, but a null pointer was given")));
            }
        }
        if self.workspace > 0 && places.workspace.is_null() {
            return Err(Error::invalid(format_args!(
                "the workspace has {} bytes, but a null pointer was given",
                self.workspace
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
#[inline]
fn is_askew(place: *const c_void, bytes: usize) -> bool {
    bytes > 0 && (place.is_null() || !place.addr().is_multiple_of(FOREIGN_ALIGNMENT))
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
