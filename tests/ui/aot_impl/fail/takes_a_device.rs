#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[aot_impl("test::scale", device = cuda)]
fn scale_aot(inp0: &TensorDesc, inp1: &TensorDesc, outputs: &[TensorDesc; 1], workspace: Workspace) -> AotKernel {
    loop {}
}

fn main() {}
