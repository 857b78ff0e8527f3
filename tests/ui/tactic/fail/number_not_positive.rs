#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[derive(Clone, Copy, Tactic)]
enum FromZero {
    Rows,
    Elements,
}

#[derive(Clone, Copy, Tactic)]
enum Negative {
    Rows = -1,
}

#[derive(Clone, Copy, Tactic)]
#[repr(i64)]
enum TooLarge {
    Rows = 1 << 31,
}

fn main() {}
