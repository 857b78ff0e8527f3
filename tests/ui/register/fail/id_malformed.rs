#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("f")]
fn no_namespace(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("a::b::f")]
fn two_separators(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("my.ops::f")]
fn dotted(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ops::pad-2d")]
fn not_an_identifier(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[register("ops::match")]
fn keyword(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
