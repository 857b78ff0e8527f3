//! Plugins that find an extent themselves, and those that come after them.

use plugin_runtime::prelude::*;

use super::{address, each, one_block};

kernels! {
    source SIZES = "sizes.cu";
    pub(crate) fn keep_positive_i32(
        x: DeviceSlice<f32>,
        extents: u64,
        known: u64,
        out: DeviceSliceMut<f32>,
        count: DeviceSliceMut<i32>,
    );
    fn keep_positive_i64(
        x: DeviceSlice<f32>,
        extents: u64,
        known: u64,
        out: DeviceSliceMut<f32>,
        count: DeviceSliceMut<i64>,
    );
    pub(crate) fn sum_f32(x: DeviceSlice<f32>, extents: u64, known: u64, out: DeviceSliceMut<f32>);
    pub(crate) fn signed_pairs_f32(x: DeviceSlice<f32>, extents: u64, known: u64, out: DeviceSliceMut<f32>);
    fn column_sums_i32(x: DeviceSlice<i32>, extents: u64, rows: u64, columns: u64, out: DeviceSliceMut<i64>);
}

/// The positive elements of a vector, in order, and their number: INT64 if it is to be wide, else INT32.
#[register("gpu::keep_positive")]
pub fn keep_positive(x: &TensorDesc, wide: bool) -> (TensorDesc, SizeTensorDesc) {
    let kept = size_tensor(x.numel().ceil_div(2), x.numel());
    let kept = kept.dtype(if wide { DataType::Int64 } else { DataType::Int32 });
    (TensorDesc::from_shape_expr([kept.expr()], x.dtype()), kept)
}

#[autotune("gpu::keep_positive")]
fn keep_positive_autotune(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32, INT32"), AutoTuneCombination::new("FP32, FP32, INT64")]
}

#[impl_plugin("gpu::keep_positive", device = cpu)]
pub(crate) fn keep_positive_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    let [values, count] = outputs;
    let kept = x.as_slice::<f32>()?.iter().filter(|x| **x > 0.0);
    let n = kept.clone().count();
    values.into_slice::<f32>()?.iter_mut().zip(kept).for_each(|(slot, value)| *slot = *value);
    count.write_size(n)
}

#[impl_plugin("gpu::keep_positive", device = cuda, device_shape = true)]
fn keep_positive_cuda(x: Tensor, outputs: [TensorMut; 2], stream: &Stream) -> Result<()> {
    let [values, count] = outputs;
    let (extents, known) = (address(x.device_shape()), x.numel() as u64);
    let (x, values) = (x.device_slice()?, values.into_device_slice()?);
    match count.dtype() {
        DataType::Int64 => {
            keep_positive_i64(stream, one_block(), x, extents, known, values, count.into_device_slice()?)
        }
        _ => keep_positive_i32(stream, one_block(), x, extents, known, values, count.into_device_slice()?),
    }
}

/// How [`sum()`] takes extents that only the device knows.
#[derive(Tactic, Clone, Copy, Debug)]
pub enum SumTactic {
    /// It reads them there.
    Careful = 1,
    /// It takes the upper bounds for the truth.
    Careless = 2,
}

/// The sum of a vector, as a vector of one element.
#[register("gpu::sum")]
pub fn sum(x: &TensorDesc, #[default([1])] tactics: &[i32]) -> TensorDesc {
    TensorDesc::from_shape_expr([1], x.dtype())
}

#[autotune("gpu::sum")]
fn sum_autotune(x: &TensorDesc, tactics: &[i32], outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics(tactics.iter().copied())]
}

#[impl_plugin("gpu::sum", device = cpu)]
pub(crate) fn sum_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    // `sum` starts from -0.
    y.into_slice::<f32>()?[0] = x.as_slice::<f32>()?.iter().fold(0.0, |sum, x| sum + x);
    Ok(())
}

#[impl_plugin("gpu::sum", device = cuda, device_shape = true)]
fn sum_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream, tactic: SumTactic) -> Result<()> {
    let [y] = outputs;
    let extents = match tactic {
        SumTactic::Careful => address(x.device_shape()),
        SumTactic::Careless => 0,
    };
    sum_f32(stream, one_block(), x.device_slice()?, extents, x.numel() as u64, y.into_device_slice()?)
}

/// The length of a vector, then each element and its negative: 2 n + 1 elements.
#[register("gpu::signed_pairs")]
pub fn signed_pairs(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([2 * x.shape_expr(0) + 1], x.dtype())
}

#[autotune("gpu::signed_pairs")]
fn signed_pairs_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("gpu::signed_pairs", device = cpu)]
pub(crate) fn signed_pairs_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let (x, y) = (x.as_slice::<f32>()?, y.into_slice::<f32>()?);
    y[0] = x.len() as f32;
    y[1..].chunks_exact_mut(2).zip(x).for_each(|(pair, x)| pair.copy_from_slice(&[*x, -x]));
    Ok(())
}

#[impl_plugin("gpu::signed_pairs", device = cuda, device_shape = true)]
fn signed_pairs_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (extents, known) = (address(y.device_shape()), y.numel() as u64);
    signed_pairs_f32(stream, each(x.numel().max(1))?, x.device_slice()?, extents, known, y.into_device_slice()?)
}

/// The sums of a matrix' columns.
#[register("gpu::column_sums")]
pub fn column_sums(x: &TensorDesc) -> Result<TensorDesc> {
    if x.rank() != 2 {
        bail!("column_sums needs a matrix");
    }
    Ok(TensorDesc::from_shape_expr([x.shape_expr(1)], DataType::Int64))
}

#[impl_plugin("gpu::column_sums", device = cpu)]
fn column_sums_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let y = y.into_slice::<i64>()?;
    y.fill(0);
    for row in x.as_slice::<i32>()?.chunks_exact(y.len().max(1)) {
        y.iter_mut().zip(row).for_each(|(sum, x)| *sum += i64::from(*x));
    }
    Ok(())
}

#[impl_plugin("gpu::column_sums", device = cuda, device_shape = true)]
fn column_sums_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let [rows, columns] = [0, 1].map(|axis| x.shape()[axis] as u64);
    let extents = address(x.device_shape());
    column_sums_i32(stream, each(columns as usize)?, x.device_slice()?, extents, rows, columns, y.into_device_slice()?)
}
