//! The kernels that a plugin's `#[aot_impl]` describes for one combination and tactic of a layer.

use crate::plugin::combination::Combination;
use std::sync::Arc;

use super::candidates::laid_out_descs;
use crate::device::cuda::{AotCompiler, AotProgram, AotSlots};
use crate::error::{Error, Result};
use crate::network::{Layer, Network};
use crate::plugin::AotEntry;

use crate::guard::guarded;
use crate::shape::ShapeExpr;

/// Kernels of a layer, over the network's symbols.
#[derive(Clone, Debug)]
pub(crate) struct AotStep {
    pub(crate) program: Arc<AotProgram>,
    /// Bytes of scratch memory.
    pub(crate) workspace: Option<ShapeExpr>,
}

/// Asks the plugin for its kernels and checks what it says.
///
/// # Errors
/// What the plugin's function returns, and whatever is wrong with what it describes.
pub(crate) fn aot_step(
    network: &Network,
    layer: &Layer,
    entry: &AotEntry,
    combination: &Combination,
    tactic: i32,
    compiler: &AotCompiler,
) -> Result<AotStep> {
    let descs = laid_out_descs(network, layer, combination);
    let (inputs, outputs) = descs.split_at(layer.inputs.len());
    let kernel = guarded(|| (entry.kernel)(inputs, outputs, &*layer.attributes, tactic))?;
    if let Some(reason) = kernel.workspace.as_ref().and_then(ShapeExpr::error) {
        return Err(Error::plugin(format_args!("its workspace: {reason}")));
    }
    let slots = AotSlots {
        inputs: inputs.len(),
        outputs: outputs.len(),
        workspace: kernel.workspace.is_some(),
        device_shape: entry.device_shape,
    };
    let module = compiler.module(&kernel.image).map_err(|e| match kernel.launches.first() {
        Some(launch) => Error::invalid(format_args!("kernel `{}`: {e}", launch.name.escape_debug())),
        None => e,
    })?;
    let program = Arc::new(AotProgram::new(module, &kernel.launches, slots)?);
    Ok(AotStep { program, workspace: kernel.workspace })
}

#[cfg(test)]
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod tests;
