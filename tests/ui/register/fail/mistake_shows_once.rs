#![allow(unused_variables)]

use plugin_runtime::prelude::*;

/// What is wrong with `register` isn't said again where the plugin is used.
#[register("ops::f")]
fn f(x: &TensorDesc, scale: usize) -> TensorDesc {
    x.like()
}

#[autotune("ops::f")]
fn f_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    Vec::new()
}

#[impl_plugin("ops::f", device = cpu)]
fn f_cpu(x: Tensor, scale: i64, outputs: [TensorMut; 1]) {}

#[allow(unused)]
fn user() {
    let _ = f::op(1, 2).scale(3);
}

fn main() {}
