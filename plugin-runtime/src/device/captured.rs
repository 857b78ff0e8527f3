//! A captured CUDA graph, and the memory that it was captured with.

use super::binding::BasePointer;
use super::cuda::{CudaStream, Graph, Recorded};
use crate::error::Result;

/// A captured CUDA graph, and the memory that it was captured with.
#[derive(Debug)]
pub(super) struct Captured {
    graph: Graph,
    bases: Vec<BasePointer>,
}

impl Captured {
    pub(super) fn new(recorded: &Recorded, bases: &[BasePointer]) -> Result<Self> {
        Ok(Captured { graph: recorded.instantiate()?, bases: bases.to_vec() })
    }

    /// Launches the graph, if it was captured with just this memory. Returns whether it was.
    #[inline]
    pub(super) fn replay(&self, bases: &[BasePointer], stream: &CudaStream) -> Result<bool> {
        if self.bases != bases {
            return Ok(false);
        }
        stream.launch(&self.graph).map(|()| true)
    }
}
