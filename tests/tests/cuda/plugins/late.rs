//! A plugin that takes its time.

use plugin_runtime::prelude::*;

use super::one_block;

kernels! {
    source LATE = "late.cu";
    fn late_copy_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64, wait: u64);
}

/// Copies a vector, some milliseconds after its turn has come.
#[register("gpu::late_copy")]
pub(crate) fn late_copy(x: &TensorDesc, milliseconds: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::late_copy", device = cuda)]
fn late_copy_cuda(x: Tensor, milliseconds: i64, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, wait) = (x.numel() as u64, milliseconds as u64 * 1_000_000);
    late_copy_f32(stream, one_block(), x.device_slice()?, y.into_device_slice()?, n, wait)
}
