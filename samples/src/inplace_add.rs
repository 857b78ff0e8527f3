//! `sample::inplace_add_plugin`: adds a number to each element where it is.

use plugin_runtime::prelude::*;

use crate::{elementwise, elementwise_cuda};

/// Threads of a CUDA block.
const BLOCK: u32 = 256;

/// Adds `delta` to each element, in the input's own memory. Sums are rounded once, from single precision.
#[register("sample::inplace_add_plugin")]
pub fn inplace_add_plugin(inp0: &TensorDesc, delta: i32) -> TensorDesc {
    inp0.aliased()
}

#[autotune("sample::inplace_add_plugin")]
fn inplace_add_autotune(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16")]
}

#[impl_plugin("sample::inplace_add_plugin", device = cpu)]
fn inplace_add_cpu(inp0: Tensor, delta: i32, outputs: [TensorMut; 1]) -> Result<()> {
    let [out] = outputs;
    let add = |x| x + delta as f32;
    match out.dtype() {
        DataType::Float16 => elementwise::update(out.into_slice::<f16>()?, add),
        _ => elementwise::update(out.into_slice::<f32>()?, add),
    }
}

#[impl_plugin("sample::inplace_add_plugin", device = cuda, device_shape = true)]
fn inplace_add_cuda(inp0: Tensor, delta: i32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [out] = outputs;
    elementwise_cuda::update(stream, out, delta as f32, BLOCK)
}
