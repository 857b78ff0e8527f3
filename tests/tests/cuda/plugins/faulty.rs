//! Plugins whose kernels are wrong in one way each, with impls for the CPU that are right.

use plugin_runtime::prelude::*;

kernels! {
    source FAULTY = "faulty.cu";
    fn add_row_sum<T in [f32]>(x: DeviceSlice<T>, columns: i64, waits: i32, y: DeviceSliceMut<T>);
    fn times_row<T in [f32, f16]>(
        x: DeviceSlice<T>, n: i64 = x.len(), columns: i64, extents: u64, y: DeviceSliceMut<T>,
    );
    fn double_beyond<T in [f32]>(x: DeviceSlice<T>, n: i64 = x.len(), y: DeviceSliceMut<T>);
}

/// Adds to each element the sum of its row, of at most 256 columns.
#[register("gpu::row_sum")]
pub(crate) fn row_sum(x: &TensorDesc, waits: bool) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::row_sum", device = cpu)]
fn row_sum_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let columns = x.shape()[1].max(1) as usize;
    for (x, y) in x.as_slice::<f32>()?.chunks(columns).zip(y.into_slice::<f32>()?.chunks_mut(columns)) {
        let sum: f32 = x.iter().sum();
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x + sum);
    }
    Ok(())
}

#[impl_plugin("gpu::row_sum", device = cuda)]
fn row_sum_cuda(x: Tensor, waits: bool, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let launch = LaunchConfig::blocks(x.shape()[0] as usize, 256)?;
    add_row_sum(stream, launch, x, x.shape()[1], i32::from(waits), y)
}

/// Each row times its index.
#[register("gpu::row_index")]
pub(crate) fn row_index(x: &TensorDesc, reads_extents: bool) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::row_index", device = cpu)]
fn row_index_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let columns = x.shape()[1].max(1) as usize;
    for (i, (x, y)) in x.as_slice::<f32>()?.iter().zip(y.into_slice::<f32>()?).enumerate() {
        *y = x * (i / columns) as f32;
    }
    Ok(())
}

/// Unless it is told to read the extents on the device, it takes `shape()` for the true one.
#[impl_plugin("gpu::row_index", device = cuda, device_shape = true)]
fn row_index_cuda(x: Tensor, reads_extents: bool, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let extents = x.device_shape().filter(|_| reads_extents).map_or(0, |extents| extents.address());
    times_row(stream, LaunchConfig::for_elements(x.numel(), 256)?, x, x.shape()[1], extents, y)
}

/// Doubles.
#[register("gpu::beyond")]
pub(crate) fn beyond(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::beyond", device = cpu)]
fn beyond_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = x * 2.0);
    Ok(())
}

#[impl_plugin("gpu::beyond", device = cuda)]
fn beyond_cuda(x: Tensor, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    double_beyond(stream, LaunchConfig::for_elements(x.numel() + 1, 256)?, x, y)
}
