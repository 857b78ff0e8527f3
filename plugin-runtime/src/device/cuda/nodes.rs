//! The kernel nodes of a captured graph.

use super::sys::{self, CUDA_KERNEL_NODE_PARAMS, CUgraphNode, CUgraphNodeType};

use super::driver::check;
use super::graph::Recorded;
use super::stream::CudaStream;
use crate::error::Result;

/// A launch of a kernel, as it was recorded. What its parameters point to belongs to the [`Recorded`] that it is of,
/// which has to live as long.
#[derive(Debug)]
pub(super) struct KernelNode(CUDA_KERNEL_NODE_PARAMS);

impl Recorded {
    /// Its launches of kernels.
    pub(super) fn kernels(&self) -> Result<Vec<KernelNode>> {
        let mut kernels = Vec::new();
        for node in self.nodes()? {
            let mut kind = CUgraphNodeType::CU_GRAPH_NODE_TYPE_EMPTY;
            // SAFETY: the node is the graph's, which lives; the pointer is to a local.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuGraphNodeGetType(node, &raw mut kind) }, "cuGraphNodeGetType")?;
            if kind == CUgraphNodeType::CU_GRAPH_NODE_TYPE_KERNEL {
                kernels.push(kernel(node)?);
            }
        }
        Ok(kernels)
    }

    fn nodes(&self) -> Result<Vec<CUgraphNode>> {
        let mut count = 0;
        // SAFETY: the graph lives; without a place for nodes the driver only counts them.
        #[expect(unsafe_code, reason = "calls the driver")]
        check(unsafe { sys::cuGraphGetNodes(self.raw, std::ptr::null_mut(), &raw mut count) }, "cuGraphGetNodes")?;
        let mut nodes = vec![std::ptr::null_mut(); count];
        if count > 0 {
            // SAFETY: the graph lives; there is room for `count` nodes.
            #[expect(unsafe_code, reason = "calls the driver")]
            check(unsafe { sys::cuGraphGetNodes(self.raw, nodes.as_mut_ptr(), &raw mut count) }, "cuGraphGetNodes")?;
            nodes.truncate(count);
        }
        Ok(nodes)
    }
}

fn kernel(node: CUgraphNode) -> Result<KernelNode> {
    // SAFETY: all zeros are a valid value of this plain struct: no function, no parameters.
    #[expect(unsafe_code, reason = "a C struct that the driver fills")]
    let mut parameters: CUDA_KERNEL_NODE_PARAMS = unsafe { std::mem::zeroed() };
    // SAFETY: the node launches a kernel; the pointer is to a local.
    #[expect(unsafe_code, reason = "calls the driver")]
    let code = unsafe { sys::cuGraphKernelNodeGetParams_v2(node, &raw mut parameters) };
    check(code, "cuGraphKernelNodeGetParams")?;
    if parameters.func.is_null() {
        // The driver takes one for the other.
        parameters.func = parameters.kern.cast();
    }
    Ok(KernelNode(parameters))
}

impl CudaStream {
    /// Launches a kernel as it was recorded.
    #[inline]
    pub(super) fn launch_node(&self, KernelNode(node): &KernelNode) -> Result<()> {
        // SAFETY: the function and what the parameters point to live as long as what was recorded, which the caller has;
        // the memory that they name is borrowed as long.
        #[expect(unsafe_code, reason = "calls the driver")]
        let code = unsafe {
            sys::cuLaunchKernel(
                node.func,
                node.gridDimX,
                node.gridDimY,
                node.gridDimZ,
                node.blockDimX,
                node.blockDimY,
                node.blockDimZ,
                node.sharedMemBytes,
                self.raw(),
                node.kernelParams,
                node.extra,
            )
        };
        check(code, "cuLaunchKernel")
    }
}
