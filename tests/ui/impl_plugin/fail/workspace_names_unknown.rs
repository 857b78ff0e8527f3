#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[impl_plugin("test::scale", device = cuda, workspace = inp2.numel())]
fn scale_cuda(inp0: Tensor, inp1: Tensor, outputs: [TensorMut; 1], workspace: Workspace) {}

fn main() {}
