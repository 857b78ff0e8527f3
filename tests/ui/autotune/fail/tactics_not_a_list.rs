use plugin_runtime::prelude::*;

#[derive(Clone, Copy, Tactic)]
enum Way {
    Rows = 1,
    Tiles = 2,
}

const ALL: [Way; 2] = [Way::Rows, Way::Tiles];

fn lists() -> Vec<AutoTuneCombination> {
    let types = || AutoTuneCombination::new("FP32");
    vec![
        types().tactics(Way::Rows),
        types().tactics(1),
        types().tactics((Way::Rows, Way::Tiles)),
        types().tactics(ALL.iter()),
        types().tactics([1u32, 2]),
        types().tactics(ALL).reference([Way::Rows]),
    ]
}

fn main() {}
