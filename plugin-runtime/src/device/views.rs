//! Views of the memory of one step.

use std::ptr::NonNull;

use super::active::Active;
use super::step::{PlacedTensor, Slot, StepMemory, no_slot};
use crate::error::{Error, Result};
use crate::tensor::{Data, DataMut, Tensor, TensorMut, Workspace};

impl Active<'_> {
    /// The memory of one step, for one run of it. Exclusive, so that views of two steps never live at once.
    #[inline]
    pub(crate) fn step<'s>(&'s mut self, memory: &'s StepMemory) -> StepViews<'s> {
        StepViews::new(self, memory)
    }
}

/// Views of the memory of one step.
#[derive(Debug)]
pub(crate) struct StepViews<'s> {
    active: &'s Active<'s>,
    memory: &'s StepMemory,
    outputs_taken: bool,
    workspace_taken: bool,
}

impl<'s> StepViews<'s> {
    #[inline]
    pub(super) fn new(active: &'s Active<'s>, memory: &'s StepMemory) -> Self {
        StepViews { active, memory, outputs_taken: false, workspace_taken: false }
    }

    // In line, so that the view needn't be handed over in memory: its parts are used at once.
    #[inline(always)]
    pub(crate) fn input(&self, index: usize) -> Result<Tensor<'s>> {
        let Some(input) = self.memory.inputs().get(index) else { return Err(self.no_input(index)) };
        if let Some(output) = input.in_place {
            return Ok(Tensor::new(&input.tensor.info, Data::InPlace(output), None));
        }
        let start = self.active.locate(&input.tensor.region, false)?;
        if let Some(extents) = self.active.device() {
            let data = Data::Device(start.addr().get() as u64, input.tensor.region.len);
            return Ok(Tensor::new(&input.tensor.info, data, extents.of(&input.tensor)));
        }
        // SAFETY: `locate` checked the range; the base is borrowed for 's. `StepMemory::new` saw that no output and
        // not the workspace overlaps it, and views of another step can't live at once (`Active::step` is exclusive).
        #[expect(unsafe_code, reason = "a shared slice that no exclusive one overlaps")]
        let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), input.tensor.region.len) };
        Ok(Tensor::new(&input.tensor.info, Data::Host(bytes), None))
    }

    // As `input`.
    #[inline(always)]
    pub(crate) fn outputs<const N: usize>(&mut self) -> Result<[TensorMut<'s>; N]> {
        let memory = self.memory;
        let Ok(placed) = <&[PlacedTensor; N]>::try_from(memory.outputs()) else { return Err(self.other_outputs(N)) };
        if std::mem::replace(&mut self.outputs_taken, true) {
            return Err(taken_twice("outputs were"));
        }
        let mut starts = [NonNull::dangling(); N];
        for (start, tensor) in starts.iter_mut().zip(placed) {
            *start = self.active.locate(&tensor.region, true)?;
        }
        Ok(std::array::from_fn(|i| {
            let tensor = &placed[i];
            if let Some(extents) = self.active.device() {
                let data = DataMut::Device(starts[i].addr().get() as u64, tensor.region.len);
                return TensorMut::new(&tensor.info, data, extents.of(tensor));
            }
            // SAFETY: `locate` checked the range and that it may be written; `StepMemory::new` saw that it overlaps
            // no other view of this step; it is handed out once.
            #[expect(unsafe_code, reason = "an exclusive slice that nothing overlaps")]
            let bytes = unsafe { std::slice::from_raw_parts_mut(starts[i].as_ptr(), tensor.region.len) };
            TensorMut::new(&tensor.info, DataMut::Host(bytes), None)
        }))
    }

    #[cold]
    fn no_input(&self, index: usize) -> Error {
        Error::invalid(format_args!("input {index} of {} was asked for", self.memory.inputs().len()))
    }

    #[cold]
    fn other_outputs(&self, count: usize) -> Error {
        let outputs = self.memory.outputs().len();
        Error::invalid(format_args!("{count} outputs were asked for, but there are {outputs}"))
    }

    /// Address of an input, for a kernel's parameter. One that an output is updated in place over may be
    /// written.
    #[inline]
    pub(super) fn input_address(&self, index: usize) -> Result<u64> {
        let Some(input) = self.memory.inputs().get(index) else { return Err(no_slot(Slot::Input(index))) };
        self.active.device_address(input.tensor.region, false)
    }

    /// Address of an output, as [`StepViews::input_address`].
    #[inline]
    pub(super) fn output_address(&self, index: usize) -> Result<u64> {
        let Some(output) = self.memory.outputs().get(index) else { return Err(no_slot(Slot::Output(index))) };
        self.active.device_address(output.region, true)
    }

    /// Address of the workspace, as [`StepViews::input_address`].
    #[inline]
    pub(super) fn workspace_address(&self) -> Result<u64> {
        self.active.device_address(self.memory.present_workspace(), true)
    }

    #[inline]
    pub(super) fn workspace(&mut self) -> Result<Workspace<'s>> {
        if std::mem::replace(&mut self.workspace_taken, true) {
            return Err(taken_twice("workspace was"));
        }
        let region = self.memory.present_workspace();
        let start = self.active.locate(&region, true)?;
        if self.active.device().is_some() {
            return Ok(Workspace::new(DataMut::Device(start.addr().get() as u64, region.len)));
        }
        // SAFETY: as for the outputs.
        #[expect(unsafe_code, reason = "an exclusive slice that nothing overlaps")]
        let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), region.len) };
        Ok(Workspace::new(DataMut::Host(bytes)))
    }
}

#[cold]
fn taken_twice(what: &str) -> Error {
    Error::invalid(format_args!("the {what} taken twice"))
}
