//! Plugins whose shapes the host knows.

use plugin_runtime::prelude::*;

use super::{address, count_call, each};

kernels! {
    /// The kernels of this file.
    pub source ELEMENTWISE = "elementwise.cu";
    pub(crate) fn scale_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64, extents: u64, rank: u32, factor: f32);
    fn scale_f16(x: DeviceSlice<f16>, out: DeviceSliceMut<f16>, n: u64, extents: u64, rank: u32, factor: f32);
    fn split_signs_f32(x: DeviceSlice<f32>, positive: DeviceSliceMut<f32>, negative: DeviceSliceMut<f32>, n: u64);
    fn add_in_place_f32(x: DeviceSliceMut<f32>, n: u64, extents: u64, rank: u32, delta: f32);
    fn reverse_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64);
    pub(crate) fn join_f32(reversed: DeviceSlice<f32>, x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64);
    fn affine_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64, extents: u64, rank: u32, affine: Affine);
}

/// Where the true extents are if only the device knows them, and how many there are.
fn extents(x: &Tensor<'_>) -> (u64, u32) {
    (address(x.device_shape()), x.shape().len() as u32)
}

/// Every element times a factor.
#[register("gpu::scale")]
pub fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[autotune("gpu::scale")]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16")]
}

#[impl_plugin("gpu::scale", device = cpu)]
fn scale_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    scale_on_host(x, factor, outputs)
}

#[impl_plugin("gpu::scale", device = cuda, device_shape = true)]
fn scale_cuda(x: Tensor, factor: f32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    scale_on_device(x, factor, outputs, stream)
}

pub(crate) fn scale_on_host(x: Tensor<'_>, factor: f32, outputs: [TensorMut<'_>; 1]) -> Result<()> {
    let [y] = outputs;
    match x.dtype() {
        DataType::Float16 => {
            for (y, x) in y.into_slice::<f16>()?.iter_mut().zip(x.as_slice::<f16>()?) {
                *y = f16::from_f32(x.to_f32() * factor);
            }
        }
        _ => {
            for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
                *y = x * factor;
            }
        }
    }
    Ok(())
}

fn scale_on_device(x: Tensor<'_>, factor: f32, outputs: [TensorMut<'_>; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, launch, (extents, rank)) = (x.numel() as u64, each(x.numel())?, extents(&x));
    match x.dtype() {
        DataType::Float16 => {
            scale_f16(stream, launch, x.device_slice()?, y.into_device_slice()?, n, extents, rank, factor)
        }
        _ => scale_f32(stream, launch, x.device_slice()?, y.into_device_slice()?, n, extents, rank, factor),
    }
}

/// The same without tactics to time; the calls of its GPU impl are counted under the test's name.
#[register("gpu::counted")]
pub fn counted(x: &TensorDesc, factor: f32, test: &str) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::counted", device = cpu)]
fn counted_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    scale_on_host(x, factor, outputs)
}

#[impl_plugin("gpu::counted", device = cuda, device_shape = true)]
fn counted_cuda(x: Tensor, factor: f32, test: &str, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    count_call(test);
    scale_on_device(x, factor, outputs, stream)
}

/// The positive elements, and the negative ones; 0 in place of the others.
#[register("gpu::split_signs")]
pub fn split_signs(x: &TensorDesc) -> (TensorDesc, TensorDesc) {
    (x.like(), x.like())
}

#[autotune("gpu::split_signs")]
fn split_signs_autotune(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32, FP32")]
}

#[impl_plugin("gpu::split_signs", device = cpu)]
fn split_signs_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    let [positive, negative] = outputs;
    let (positive, negative) = (positive.into_slice::<f32>()?, negative.into_slice::<f32>()?);
    for ((x, p), n) in x.as_slice::<f32>()?.iter().zip(positive).zip(negative) {
        (*p, *n) = (if *x > 0.0 { *x } else { 0.0 }, if *x < 0.0 { *x } else { 0.0 });
    }
    Ok(())
}

#[impl_plugin("gpu::split_signs", device = cuda)]
fn split_signs_cuda(x: Tensor, outputs: [TensorMut; 2], stream: &Stream) -> Result<()> {
    let [positive, negative] = outputs;
    let n = x.numel();
    let (positive, negative) = (positive.into_device_slice()?, negative.into_device_slice()?);
    split_signs_f32(stream, each(n)?, x.device_slice()?, positive, negative, n as u64)
}

/// Adds in place.
#[register("gpu::add_in_place")]
pub fn add_in_place(x: &TensorDesc, delta: f32) -> TensorDesc {
    x.aliased()
}

#[autotune("gpu::add_in_place")]
fn add_in_place_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("gpu::add_in_place", device = cpu)]
fn add_in_place_cpu(x: Tensor, delta: f32, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.iter_mut().for_each(|y| *y += delta);
    Ok(())
}

#[impl_plugin("gpu::add_in_place", device = cuda, device_shape = true)]
fn add_in_place_cuda(x: Tensor, delta: f32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, extents, rank) = (x.numel(), address(y.device_shape()), y.shape().len() as u32);
    add_in_place_f32(stream, each(n)?, y.into_device_slice()?, n as u64, extents, rank, delta)
}

/// A vector reversed, then as it is. The reversed one is made in scratch memory.
#[register("gpu::mirror")]
pub fn mirror(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([2 * x.shape_expr(0)], x.dtype())
}

#[autotune("gpu::mirror")]
fn mirror_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("gpu::mirror", device = cpu)]
fn mirror_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let x = x.as_slice::<f32>()?;
    let all = x.iter().rev().chain(x);
    y.into_slice::<f32>()?.iter_mut().zip(all).for_each(|(y, x)| *y = *x);
    Ok(())
}

#[impl_plugin("gpu::mirror", device = cuda, workspace = x.numel() * 4)]
fn mirror_cuda(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace, stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, x) = (x.numel(), x.device_slice::<f32>()?);
    let mut scratch = workspace.into_device_slice::<f32>()?;
    if scratch.len() != n {
        bail!("the workspace holds {} floats, not {n}", scratch.len());
    }
    reverse_f32(stream, each(n)?, x, scratch.reborrow(), n as u64)?;
    join_f32(stream, each(n)?, scratch.as_slice(), x, y.into_device_slice()?, n as u64)
}

/// What [`affine()`]'s kernel is told.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Affine {
    shift: i64,
    factors: [f32; 4],
    count: u32,
    negate: u32,
}

impl Affine {
    fn new(factors: &[f32], shift: i64, negate: bool) -> Result<Self> {
        let mut all = [0.0; 4];
        match all.get_mut(..factors.len()) {
            Some(some) if !factors.is_empty() => some.copy_from_slice(factors),
            _ => bail!("1 to 4 factors are needed, not {}", factors.len()),
        }
        Ok(Affine { shift, factors: all, count: factors.len() as u32, negate: negate.into() })
    }
}

/// `x * factors[i % len] + shift`, negated if asked for.
#[register("gpu::affine")]
pub fn affine(
    x: &TensorDesc,
    factors: &[f32],
    #[default(3)] shift: i64,
    #[default(false)] negate: bool,
) -> Result<TensorDesc> {
    Affine::new(factors, shift, negate).map(|_| x.like())
}

#[autotune("gpu::affine")]
fn affine_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("gpu::affine", device = cpu)]
fn affine_cpu(x: Tensor, factors: &[f32], shift: i64, negate: bool, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    for ((y, x), factor) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).zip(factors.iter().cycle()) {
        let value = x * factor + shift as f32;
        *y = if negate { -value } else { value };
    }
    Ok(())
}

#[impl_plugin("gpu::affine", device = cuda, device_shape = true)]
fn affine_cuda(
    x: Tensor,
    factors: &[f32],
    shift: i64,
    negate: bool,
    outputs: [TensorMut; 1],
    stream: &Stream,
) -> Result<()> {
    let [y] = outputs;
    let (n, (extents, rank)) = (x.numel(), extents(&x));
    let affine = Affine::new(factors, shift, negate)?;
    affine_f32(stream, each(n)?, x.device_slice()?, y.into_device_slice()?, n as u64, extents, rank, affine)
}
