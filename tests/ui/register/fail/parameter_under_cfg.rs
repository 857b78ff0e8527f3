#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
fn f(x: &TensorDesc, #[cfg(feature = "scaled")] scale: f32) -> TensorDesc {
    x.like()
}

fn main() {}
