//! a
use plugin_runtime::prelude::*;
/// add
#[register("sample::inplace_add_plugin")]
pub fn inplace_add_plugin(inp0: &TensorDesc, delta: i32) -> TensorDesc { inp0.aliased() }
#[impl_plugin("sample::inplace_add_plugin", device = cpu)]
fn imp(inp0: Tensor, delta: i32, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    if inp0.dtype()==DataType::Float32 { for y in y.into_slice::<f32>()?.iter_mut() { *y += delta as f32; } }
    else { for y in y.into_slice::<f16>()?.iter_mut() { *y = f16::from_f32(y.to_f32()+delta as f32); } }
    Ok(())
}
