use plugin_runtime::prelude::*;

/// It couldn't be `Copy`, and needn't be once its variants hold nothing.
#[derive(Tactic)]
enum Choice {
    Rows(Vec<i64>),
    Whole,
}

#[register("test::scale")]
fn scale(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_cpu(x: Tensor, [_y]: [TensorMut; 1], tactic: Choice) -> Result<()> {
    match tactic {
        Choice::Rows(rows) if rows.len() == x.numel() => Ok(()),
        _ => bail!("not so"),
    }
}

#[autotune("test::scale")]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let some = AutoTuneCombination::new("FP32").tactics([Choice::Rows(vec![1]), Choice::Whole]);
    vec![some.reference(Choice::Whole)]
}

fn main() {}
