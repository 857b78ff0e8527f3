#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[register("ops::f")]
struct F;

fn main() {}
