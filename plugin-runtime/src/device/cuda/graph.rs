//! Recorded work.

use super::sys::{self, CUgraph, CUgraphExec};

use super::driver::check;
use crate::error::Result;

/// Recorded work.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(super) raw: CUgraph,
}

impl Recorded {
    /// Makes it ready to run.
    pub(crate) fn instantiate(&self) -> Result<Graph> {
        let mut raw: CUgraphExec = std::ptr::null_mut();
        // SAFETY: the graph lives; the pointer is to a local.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuGraphInstantiateWithFlags(&raw mut raw, self.raw, 0) }, "cuGraphInstantiate")?;
        Ok(Graph { raw })
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: nobody else has it.
            #[expect(unsafe_code, reason = "calls the driver")]
            let _ = unsafe { sys::cuGraphDestroy(self.raw) };
        }
    }
}

/// Recorded work, ready to run.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(super) raw: CUgraphExec,
}

// SAFETY: a handle that is used by one thread at a time, since launches borrow the context that owns it exclusively.
#[expect(unsafe_code, reason = "a handle of the driver that may change threads")]
unsafe impl Send for Graph {}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: nobody else has it; the driver waits with what still runs.
        #[expect(unsafe_code, reason = "calls the driver")]
        let _ = unsafe { sys::cuGraphExecDestroy(self.raw) };
    }
}
