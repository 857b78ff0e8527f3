//! Plugins that make and check tensors too large to be copied to the host.

use plugin_runtime::prelude::*;

use super::{BLOCK, address};

kernels! {
    source LARGE = "large.cu";
    fn ramp_f32(x: DeviceSliceMut<f32>, n: u64);
    fn ramp_f16(x: DeviceSliceMut<f16>, n: u64);
    fn clear_i64(wrong: DeviceSliceMut<i64>);
    fn count_wrong_f32(x: DeviceSlice<f32>, n: u64, padded: Padded, wrong: DeviceSliceMut<i64>);
    fn count_wrong_f16(x: DeviceSlice<f16>, n: u64, padded: Padded, wrong: DeviceSliceMut<i64>);
    fn count_wrong_positions(positions: DeviceSlice<i32>, extents: u64, columns: u64, wrong: DeviceSliceMut<i64>);
}

/// Element `i` of a ramp is `i` modulo this.
pub(crate) const PERIOD: u64 = 2039;

/// Blocks that go on until all is done.
const MANY: LaunchConfig = LaunchConfig { grid: [4096, 1, 1], block: [BLOCK, 1, 1], shared_bytes: 0, dependent: false };

/// What [`wrong()`]'s kernel is told: rows and columns before they were padded.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Padded {
    rows: u64,
    columns: u64,
    rows_before: u64,
    columns_before: u64,
    padded_columns: u64,
    delta: f32,
    unused: u32,
}

/// Fills a tensor with a ramp.
#[register("gpu::ramp")]
pub(crate) fn ramp(x: &TensorDesc) -> TensorDesc {
    x.aliased()
}

#[impl_plugin("gpu::ramp", device = cuda)]
fn ramp_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel() as u64;
    match x.dtype() {
        DataType::Float16 => ramp_f16(stream, MANY, y.into_device_slice()?, n),
        _ => ramp_f32(stream, MANY, y.into_device_slice()?, n),
    }
}

/// How many elements aren't those of a ramp with `delta` added, of a matrix that was padded by `pads`: before and after,
/// columns first. A vector is one row.
#[register("gpu::wrong")]
pub(crate) fn wrong(x: &TensorDesc, pads: &[i64], delta: f32) -> TensorDesc {
    TensorDesc::from_shape_expr([1], DataType::Int64)
}

#[impl_plugin("gpu::wrong", device = cuda)]
fn wrong_cuda(x: Tensor, pads: &[i64], delta: f32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (rows, columns) = match x.shape() {
        &[columns] => (1, columns),
        &[rows, columns] => (rows, columns),
        other => bail!("it checks vectors and matrices, not {other:?}"),
    };
    let pad = |index: usize| pads.get(index).copied().unwrap_or(0);
    let padded = Padded {
        rows: (rows - pad(2) - pad(3)) as u64,
        columns: (columns - pad(0) - pad(1)) as u64,
        rows_before: pad(2) as u64,
        columns_before: pad(0) as u64,
        padded_columns: columns as u64,
        delta,
        unused: 0,
    };
    let (n, mut count) = (x.numel() as u64, y.into_device_slice::<i64>()?);
    clear_i64(stream, LaunchConfig::default(), count.reborrow())?;
    match x.dtype() {
        DataType::Float16 => count_wrong_f16(stream, MANY, x.device_slice()?, n, padded, count),
        _ => count_wrong_f32(stream, MANY, x.device_slice()?, n, padded, count),
    }
}

/// How many positions aren't those of a ramp's elements that aren't 0, in a matrix of so many columns.
#[register("gpu::wrong_positions")]
pub(crate) fn wrong_positions(positions: &TensorDesc, columns: i64) -> TensorDesc {
    TensorDesc::from_shape_expr([1], DataType::Int64)
}

#[impl_plugin("gpu::wrong_positions", device = cuda, device_shape = true)]
fn wrong_positions_cuda(positions: Tensor, columns: i64, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let mut count = y.into_device_slice::<i64>()?;
    let extents = address(positions.device_shape());
    if extents == 0 {
        bail!("it checks positions whose number only the device knows");
    }
    clear_i64(stream, LaunchConfig::default(), count.reborrow())?;
    count_wrong_positions(stream, MANY, positions.device_slice()?, extents, columns as u64, count)
}
