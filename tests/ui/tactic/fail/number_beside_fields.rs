use plugin_runtime::prelude::*;

/// What the compiler says of it by itself can't be helped.
#[derive(Clone, Copy, Tactic)]
enum Way {
    Rows { width: u32 } = 1,
    Tiles(u32, u32),
    Whole = 3,
}

fn main() {}
