//! A bias for each column, added in place.
use plugin_runtime::prelude::*;

kernels! {
    source BIAS_ADD = "bias_add.cu";
    fn add<T in [f32, f16, bf16]>(bias: DeviceSlice<T>, m: i64 = bias.len(), x: DeviceSliceMut<T>, n: i64 = x.len());
}

#[register("authors::bias_add")]
pub fn bias_add(x: &TensorDesc, bias: &TensorDesc) -> TensorDesc {
    x.aliased()
}

#[impl_plugin("authors::bias_add", device = cpu)]
fn bias_add_cpu(x: Tensor, bias: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    dispatch!(y.dtype(), T in [f32, f16, bf16] => {
        let bias = bias.as_slice::<T>()?;
        for (y, bias) in y.into_slice::<T>()?.iter_mut().zip(bias.iter().cycle()) {
            *y = T::from_f32(y.to_f32() + bias.to_f32());
        }
        Ok(())
    })
}

#[impl_plugin("authors::bias_add", device = cuda)]
fn bias_add_cuda(x: Tensor, bias: Tensor, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    add(stream, LaunchConfig::for_elements(y.numel(), 256)?, bias, y)
}
