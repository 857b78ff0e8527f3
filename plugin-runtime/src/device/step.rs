//! The memory of one step of an engine, and its views.

use std::ptr::NonNull;

use super::frame::{Active, Base, Region};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{Data, DataMut, Tensor, TensorInfo, TensorMut, Workspace};

/// A tensor and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct PlacedTensor {
    pub(crate) info: TensorInfo,
    pub(crate) region: Region,
    /// The most bytes the region may grow to.
    pub(crate) capacity: usize,
    /// Where among the engine's extents on the device the true ones are, where only the device knows them.
    pub(crate) extents: Option<usize>,
}

impl PlacedTensor {
    fn reserved(&self) -> Region {
        Region { len: self.capacity, ..self.region }
    }
}

/// An input of a step.
#[derive(Clone, Debug)]
pub(crate) struct PlacedInput {
    pub(crate) tensor: PlacedTensor,
    /// The output that is updated in place over it.
    pub(crate) in_place: Option<usize>,
}

/// The memory that one step reads and writes. What it reserves for its outputs and workspace overlaps nothing else,
/// except an input that is updated in place: that is checked when it is made, and a region can't outgrow what is
/// reserved for it.
#[derive(Clone, Debug)]
pub(crate) struct StepMemory {
    inputs: Vec<PlacedInput>,
    outputs: Vec<PlacedTensor>,
    workspace: Region,
    workspace_capacity: usize,
}

impl StepMemory {
    /// `workspace` is all that is reserved for scratch memory.
    pub(crate) fn new(inputs: Vec<PlacedInput>, outputs: Vec<PlacedTensor>, workspace: Region) -> Result<Self> {
        let clash = |what: &str| Err(Error::invalid(format_args!("{what} would lie in the same memory")));
        for (i, output) in outputs.iter().enumerate() {
            let reserved = output.reserved();
            for (j, input) in inputs.iter().enumerate() {
                if input.in_place != Some(i) && input.tensor.reserved().overlaps(&reserved) {
                    return clash(&format!("input {j} and output {i}"));
                }
            }
            if outputs[..i].iter().any(|o| o.reserved().overlaps(&reserved)) {
                return clash("two outputs");
            }
            if workspace.overlaps(&reserved) {
                return clash("the workspace and an output");
            }
        }
        if inputs.iter().any(|i| i.tensor.reserved().overlaps(&workspace)) {
            return clash("the workspace and an input");
        }
        let workspace_capacity = workspace.len;
        let fits = |t: &PlacedTensor| t.region.len <= t.capacity;
        if !(inputs.iter().all(|i| fits(&i.tensor)) && outputs.iter().all(fits)) {
            return Err(Error::invalid("a tensor is larger than what is reserved for it"));
        }
        Ok(StepMemory { inputs, outputs, workspace, workspace_capacity })
    }

    #[inline]
    pub(crate) fn inputs(&self) -> &[PlacedInput] {
        &self.inputs
    }

    #[inline]
    pub(crate) fn outputs(&self) -> &[PlacedTensor] {
        &self.outputs
    }

    /// What is reserved for scratch memory.
    pub(crate) fn workspace(&self) -> Region {
        Region { len: self.workspace_capacity, ..self.workspace }
    }

    pub(crate) fn info(&self, slot: Slot) -> Option<&TensorInfo> {
        match slot {
            Slot::Input(i) => self.inputs.get(i).map(|i| &i.tensor.info),
            Slot::Output(i) => self.outputs.get(i).map(|o| &o.info),
        }
    }

    /// How many dimensions each input, then each output has.
    pub(crate) fn ranks(&self) -> impl Iterator<Item = usize> {
        let inputs = self.inputs.iter().map(|input| &input.tensor);
        inputs.chain(&self.outputs).map(|tensor| tensor.info.dims.len())
    }

    /// Says where among the engine's extents on the device those of a tensor are, inputs counted first.
    pub(crate) fn place_extents(&mut self, tensor: usize, offset: usize) {
        let inputs = self.inputs.iter_mut().map(|input| &mut input.tensor);
        if let Some(tensor) = inputs.chain(&mut self.outputs).nth(tensor) {
            tensor.extents = Some(offset);
        }
    }

    /// What is reserved in the engine's own memory for its tensors and workspace.
    pub(crate) fn arena_bytes(&self) -> usize {
        let inputs = self.inputs.iter().map(|input| &input.tensor);
        let tensors = inputs.chain(&self.outputs).filter(|tensor| tensor.region.base == Base::Arena);
        tensors.map(|tensor| tensor.capacity).fold(self.workspace_capacity, usize::saturating_add)
    }

    /// `x FP32 [2, 3] -> FP32 [2, 3]`
    pub(crate) fn describe(&self) -> String {
        let inputs = self.inputs.iter().map(|i| format!("{} {}", i.tensor.info.name, i.tensor.info.layout()));
        let outputs = self.outputs.iter().map(|o| o.info.layout());
        let (inputs, outputs): (Vec<String>, Vec<String>) = (inputs.collect(), outputs.collect());
        format!("{} -> {}", inputs.join(", "), outputs.join(", "))
    }

    /// Changes the extents and the length of one tensor, within what is reserved for it.
    pub(crate) fn resize(&mut self, slot: Slot, dims: Dims, len: usize) -> Result<()> {
        let tensor = match slot {
            Slot::Input(i) => self.inputs.get_mut(i).map(|i| &mut i.tensor),
            Slot::Output(i) => self.outputs.get_mut(i),
        };
        let Some(tensor) = tensor else { return Err(no_slot(slot)) };
        if len > tensor.capacity {
            return Err(outgrown(&tensor.info.name, len, tensor.capacity));
        }
        tensor.info.dims = dims;
        tensor.region.len = len;
        Ok(())
    }

    /// Changes the length of the workspace, within what is reserved for it.
    pub(crate) fn resize_workspace(&mut self, len: usize) -> Result<()> {
        if len > self.workspace_capacity {
            return Err(outgrown("workspace", len, self.workspace_capacity));
        }
        self.workspace.len = len;
        Ok(())
    }
}

#[cold]
fn no_slot(slot: Slot) -> Error {
    Error::invalid(format_args!("no {slot:?} in this step"))
}

#[cold]
fn outgrown(what: &str, len: usize, capacity: usize) -> Error {
    Error::invalid(format_args!("`{what}` needs {len} bytes, but {capacity} are reserved for it"))
}

/// One tensor of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    Input(usize),
    Output(usize),
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

    #[inline]
    pub(crate) fn input(&self, index: usize) -> Result<Tensor<'s>> {
        let Some(input) = self.memory.inputs.get(index) else {
            return Err(Error::invalid(format_args!("input {index} of {} was asked for", self.memory.inputs.len())));
        };
        if let Some(output) = input.in_place {
            return Ok(Tensor::new(&input.tensor.info, Data::InPlace(output), None));
        }
        let start = self.active.locate(input.tensor.region, false)?;
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

    #[inline]
    pub(crate) fn outputs<const N: usize>(&mut self) -> Result<[TensorMut<'s>; N]> {
        let memory = self.memory;
        let placed: &[PlacedTensor; N] = memory.outputs.as_slice().try_into().map_err(|_| {
            Error::invalid(format_args!("{N} outputs were asked for, but there are {}", memory.outputs.len()))
        })?;
        if std::mem::replace(&mut self.outputs_taken, true) {
            return Err(Error::invalid("the outputs were taken twice"));
        }
        let mut starts = [NonNull::dangling(); N];
        for (start, tensor) in starts.iter_mut().zip(placed) {
            *start = self.active.locate(tensor.region, true)?;
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

    /// Where an input lies, for a kernel that is given addresses. One that an output is updated in place over may be
    /// written.
    #[inline]
    pub(super) fn input_address(&self, index: usize) -> Result<u64> {
        let Some(input) = self.memory.inputs.get(index) else { return Err(no_slot(Slot::Input(index))) };
        self.active.device_address(input.tensor.region, false)
    }

    /// Where an output lies, as [`StepViews::input_address`].
    #[inline]
    pub(super) fn output_address(&self, index: usize) -> Result<u64> {
        let Some(output) = self.memory.outputs.get(index) else { return Err(no_slot(Slot::Output(index))) };
        self.active.device_address(output.region, true)
    }

    /// Where the scratch memory lies, as [`StepViews::input_address`].
    #[inline]
    pub(super) fn workspace_address(&self) -> Result<u64> {
        self.active.device_address(self.memory.workspace, true)
    }

    #[inline]
    pub(super) fn workspace(&mut self) -> Result<Workspace<'s>> {
        if std::mem::replace(&mut self.workspace_taken, true) {
            return Err(Error::invalid("the workspace was taken twice"));
        }
        let region = self.memory.workspace;
        let start = self.active.locate(region, true)?;
        if self.active.device().is_some() {
            return Ok(Workspace::new(DataMut::Device(start.addr().get() as u64, region.len)));
        }
        // SAFETY: as for the outputs.
        #[expect(unsafe_code, reason = "an exclusive slice that nothing overlaps")]
        let bytes = unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), region.len) };
        Ok(Workspace::new(DataMut::Host(bytes)))
    }
}
