//! The memory of one step of an engine.

use super::region::{Base, Region};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::TensorInfo;

/// A tensor and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct PlacedTensor {
    pub(crate) info: TensorInfo,
    pub(crate) region: Region,
    /// The most bytes the region may grow to.
    pub(crate) capacity: usize,
    /// Offset of the true extents in the device's table, in bytes, where only the device knows them.
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
    /// `workspace` is the whole region that is reserved for scratch memory.
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

    /// The region that is reserved for the workspace.
    pub(crate) fn workspace(&self) -> Region {
        Region { len: self.workspace_capacity, ..self.workspace }
    }

    /// The part of it that a run gets at the present shapes.
    #[inline]
    pub(super) fn present_workspace(&self) -> Region {
        self.workspace
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

    /// Bytes of the arena that are reserved for its tensors and workspace.
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
        tensor.info.resize(dims);
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
pub(super) fn no_slot(slot: Slot) -> Error {
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
