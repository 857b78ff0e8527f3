//! Rows over the root of the mean of their squares, times a weight for each column.
use plugin_runtime::prelude::*;

kernels! {
    source RMS_NORM = "rms_norm.cu";
    /// A block a row.
    fn normalize<T in [f32, f16, bf16]>(
        x: DeviceSlice<T>, weight: DeviceSlice<T>, columns: i64 = weight.len(), epsilon: f32, y: DeviceSliceMut<T>,
    );
}

#[register("authors::rms_norm")]
pub fn rms_norm(x: &TensorDesc, weight: &TensorDesc, epsilon: f32) -> Result<TensorDesc> {
    if x.rank() != 2 || weight.rank() != 1 {
        bail!("rms_norm takes a matrix and a vector, not {x} and {weight}");
    }
    let columns = x.shape_expr(1).must_equal(weight.shape_expr(0))?;
    Ok(TensorDesc::from_shape_expr((x.shape_expr(0), columns), x.dtype()))
}

#[autotune("authors::rms_norm")]
fn rms_norm_autotune(x: &TensorDesc, weight: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16|BF16")]
}

#[impl_plugin("authors::rms_norm", device = cpu)]
fn rms_norm_cpu(x: Tensor, weight: Tensor, epsilon: f32, [y]: [TensorMut; 1]) -> Result<()> {
    let columns = x.shape()[1].max(1) as usize;
    dispatch!(x.dtype(), T in [f32, f16, bf16] => {
        let (x, weight, y) = (x.as_slice::<T>()?, weight.as_slice::<T>()?, y.into_slice::<T>()?);
        for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
            let squares: f32 = x.iter().map(|x| x.to_f32() * x.to_f32()).sum();
            let scale = (squares / columns as f32 + epsilon).sqrt().recip();
            for ((x, weight), y) in x.iter().zip(weight).zip(y) {
                *y = T::from_f32(x.to_f32() * scale * weight.to_f32());
            }
        }
        Ok(())
    })
}

#[impl_plugin("authors::rms_norm", device = cuda)]
fn rms_norm_cuda(x: Tensor, weight: Tensor, epsilon: f32, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    normalize(stream, LaunchConfig::blocks(x.shape()[0] as usize, 256)?, x, weight, epsilon, y)
}
