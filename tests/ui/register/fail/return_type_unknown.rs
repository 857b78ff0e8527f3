#![allow(unused_variables)]

use plugin_runtime::prelude::*;

type Outputs = (TensorDesc, TensorDesc);

#[register("ops::f")]
fn alias(x: &TensorDesc) -> Outputs {
    (x.like(), x.like())
}

#[register("ops::g")]
fn vector(x: &TensorDesc) -> Vec<TensorDesc> {
    vec![x.like()]
}

#[register("ops::h")]
fn array(x: &TensorDesc) -> Result<[TensorDesc; 2]> {
    Ok([x.like(), x.like()])
}

#[register("ops::i")]
fn reference(x: &TensorDesc) -> &TensorDesc {
    x
}

#[register("ops::j")]
fn expression(x: &TensorDesc) -> (TensorDesc, ShapeExpr) {
    (x.like(), x.numel())
}

fn main() {}
