//! Runs on a GPU: the order of streams, and size tensors that only the device knows.

use std::collections::HashSet;
use std::sync::Arc;

use super::extents::{ExtentsTable, WORD};
use super::state::{State, in_step};
use crate::device::cuda::settle::{Settle, SizePlace, enqueue_symbols};
use crate::device::cuda::{Bound, Event, Gpu, PinnedMemory, memory, services};
use crate::device::{Active, Base, Frame, Stream};
use crate::engine::EngineInner;
use crate::engine::plan::{OutputShape, OwnSize, Plan, PlannedStep};
use crate::error::{Error, ErrorKind, Result};
use crate::network::data_dependent;
use crate::plugin::check_size;
use crate::shape::ShapeExpr;
use crate::tensor::DataType;

/// Streams, events and size tensors of a context's runs on a GPU.
#[derive(Debug)]
pub(super) struct GpuState {
    gpu: &'static Gpu,
    /// The stream of the last run.
    last: Option<Stream>,
    /// Marks the end of the last run.
    finished: Event,
    /// One per step.
    after: Vec<AfterStep>,
    /// Sizes that the host needs, 8 bytes each, then a word of 8 bytes that counts the steps that are done.
    found: PinnedMemory,
    /// In the order of the steps.
    reads: Vec<SizeRead>,
    /// How many of `reads` this run has waited for.
    settled: usize,
    /// Whether outputs need some of `reads`, and whether a run itself copies some of those.
    for_outputs: bool,
    copied_in_run: bool,
    /// Whether the last run found sizes that weren't read yet.
    pending: bool,
    /// Whether the symbols' values on the device are out of date.
    symbols_changed: bool,
    /// Whether some step has size tensors, or waits for some.
    sized: bool,
    places: Vec<SizePlace>,
}

/// What happens to the size tensors of a step after it ran.
#[derive(Debug, Default)]
struct AfterStep {
    settle: Option<Settle>,
    /// The range of `GpuState::reads` whose size tensors the step writes.
    reads: std::ops::Range<usize>,
}

/// A size tensor that the host needs.
#[derive(Debug)]
struct SizeRead {
    position: usize,
    size: Arc<OwnSize>,
    /// Whether an output's extents need it.
    for_outputs: bool,
    /// Whether a step has to wait for it.
    awaited: bool,
    /// Its offset in the arena, if it is copied when it is asked for. Else it is copied as part of the run.
    in_arena: Option<usize>,
}

impl GpuState {
    pub(super) fn new(gpu: &'static Gpu, plan: &Plan, table: ExtentsTable) -> Result<Self> {
        let awaited: HashSet<usize> = plan.steps.iter().flat_map(|step| step.awaited.iter().copied()).collect();
        let mut reads = Vec::new();
        let mut after = Vec::with_capacity(plan.steps.len());
        for (position, (step, settled)) in plan.steps.iter().zip(&table.settled).enumerate() {
            let first = reads.len();
            let read = |size: &Arc<OwnSize>| {
                let for_outputs = plan.outputs.iter().any(|output| needs(output, size.symbol.position()));
                let awaited = awaited.contains(&size.symbol.position());
                let region = step.memory.outputs()[size.output].region;
                let in_arena = (region.base == Base::Arena && !awaited).then_some(region.offset);
                SizeRead { position, size: size.clone(), for_outputs, awaited, in_arena }
            };
            reads.extend(step.sizes.iter().map(read).filter(|read| read.for_outputs || read.awaited));
            let settle = settled.as_ref().map(|(program, out_at)| Settle::new(gpu, program, table.slots_at, *out_at));
            after.push(AfterStep { settle: settle.transpose()?, reads: first..reads.len() });
        }
        Ok(GpuState {
            gpu,
            last: None,
            finished: Event::new(gpu, false)?,
            found: PinnedMemory::zeroed(gpu, (reads.len() + 1) * WORD)?,
            after,
            for_outputs: reads.iter().any(|read| read.for_outputs),
            copied_in_run: reads.iter().any(|read| read.for_outputs && read.in_arena.is_none()),
            reads,
            settled: 0,
            pending: false,
            symbols_changed: true,
            sized: plan.steps.iter().any(|step| step.waits() || !step.sizes.is_empty()),
            places: Vec::new(),
        })
    }

    /// Marks the symbols on the device as out of date, after shapes changed.
    pub(super) fn shapes_changed(&mut self) {
        self.symbols_changed = true;
        self.pending = false;
    }

    /// Begins a run in `stream`: orders it after the last one, also if that was in another stream, and brings the
    /// symbols in the device's table up to date.
    #[inline]
    pub(super) fn begin(&mut self, state: &State, frame: &Frame, stream: &Stream) -> Result<Option<Bound>> {
        let queue = stream.cuda()?;
        if queue.gpu() != self.gpu {
            return Err(self.other_device(stream));
        }
        // Whoever lends a stream may have made another context the thread's.
        let bound = if queue.is_borrowed() { Some(self.gpu.bind()?) } else { self.gpu.bind_again()? };
        self.settled = 0;
        match &self.last {
            Some(last) if last == stream => {}
            _ => self.change_stream(stream)?,
        }
        if self.symbols_changed {
            self.settle_symbols(state, frame, stream)?;
        }
        Ok(bound)
    }

    /// Whether a run like the last one is nothing but its steps, as far as this knows.
    pub(super) fn is_plain(&self) -> bool {
        !self.sized && !self.symbols_changed
    }

    #[cold]
    fn other_device(&self, stream: &Stream) -> Error {
        Error::invalid(format_args!(
            "the engine runs on `cuda:{}`, but the stream belongs to `{}`",
            self.gpu.ordinal(),
            stream.device()
        ))
    }

    #[cold]
    fn change_stream(&mut self, stream: &Stream) -> Result<()> {
        if let Some(last) = &self.last {
            stream.cuda()?.wait_for(last.cuda()?)?;
        }
        self.last = Some(stream.clone());
        Ok(())
    }

    /// Brings the device's table of symbols up to date.
    #[cold]
    fn settle_symbols(&mut self, state: &State, frame: &Frame, stream: &Stream) -> Result<()> {
        let settles = self.after.iter().any(|after| after.settle.is_some());
        if let (true, Some(table)) = (settles, frame.extents()) {
            enqueue_symbols(stream, table, &state.symbols)?;
        }
        self.symbols_changed = false;
        Ok(())
    }

    /// Whether a later step has to wait for a size tensor of this one.
    pub(super) fn is_awaited(&self, position: usize) -> bool {
        self.reads[self.after[position].reads.clone()].iter().any(|read| read.awaited)
    }

    /// Waits for the size tensors that the extents of a step follow from, and sets their symbols. Allocates nothing.
    ///
    /// # Errors
    /// When one wasn't written or is above its upper bound, or the work before failed: with the position of the step at
    /// fault, if that is known.
    pub(super) fn settle(
        &mut self,
        position: usize,
        plan: &Plan,
        state: &mut State,
        stream: &Stream,
    ) -> Result<(), (Option<usize>, Error)> {
        let end = self.after[position].reads.start;
        let pending = self.settled.min(end)..end;
        let awaited = &plan.steps[position].awaited;
        if !self.reads[pending.clone()].iter().any(|read| awaited.contains(&read.size.symbol.position())) {
            return Ok(());
        }
        stream.synchronize().map_err(|error| (None, error))?;
        for index in pending {
            let read = &self.reads[index];
            if read.awaited {
                let taken = self.take(index, state).map_err(|error| (Some(read.position), error))?;
                state.symbols[read.size.symbol.position()] = taken;
            }
        }
        self.settled = end;
        Ok(())
    }

    /// The value of a size tensor that was copied to the host.
    fn take(&self, index: usize, state: &State) -> Result<i64> {
        let read = &self.reads[index];
        let word = self.found.read_word(index * WORD).unwrap_or(-1);
        let found = match state.memories[read.position].outputs()[read.size.output].info.dtype {
            DataType::Int64 => word,
            _ => i64::from(word as i32),
        };
        check_size(read.size.output, found, state.upper_bounds[read.size.symbol.position()]).map(|()| found)
    }

    /// Enqueues the extents that follow from a step's size tensors, and their copies to the host.
    #[inline]
    pub(super) fn after_step(
        &mut self,
        position: usize,
        step: &PlannedStep,
        state: &State,
        active: &Active<'_>,
        stream: &Stream,
    ) -> Result<()> {
        if step.sizes.is_empty() {
            return Ok(());
        }
        let AfterStep { settle, reads } = &self.after[position];
        let outputs = state.memories[position].outputs();
        if let (Some(settle), Some(table)) = (settle, active.extents_table()) {
            self.places.clear();
            for size in &step.sizes {
                let tensor = &outputs[size.output];
                self.places.push(SizePlace {
                    address: active.device_address(tensor.region, false)?,
                    wide: tensor.info.dtype == DataType::Int64,
                    upper: state.upper_bounds[size.symbol.position()],
                    symbol: size.symbol.position(),
                });
            }
            settle.enqueue(stream, table, &self.places)?;
        }
        for read in reads.clone().filter(|&read| self.reads[read].in_arena.is_none()) {
            let tensor = &outputs[self.reads[read].size.output];
            let address = active.device_address(tensor.region, false)?;
            memory::copy_to_pinned(stream.cuda()?, address, &self.found, read * WORD, tensor.region.len.min(WORD))?;
        }
        Ok(())
    }

    /// Enqueues a mark that the step is done.
    pub(super) fn mark(&self, position: usize, stream: &Stream) -> Result<()> {
        let word = self.found.address() + (self.reads.len() * WORD) as u64;
        stream.cuda()?.write_word(word, position as u32 + 1)
    }

    pub(super) fn clear_marks(&mut self) {
        let word = self.reads.len() * WORD;
        self.found.write_word(word, 0);
    }

    /// How many steps of the last run were done, where they were marked.
    pub(super) fn steps_done(&self) -> usize {
        let word = self.found.read_word(self.reads.len() * WORD).unwrap_or(0);
        (word & i64::from(u32::MAX)) as usize
    }

    /// Ends a run.
    #[inline]
    pub(super) fn end(&mut self, stream: &Stream, captured: bool) -> Result<()> {
        // What a captured run finds is found when the graph is launched.
        self.pending = self.for_outputs && !captured;
        if self.pending && self.copied_in_run { stream.cuda()?.record_event(&self.finished) } else { Ok(()) }
    }

    /// Waits for the size tensors of the last run, and sets their symbols. Returns whether there were any.
    pub(super) fn take_sizes(&mut self, plan: &Plan, state: &mut State, frame: &Frame) -> Result<bool> {
        if !std::mem::take(&mut self.pending) {
            return Ok(false);
        }
        self.copy_from_arena(state, frame)?;
        if self.copied_in_run {
            self.finished.synchronize()?;
        }
        for (index, read) in self.reads.iter().enumerate().filter(|(_, read)| read.for_outputs) {
            let (step, memory) = (&plan.steps[read.position], &state.memories[read.position]);
            let found = self.take(index, state).map_err(|e| in_step(step, Some(memory), e))?;
            state.symbols[read.size.symbol.position()] = found;
        }
        Ok(true)
    }

    fn copy_from_arena(&self, state: &State, frame: &Frame) -> Result<()> {
        let (Some(last), Some(arena)) = (&self.last, frame.arena_address()) else { return Ok(()) };
        let _bound = self.gpu.bind()?;
        let mut queue = last.cuda()?.clone();
        if queue.is_borrowed() {
            // It may be gone.
            queue = services::stream(self.gpu)?;
            queue.wait_for(last.cuda()?)?;
        }
        let mut any = false;
        for (index, read) in self.reads.iter().enumerate() {
            let Some(offset) = read.in_arena else { continue };
            let len = state.memories[read.position].outputs()[read.size.output].region.len.min(WORD);
            memory::copy_to_pinned(&queue, arena + offset as u64, &self.found, index * WORD, len)?;
            any = true;
        }
        if any { queue.synchronize() } else { Ok(()) }
    }

    /// Waits until the last run is done.
    pub(super) fn drain(&self) {
        if let Some(last) = &self.last {
            // Nobody is left to be told of an error.
            let _ = last.cuda().and_then(|queue| queue.finish());
        }
    }
}

fn needs(output: &OutputShape, symbol: usize) -> bool {
    output.extents.iter().filter(|e| data_dependent(e)).flat_map(ShapeExpr::symbols).any(|s| s.index as usize == symbol)
}

/// Adds the layer that takes most memory to an out-of-memory error of a context.
pub(super) fn without_memory(plan: &Plan, error: Error) -> Error {
    if error.kind() != ErrorKind::OutOfMemory {
        return error;
    }
    let bytes = |step: &PlannedStep| step.memory.arena_bytes();
    let Some(largest) = plan.steps.iter().max_by_key(|step| bytes(step)) else { return error };
    let (bytes, arena) = (bytes(largest), plan.arena);
    let text = format!(
        "an execution context needs {arena} bytes for intermediate tensors and workspaces, {bytes} of them for this \
         layer, which takes most"
    );
    in_step(largest, Some(&largest.memory), error.within(text))
}

/// The engine's constants in the GPU's memory, copied there once.
pub(super) fn constants(engine: &EngineInner, gpu: &'static Gpu) -> Result<Arc<crate::device::cuda::DeviceConstants>> {
    let mut kept = engine.on_device.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(constants) = &*kept {
        return Ok(constants.clone());
    }
    let constants = Arc::new(crate::device::cuda::DeviceConstants::new(gpu, &engine.constants)?);
    *kept = Some(constants.clone());
    Ok(constants)
}
