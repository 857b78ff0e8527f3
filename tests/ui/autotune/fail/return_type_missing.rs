use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[autotune("test::scale")]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) {
    vec![AutoTuneCombination::new("FP32")]
}

fn main() {}
