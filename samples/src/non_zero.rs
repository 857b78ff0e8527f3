//! a
use plugin_runtime::prelude::*;
/// Row-major indices of the non-zero elements of a matrix.
#[register("sample::non_zero_plugin")]
pub fn non_zero_plugin(inp0: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let upper_bound = inp0.shape_expr(0) * inp0.shape_expr(1);
    let count = size_tensor(&upper_bound / 2, upper_bound).dtype(DataType::Int64);
    (TensorDesc::from_shape_expr([count.expr(), 2.into()], DataType::Int32), count)
}
#[autotune("sample::non_zero_plugin")]
fn non_zero_autotune(inp0: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, INT32, INT64")]
}
#[impl_plugin("sample::non_zero_plugin", device = cpu)]
fn non_zero_cpu(inp0: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    let [o, c] = outputs;
    let w = inp0.shape()[1].max(1) as usize;
    let o = o.into_slice::<i32>()?;
    let mut n = 0;
    let mut put = |i: usize| { o[2*n]=(i/w) as i32; o[2*n+1]=(i%w) as i32; n+=1; };
    if inp0.dtype()==DataType::Float32 { inp0.as_slice::<f32>()?.iter().enumerate().filter(|x| *x.1 != 0.0).for_each(|x| put(x.0)); }
    else { inp0.as_slice::<f16>()?.iter().enumerate().filter(|x| x.1.to_f32() != 0.0).for_each(|x| put(x.0)); }
    c.write_size(n)
}
