#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[derive(Clone, Copy, Tactic)]
enum Choice {
    Rows(i32),
    Elements { width: i32 },
    Whole = 3,
}

fn main() {}
