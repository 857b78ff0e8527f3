//! a
use plugin_runtime::prelude::*;
/// pad
#[register("sample::circ_pad_plugin")]
pub fn circ_pad_plugin(inp0: &TensorDesc, pads: &[i32]) -> Result<TensorDesc> {
    let mut out = inp0.like();
    if pads.len() % 2 != 0 || pads.len() > 2*inp0.rank() || pads.iter().any(|p| *p < 0) { bail!("bad pads {pads:?}"); }
    for (k, p) in pads.chunks(2).enumerate() { *out.shape_expr_mut(inp0.rank()-1-k)? += i64::from(p[0])+i64::from(p[1]); }
    Ok(out)
}
/// t
#[derive(Tactic, Clone, Copy)]
pub enum Tactics { /// a
 Rows = 1, /// b
 Elements = 2 }
#[autotune("sample::circ_pad_plugin")]
fn at(inp0: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> { vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics([Tactics::Rows, Tactics::Elements])] }
#[impl_plugin("sample::circ_pad_plugin", device = cpu)]
fn imp(inp0: Tensor, pads: &[i32], outputs: [TensorMut; 1], tactic: Tactics) -> Result<()> {
    let [y] = outputs;
    if inp0.dtype()==DataType::Float32 { y.into_slice::<f32>()?.copy_from_slice(&crate::reference::circ_pad(inp0.as_slice::<f32>()?, inp0.shape(), pads).1); }
    else { y.into_slice::<f16>()?.copy_from_slice(&crate::reference::circ_pad(inp0.as_slice::<f16>()?, inp0.shape(), pads).1); }
    Ok(())
}
