#![allow(unused_variables)]

use plugin_runtime::prelude::*;

const WIDTH: i64 = 4;

#[register("ops::f")]
fn f(
    x: &TensorDesc,
    #[default("big")] block_size: i32,
    #[default([1, 2.0])] pads: &[i64],
    #[default(WIDTH)] width: i32,
    #[default(7)] mode: &str,
) -> TensorDesc {
    x.like()
}

fn main() {}
