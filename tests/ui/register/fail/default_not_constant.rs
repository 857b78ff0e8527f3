#![allow(unused_variables)]

use plugin_runtime::prelude::*;

fn width() -> i32 {
    4
}

#[register("ops::f")]
fn f(x: &TensorDesc, #[default(width())] width: i32) -> TensorDesc {
    x.like()
}

fn main() {}
