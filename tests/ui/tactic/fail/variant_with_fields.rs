#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[derive(Clone, Copy, Tactic)]
enum Choice {
    Rows(i32),
    Elements { width: i32 },
    Whole,
}

/// What is wrong with the enum isn't said again where it is used.
#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: Choice) {}

#[autotune("test::scale")]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([Choice::Whole])]
}

fn main() {}
