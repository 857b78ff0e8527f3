#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn slice(inp0: Tensor, inp1: Tensor, outputs: &mut [TensorMut]) {}

#[impl_plugin("test::scale", device = cpu)]
fn single(inp0: Tensor, inp1: Tensor, outputs: TensorMut) {}

#[impl_plugin("test::scale", device = cpu)]
fn another_name(inp0: Tensor, inp1: Tensor, out: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cpu)]
fn one_by_one(inp0: Tensor, inp1: Tensor, block_size: i32, y: TensorMut, z: &mut TensorMut, tactic: i32) {}

#[impl_plugin("test::scale", device = cpu)]
fn not_written_to(inp0: Tensor, inp1: Tensor, block_size: i32, [y]: [Tensor; 1], tactic: i32) {}

fn main() {}
