#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(inp0: &TensorDesc, inp1: &TensorDesc, block_size: i32, #[default([1])] pads: &[i64]) -> TensorDesc {
    inp0.like()
}

#[autotune("test::scale")]
fn unknown_types(inp0: &TensorDesc, inp1: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, INT23, FP32|FP16"), AutoTuneCombination::new("FP32, FP32")]
}

#[autotune("test::scale")]
fn unknown_layouts(inp0: &TensorDesc, inp1: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let mut combinations = Vec::new();
    if inp0.rank() == 4 {
        combinations.push(AutoTuneCombination::new("FP32, FP32, FP32").layouts("LINEAR, CHW5, LINEAR"));
    }
    combinations.push(AutoTuneCombination::new("FP32|FP16, FP32*FP16, FP32|FP16|BF16").layouts("LINEAR, LINEAR"));
    combinations
}

#[autotune("test::scale")]
fn by_position(inp0: &TensorDesc, inp1: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let combination = AutoTuneCombination::by_position().pos([0, 1], "FP32, FP16").pos_with_layouts(2, "FP23", "LINEER");
    vec![combination]
}

fn main() {}
