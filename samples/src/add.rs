//! a
use plugin_runtime::prelude::*;
/// add
#[register("sample::elemwise_add_plugin")]
pub fn elemwise_add_plugin(inp0: &TensorDesc, block_size: i32) -> TensorDesc { inp0.like() }
#[autotune("sample::elemwise_add_plugin")]
fn at(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> { vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16")] }
#[impl_plugin("sample::elemwise_add_plugin", device = cpu)]
fn imp(inp0: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    if inp0.dtype()==DataType::Float32 { for (y,x) in y.into_slice::<f32>()?.iter_mut().zip(inp0.as_slice::<f32>()?) { *y = *x+1.0; } }
    else { for (y,x) in y.into_slice::<f16>()?.iter_mut().zip(inp0.as_slice::<f16>()?) { *y = f16::from_f32(x.to_f32()+1.0); } }
    Ok(())
}
