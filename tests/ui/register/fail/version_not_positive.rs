#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f", version = 0)]
fn f(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ops::g", version = "2")]
fn g(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ops::h", version = 99999999999)]
fn h(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ops::i", version)]
fn i(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
