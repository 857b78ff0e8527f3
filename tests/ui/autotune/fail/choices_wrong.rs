use plugin_runtime::prelude::*;

fn lists() -> Vec<AutoTuneCombination> {
    let each = AutoTuneCombination::by_position;
    vec![
        AutoTuneCombination::new(["FP32", "FP16"]),
        AutoTuneCombination::new("FP32").layouts(["LINEAR", "CHW4"]),
        each().pos(0, [DataType::Float32, DataType::Float16]),
        each().pos_with_layouts(0, Format::Linear, DataType::Float32),
        each().pos("x", DataType::Float32),
        each().pos((0, 1), DataType::Float32),
    ]
}

fn main() {}
