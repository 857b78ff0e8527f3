//! The kernels that an engine holds, so that it needs neither this plugin nor a compiler.

use plugin_runtime::prelude::*;

use super::circ_pad_plugin;
use super::kernels::AOT;

/// Threads of a block of the kernel that engines hold.
#[derive(Tactic, Clone, Copy, Debug)]
pub enum CircPadAotTactic {
    /// 256 threads per block.
    Block256 = 21,
    /// 1024 threads per block.
    Block1024 = 22,
}

/// One element of the output per thread; for 4 dimensions, and up to 2^31 - 1 elements.
#[aot_impl("sample::circ_pad_plugin")]
fn circ_pad_aot(
    inp0: &TensorDesc,
    pads: &[i32],
    outputs: &[TensorDesc; 1],
    tactic: CircPadAotTactic,
) -> Result<AotKernel> {
    let [out] = outputs;
    if inp0.rank() != 4 {
        bail!("the kernels that an engine can hold pad 4 dimensions, not {}: leave AOT out", inp0.rank());
    }
    let threads = match tactic {
        CircPadAotTactic::Block256 => 256,
        CircPadAotTactic::Block1024 => 1024,
    };
    let name = match inp0.dtype() {
        DataType::Float16 => "circ_pad_aot_f16",
        _ => "circ_pad_aot_f32",
    };
    let before = (0..4).map(|dim| pads.get(2 * (3 - dim)).copied().unwrap_or(0).into());
    let extents = inp0.shape_exprs().iter().chain(out.shape_exprs().iter().skip(1)).cloned();
    let arguments: Vec<ShapeExpr> = before.chain(extents).chain([inp0.numel(), out.numel()]).collect();
    Ok(AotKernel::new(name, &AOT).grid([out.numel().ceil_div(threads)]).block([threads]).extra_args(arguments))
}
