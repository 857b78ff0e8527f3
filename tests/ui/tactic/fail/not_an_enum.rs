#![allow(unused_variables)]

use plugin_runtime::prelude::*;

#[derive(Clone, Copy, Tactic)]
struct Choice;

#[derive(Clone, Copy, Tactic)]
enum Empty {}

fn main() {}
