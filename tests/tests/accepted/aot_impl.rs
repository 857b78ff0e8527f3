//! Kernels with and without attributes and tactics.
#![deny(warnings)]

use plugin_runtime::prelude::*;

#[register("test::scale")]
fn scale(x: &TensorDesc, mode: &str, block: i32) -> TensorDesc {
    x.like()
}

#[derive(Clone, Copy, Tactic)]
enum Choice {
    Rows = 1,
}

#[aot_impl("test::scale")]
fn plain(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("plain", [])
}

#[aot_impl("test::scale", device_shape = true)]
fn with_tactic(x: &TensorDesc, mode: &str, outputs: &[TensorDesc; 1], tactic: Choice) -> Result<AotKernel> {
    match tactic {
        Choice::Rows => Ok(AotKernel::new(mode, [])),
    }
}
