#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
fn f(
    #[default(1)] x: &TensorDesc,
    #[default] a: i32,
    #[default = 1] b: i32,
    #[default(1, 2)] c: &[i32],
    #[default(1)]
    #[default(2)]
    d: i32,
) -> TensorDesc {
    x.like()
}

fn main() {}
