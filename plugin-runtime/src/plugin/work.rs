//! One thing to do with views of memory. The engine, the tuner and hosts all end here.

use std::sync::Arc;

use super::ImplEntry;
use crate::device::cuda::AotLaunches;
use crate::device::{Active, DynAttributes, Invocation, StepMemory, StepViews, Stream, cpu, cuda};
use crate::error::Result;
use crate::guard::guarded;

/// One thing to do with views of memory.
#[derive(Debug)]
pub(crate) enum Work {
    /// Converts type and layout, or copies.
    Reformat,
    /// An impl with a tactic.
    Impl { implementation: &'static ImplEntry, attributes: Arc<DynAttributes>, tactic: i32 },
    /// Kernels compiled ahead of time, with their launch dimensions and arguments.
    Kernels(AotLaunches),
}

impl Work {
    /// Does it in the memory of one step, on the CPU, or enqueues it. Allocates nothing of its own.
    ///
    /// # Errors
    /// When an impl fails or panics, or the device refuses a launch.
    #[inline]
    pub(crate) fn run(&mut self, active: &mut Active<'_>, memory: &StepMemory, stream: &Stream) -> Result<()> {
        match self {
            Work::Reformat => reformat(active.step(memory), stream),
            Work::Impl { implementation, attributes, tactic } => {
                // Made of its parts here: what is handed over in memory, and copied in wider pieces than it was written in,
                // is waited for.
                let mut invocation = Invocation::new(active.step(memory), &**attributes, stream, *tactic);
                guarded(|| (implementation.run)(&mut invocation))
            }
            Work::Kernels(kernels) => kernels.launch(&active.step(memory), stream),
        }
    }
}

// What is rarer is kept out of the way of what an impl's run takes.
#[inline(never)]
fn reformat(mut views: StepViews<'_>, stream: &Stream) -> Result<()> {
    let source = views.input(0)?;
    let [target] = views.outputs()?;
    let (from, to) = (source.info(), target.info());
    if stream.device().gpu().is_some() {
        return cuda::reformat::reformat(
            stream,
            (from.representation(), source.device_bytes()?),
            (to.representation(), target.into_device_bytes()?),
            &from.dims,
            source.device_shape(),
        );
    }
    let (source, target) = (source.bytes()?, target.into_bytes()?);
    cpu::reformat::reformat(from.representation(), source, to.representation(), target, &from.dims)
}
