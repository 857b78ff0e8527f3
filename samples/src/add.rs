//! `sample::elemwise_add_plugin`: adds 1 to each element.

use plugin_runtime::prelude::*;

use crate::elementwise::{self, Float};
use crate::elementwise_cuda;

/// Adds 1 to each element. `block_size` is the number of threads of a CUDA block; the CPU has no use for it.
#[register("sample::elemwise_add_plugin")]
pub fn elemwise_add_plugin(inp0: &TensorDesc, block_size: i32) -> Result<TensorDesc> {
    if block_size <= 0 {
        bail!("`block_size` is {block_size}; it has to be 1 or more");
    }
    Ok(inp0.like())
}

#[autotune("sample::elemwise_add_plugin")]
fn elemwise_add_autotune(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16")]
}

/// One element per thread, for up to 2^31 - 1 elements.
#[aot_impl("sample::elemwise_add_plugin")]
fn elemwise_add_aot(inp0: &TensorDesc, block_size: i32, outputs: &[TensorDesc; 1]) -> AotKernel {
    let name = match inp0.dtype() {
        DataType::Float16 => "add_aot_f16",
        _ => "add_aot_f32",
    };
    let n = inp0.numel();
    AotKernel::new(name, &elementwise_cuda::ELEMENTWISE)
        .grid([n.ceil_div(block_size)])
        .block([block_size])
        .extra_args([n])
}

#[impl_plugin("sample::elemwise_add_plugin", device = cpu)]
fn elemwise_add_cpu(inp0: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [out] = outputs;
    match inp0.dtype() {
        DataType::Float16 => add_one::<f16>(inp0, out),
        _ => add_one::<f32>(inp0, out),
    }
}

fn add_one<T: Float>(x: Tensor, out: TensorMut) -> Result<()> {
    elementwise::map(x.as_slice::<T>()?, out.into_slice()?, |x| x + 1.0)
}

#[impl_plugin("sample::elemwise_add_plugin", device = cuda, device_shape = true)]
fn elemwise_add_cuda(inp0: Tensor, block_size: i32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [out] = outputs;
    match u32::try_from(block_size) {
        Ok(block @ 1..=1024) => elementwise_cuda::add(stream, inp0, out, 1.0, block),
        _ => bail!("`block_size` is {block_size}; a CUDA block has 1 to 1024 threads"),
    }
}
