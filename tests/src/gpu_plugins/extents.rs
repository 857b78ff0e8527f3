//! Plugins that take `shape()` for the truth. They don't say that they cope where it isn't, and never have to.

use plugin_runtime::prelude::*;

use super::sizes::{keep_positive_cpu, keep_positive_i32, signed_pairs_cpu, signed_pairs_f32, sum_cpu, sum_f32};
use super::{each, one_block};

/// Refuses extents that aren't the truth.
fn known(x: &Tensor<'_>) -> Result<u64> {
    if x.device_shape().is_some() {
        bail!("`{}` has extents that only the device knows, and nobody asked for that", x.info().name);
    }
    Ok(x.numel() as u64)
}

/// The sum of a vector, as a vector of one element.
#[register("gpu::plain_sum")]
pub fn plain_sum(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([1], x.dtype())
}

#[impl_plugin("gpu::plain_sum", device = cpu)]
fn plain_sum_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    sum_cpu(x, outputs)
}

#[impl_plugin("gpu::plain_sum", device = cuda)]
fn plain_sum_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    sum_f32(stream, one_block(), x.device_slice()?, 0, known(&x)?, y.into_device_slice()?)
}

/// The length of a vector, then each element and its negative.
#[register("gpu::plain_pairs")]
pub fn plain_pairs(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([2 * x.shape_expr(0) + 1], x.dtype())
}

#[impl_plugin("gpu::plain_pairs", device = cpu)]
fn plain_pairs_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    signed_pairs_cpu(x, outputs)
}

#[impl_plugin("gpu::plain_pairs", device = cuda)]
fn plain_pairs_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    if known(&x)? * 2 + 1 != y.numel() as u64 {
        bail!("{} pairs don't fit {} elements", x.numel(), y.numel());
    }
    let length = y.numel() as u64;
    signed_pairs_f32(stream, each(x.numel().max(1))?, x.device_slice()?, 0, length, y.into_device_slice()?)
}

/// The positive elements of a vector, in order, and their number.
#[register("gpu::plain_keep")]
pub fn plain_keep(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let kept = size_tensor(x.numel().ceil_div(2), x.numel());
    (TensorDesc::from_shape_expr([kept.expr()], x.dtype()), kept)
}

#[impl_plugin("gpu::plain_keep", device = cpu)]
fn plain_keep_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    keep_positive_cpu(x, outputs)
}

#[impl_plugin("gpu::plain_keep", device = cuda)]
fn plain_keep_cuda(x: Tensor, outputs: [TensorMut; 2], stream: &Stream) -> Result<()> {
    let [values, count] = outputs;
    let n = known(&x)?;
    if values.numel() as u64 != n {
        bail!("the upper bound of what is kept is {}, but there are {n} elements", values.numel());
    }
    let (values, count) = (values.into_device_slice()?, count.into_device_slice()?);
    keep_positive_i32(stream, one_block(), x.device_slice()?, 0, n, values, count)
}
