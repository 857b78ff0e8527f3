#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register]
fn f(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
