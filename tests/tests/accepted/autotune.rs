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
    let by_position =
        AutoTuneCombination::by_position().pos(0..2, "FP32|FP16").pos_with_layouts(2, "FP32", "LINEAR*CHW4");
    Ok(vec![
        AutoTuneCombination::new("FP32|FP16, FP32|FP16, FP32*FP16").layouts("LINEAR"),
        AutoTuneCombination::new(TYPES).layouts("LINEAR*CHW4, LINEAR, LINEAR").tactics([1, 2]),
        AutoTuneCombination::new(format!("{0}, {0}, {0}", "BF16")),
        Other::new("not a combination").layouts("neither"),
        by_position,
    ])
}

#[register("test::negate")]
fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

/// Outputs under names of their own; types and layouts as values for all positions.
#[autotune("test::negate")]
#[expect(clippy::needless_borrows_for_generic_args, reason = "references are accepted too")]
fn negate_autotune(x: &TensorDesc, [y]: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let types = DataType::Float32 | DataType::Float16;
    let everywhere = AutoTuneCombination::new(types).layouts(Format::Linear * Format::Hwc);
    match y.rank() {
        3 => vec![everywhere.tactics(vec![1]).tactics(2..4).tactics([4, 5].iter().copied())],
        _ => vec![AutoTuneCombination::by_position().pos(&[0, 1], DataType::Float32)],
    }
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
