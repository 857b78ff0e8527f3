//! Softmax of the first elements of each row, as many as the row has, and 0 behind them: a kernel in Triton, as PTX. What
//! `masked_softmax.py` says makes the file.
use plugin_runtime::prelude::*;

/// `num_warps` and `shared` of the compiled kernel.
pub const LAUNCH: (u32, u32) = (4, 16);

kernels! {
    image MASKED_SOFTMAX = "masked_softmax.ptx";
    /// A block a row. Triton adds the last parameter: scratch memory, which this kernel has none of.
    fn masked_softmax_rows(
        x: DeviceSlice<f32>, lengths: DeviceSlice<i32>, y: DeviceSliceMut<f32>, columns: i32, scratch: DeviceSlice<u8>,
    );
}

#[register("authors::masked_softmax", sample_inputs(lengths = Sample::below(x.shape_expr(1) + 1)))]
pub fn masked_softmax(x: &TensorDesc, lengths: &TensorDesc) -> Result<TensorDesc> {
    x.shape_expr(0).must_equal(lengths.shape_expr(0))?;
    Ok(x.like())
}

#[autotune("authors::masked_softmax")]
fn masked_softmax_autotune(
    x: &TensorDesc,
    lengths: &TensorDesc,
    outputs: &[TensorDesc; 1],
) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, INT32, FP32")]
}

#[impl_plugin("authors::masked_softmax", device = cpu)]
fn masked_softmax_cpu(x: Tensor, lengths: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let columns = x.shape()[1].max(1) as usize;
    let rows = x.as_slice::<f32>()?.chunks_exact(columns).zip(y.into_slice::<f32>()?.chunks_exact_mut(columns));
    for ((x, y), length) in rows.zip(lengths.as_slice::<i32>()?) {
        let (y, behind) = y.split_at_mut((*length).clamp(0, columns as i32) as usize);
        let most = x[..y.len()].iter().copied().fold(f32::NEG_INFINITY, f32::max);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - most).exp());
        let sum: f32 = y.iter().sum();
        y.iter_mut().for_each(|y| *y /= sum);
        behind.fill(0.0);
    }
    Ok(())
}

#[impl_plugin("authors::masked_softmax", device = cuda)]
fn masked_softmax_cuda(x: Tensor, lengths: Tensor, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let (warps, shared) = LAUNCH;
    let launch = LaunchConfig::blocks(x.shape()[0] as usize, warps * 32)?.shared(shared);
    let columns = x.shape()[1] as i32;
    masked_softmax_rows(stream, launch, x, lengths, y, columns, DeviceSlice::null())
}
