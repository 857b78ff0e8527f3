#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc) -> TensorDesc {
    inp0.like()
}

#[aot_impl("test::scale", device_shap = true)]
fn misspelt(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    loop {}
}

#[aot_impl("test::scale", device_shape = 1)]
fn no_bool(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    loop {}
}

#[autotune("test::scale", device_shape = true)]
fn elsewhere(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![]
}

fn main() {}
