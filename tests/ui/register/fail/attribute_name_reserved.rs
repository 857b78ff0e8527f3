#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
fn f(x: &TensorDesc, outputs: i32, stream: i32, tactic: i32, workspace: i64) -> TensorDesc {
    x.like()
}

#[register("ops::g")]
fn g(
    x: &TensorDesc,
    plugin_version: i32,
    plugin_namespace: &str,
    aot: bool,
    aot_preferred: bool,
    vmap_method: &str,
) -> TensorDesc {
    x.like()
}

fn main() {}
