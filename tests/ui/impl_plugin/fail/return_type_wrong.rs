#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn value(inp0: Tensor, inp1: Tensor, outputs: [TensorMut; 1]) -> i32 {
    0
}

#[impl_plugin("test::scale", device = cuda)]
fn foreign_error(inp0: Tensor, inp1: Tensor, outputs: [TensorMut; 1]) -> std::result::Result<(), std::fmt::Error> {
    Ok(())
}

fn main() {}
