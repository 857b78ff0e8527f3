#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[impl_plugin("test::scale", device = cpu, workspace = 16)]
fn scale_cpu<T>(inp0: &Tensor, inp1: Tensor, block_size: u64, outputs: [TensorMut; 1]) {}

fn main() {}
