#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc) -> TensorDesc {
    inp0.like()
}

#[impl_plugin("test::scale", device = cuda, device_shapes = true)]
fn misspelt(inp0: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cuda, device_shape = yes)]
fn no_bool(inp0: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cuda, device_shape)]
fn no_value(inp0: Tensor, outputs: [TensorMut; 1]) {}

#[impl_plugin("test::scale", device = cpu, device_shape = true)]
fn on_the_cpu(inp0: Tensor, outputs: [TensorMut; 1]) {}

fn main() {}
