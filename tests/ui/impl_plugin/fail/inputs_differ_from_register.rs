#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn swapped(inp1: Tensor, inp0: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cpu)]
fn renamed(inp0: Tensor, weights: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cpu)]
fn one_less(inp0: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cpu)]
fn one_more(inp0: Tensor, inp1: Tensor, inp2: Tensor, outputs: [TensorMut; 1]) {}

fn main() {}
