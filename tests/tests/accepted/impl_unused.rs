//! What an impl doesn't use it may name all the same, and is given no advice that would break it.
#![deny(warnings)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> (TensorDesc, TensorDesc) {
    (x.like(), x.like())
}

#[impl_plugin("test::scale", device = cpu, workspace = 64)]
fn scale_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 2], workspace: Workspace, stream: &Stream, tactic: i32) {}

#[impl_plugin("test::scale", device = cuda)]
fn scale_cuda(x: Tensor, [first, second]: [TensorMut; 2]) -> Result<()> {
    let _ = (first, second);
    Ok(())
}
