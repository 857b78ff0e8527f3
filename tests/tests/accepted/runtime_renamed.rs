//! The runtime under another name, which the root of the crate gives it.
#![deny(warnings)]

use renamed::prelude::*;

#[renamed::register("test::scale", version = 3, crate = ::renamed)]
fn scale(x: &TensorDesc, #[default(2.0)] factor: f32, mode: &str) -> TensorDesc {
    x.like()
}

#[derive(Clone, Copy, Tactic)]
#[tactic(crate = ::renamed)]
enum Choice {
    Rows = 1,
    Whole = 2,
}

#[renamed::autotune("test::scale", crate = ::renamed)]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([Choice::Rows, Choice::Whole])]
}

#[renamed::impl_plugin("test::scale", device = cpu, crate = ::renamed)]
fn scale_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1], tactic: Choice) {
    let _ = (factor, tactic);
}

#[renamed::aot_impl("test::scale", crate = ::renamed)]
fn scale_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("scale", [0])
}
