#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
fn none(x: &TensorDesc) -> () {}

#[register("ops::g")]
fn nine(
    x: &TensorDesc,
) -> (
    TensorDesc,
    TensorDesc,
    TensorDesc,
    TensorDesc,
    TensorDesc,
    TensorDesc,
    TensorDesc,
    TensorDesc,
    TensorDesc,
) {
    loop {}
}

fn main() {}
