#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[derive(Tactic)]
enum Choice {
    Rows = 1,
}

fn main() {}
