#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f", crate = super::plugin_runtime)]
fn f(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn main() {}
