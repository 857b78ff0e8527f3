//! Combinations as literals in all the places where they can stand, and as other expressions.
#![deny(warnings)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> (TensorDesc, TensorDesc) {
    (x.like(), x.like())
}

#[autotune("test::scale")]
fn scale_autotune(x: &TensorDesc, factor: f32, outputs: &[TensorDesc; 2]) -> Result<Vec<AutoTuneCombination>> {
    const TYPES: &str = "FP16, FP16, FP16";
    if factor < 0.0 {
        bail!("no combination");
    }
    let by_position = AutoTuneCombination::by_position().pos(0..2, "FP32|FP16").pos_with_layouts(2, "FP32", "LINEAR*CHW4");
    Ok(vec![
        AutoTuneCombination::new("FP32|FP16, FP32|FP16, FP32*FP16").layouts("LINEAR"),
        AutoTuneCombination::new(TYPES).layouts("LINEAR*CHW4, LINEAR, LINEAR").tactics([1, 2]),
        AutoTuneCombination::new(format!("{0}, {0}, {0}", "BF16")),
        Other::new("not a combination").layouts("neither"),
        by_position,
    ])
}

struct Other;

impl Other {
    fn new(_: &str) -> Self {
        Other
    }

    fn layouts(self, _: &str) -> AutoTuneCombination {
        AutoTuneCombination::by_position()
    }
}

fn main() {}
