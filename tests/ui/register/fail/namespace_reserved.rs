#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("trt::f")]
fn f(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("tensorrt::g")]
fn g(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("std::h")]
fn h(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("::i")]
fn i(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
