#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[autotune("test::scale")]
fn scale_autotune(inp0: &TensorDesc, inp1: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    Vec::new()
}

fn main() {}
