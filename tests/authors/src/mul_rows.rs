//! Each row of a matrix times a factor of its own.
use plugin_runtime::prelude::*;

kernels! {
    source MUL_ROWS = "mul_rows.cu";
    fn multiply<T in [f32, f16, bf16]>(
        x: DeviceSlice<T>, n: i64 = x.len(), columns: i64, s: DeviceSlice<T>, y: DeviceSliceMut<T>,
    );
}

#[register("authors::mul_rows")]
pub fn mul_rows(x: &TensorDesc, s: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("authors::mul_rows")]
fn mul_rows_autotune(x: &TensorDesc, s: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16|BF16")]
}

#[impl_plugin("authors::mul_rows", device = cpu)]
fn mul_rows_cpu(x: Tensor, s: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let columns = x.shape()[1] as usize;
    dispatch!(x.dtype(), T in [f32, f16, bf16] => {
        let (x, s) = (x.as_slice::<T>()?, s.as_slice::<T>()?);
        for (i, y) in y.into_slice::<T>()?.iter_mut().enumerate() {
            *y = T::from_f32(x[i].to_f32() * s[i / columns].to_f32());
        }
        Ok(())
    })
}

#[impl_plugin("authors::mul_rows", device = cuda)]
fn mul_rows_cuda(x: Tensor, s: Tensor, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    multiply(stream, LaunchConfig::for_elements(x.numel(), 256)?, x, x.shape()[1], s, y)
}
