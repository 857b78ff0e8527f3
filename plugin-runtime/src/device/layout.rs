//! Lays out the memory of a step, tensor by tensor.

use std::sync::Arc;

use super::{PlacedInput, PlacedTensor, Region, StepMemory};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{Representation, TensorInfo};

/// Lays out the memory of a step: its inputs, then its outputs, then its workspace.
#[derive(Debug)]
pub(crate) struct StepLayout<'a> {
    aliases: &'a [Option<usize>],
    inputs: Vec<PlacedInput>,
    outputs: Vec<PlacedTensor>,
}

impl<'a> StepLayout<'a> {
    /// For each output, the input that it is updated in place over.
    pub(crate) fn new(aliases: &'a [Option<usize>]) -> Self {
        StepLayout { aliases, inputs: Vec::new(), outputs: Vec::new() }
    }

    /// The next input. `region` is all that is reserved for it.
    pub(crate) fn input(&mut self, name: Arc<str>, representation: Representation, dims: Dims, region: Region) {
        let in_place = self.aliases.iter().position(|a| *a == Some(self.inputs.len()));
        self.inputs.push(PlacedInput { tensor: placed(name, representation, dims, region), in_place });
    }

    /// The next output, `outputs[0]` and so on.
    pub(crate) fn output(&mut self, representation: Representation, dims: Dims, region: Region) {
        let name = format!("outputs[{}]", self.outputs.len()).into();
        self.outputs.push(placed(name, representation, dims, region));
    }

    /// # Errors
    /// When what is written overlaps something else, or an output that is updated in place isn't its input.
    pub(crate) fn finish(self, workspace: Region) -> Result<StepMemory> {
        for (output, (placed, input)) in self.outputs.iter().zip(self.aliases).enumerate() {
            let Some(input) = input.and_then(|input| self.inputs.get(input)) else { continue };
            let [a, b] = [&input.tensor, placed].map(|p| (p.region, p.info.dtype, p.info.format, p.info.dims));
            if a != b {
                return Err(Error::invalid(format_args!(
                    "outputs[{output}] is updated in place over `{}`, but differs from it in memory, type, layout or shape",
                    input.tensor.info.name
                )));
            }
        }
        StepMemory::new(self.inputs, self.outputs, workspace)
    }
}

fn placed(name: Arc<str>, representation: Representation, dims: Dims, region: Region) -> PlacedTensor {
    PlacedTensor { info: TensorInfo::new(name, representation, dims), region, capacity: region.len, extents: None }
}
