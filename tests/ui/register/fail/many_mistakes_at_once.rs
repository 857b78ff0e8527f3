#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("trt::f", verison = 2)]
async fn f(scale: u8, x: TensorDesc, stream: i32) {}

fn main() {}
