#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
fn f(
    x: &TensorDesc,
    a: usize,
    b: String,
    c: Vec<i32>,
    d: [f32; 2],
    e: Option<i64>,
    f: f16,
    g: &[u32],
    h: &i32,
    i: &mut [f32],
    j: &'static str,
    k: std::collections::HashMap<i32, i32>,
) -> TensorDesc {
    x.like()
}

fn main() {}
