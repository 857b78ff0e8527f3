#![allow(unused_variables)]

use plugin_runtime::prelude::*;

const ID: &str = "test::f";

#[register(ID)]
fn f(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register(concat!("test::", "g"))]
fn g(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
