#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[derive(Clone, Copy, Tactic)]
#[tactic(krate = ::plugin_runtime)]
enum Choice<const N: usize> {
    Rows = 1,
}

fn main() {}
