#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
fn f(x: &TensorDesc) {}

fn main() {}
