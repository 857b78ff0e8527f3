#![allow(unused_variables)]

use plugin_runtime::prelude::*;

struct OfAnotherCrate;

#[register("ops::f")]
fn f(x: &TensorDesc) -> std::result::Result<TensorDesc, OfAnotherCrate> {
    Ok(x.like())
}

#[register("ops::g")]
fn g(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("ops::g", device = cpu)]
fn g_cpu(x: Tensor, outputs: [TensorMut; 1]) -> std::result::Result<(), OfAnotherCrate> {
    Err(OfAnotherCrate)
}

fn main() {}
