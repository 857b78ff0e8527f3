use plugin_runtime::prelude::*;

enum Choice {
    Rows(u32),
    Whole,
}

#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("test::scale")]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32").tactics([Choice::Rows(1), Choice::Whole])]
}

fn main() {}
