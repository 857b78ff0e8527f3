//! Tactics that write only a part of what they should, or something wrong, with and without an impl for the CPU.

use plugin_runtime::prelude::*;
use tests::partial::{Writes, listed};

use super::each;

kernels! {
    source PARTIAL = "partial.cu";
    fn plus_one_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64);
    fn copy_f32(from: DeviceSlice<f32>, to: DeviceSliceMut<f32>, n: u64);
    fn fill_f32(out: DeviceSliceMut<f32>, n: u64, value: f32);
    fn write_count(count: DeviceSliceMut<i32>, n: i32);
}

/// The input plus 1, as the tactics write it.
#[register("gpu::partial")]
pub(crate) fn partial(x: &TensorDesc, tactics: &[i32], marked: i32) -> TensorDesc {
    x.like()
}

/// The same; how much there is of it stands in a size tensor.
#[register("gpu::partial_sized")]
pub(crate) fn partial_sized(x: &TensorDesc, tactics: &[i32], marked: i32) -> (TensorDesc, SizeTensorDesc) {
    let n = size_tensor(x.numel(), x.numel());
    (TensorDesc::from_shape_expr([n.expr()], x.dtype()), n)
}

/// As `partial`, with an impl for the CPU to compare with.
#[register("gpu::partial_compared")]
pub(crate) fn partial_compared(x: &TensorDesc, tactics: &[i32], marked: i32) -> TensorDesc {
    x.like()
}

#[autotune("gpu::partial")]
fn partial_autotune(
    x: &TensorDesc,
    tactics: &[i32],
    marked: i32,
    outputs: &[TensorDesc; 1],
) -> Vec<AutoTuneCombination> {
    listed("FP32, FP32", tactics, marked)
}

#[autotune("gpu::partial_sized")]
fn partial_sized_autotune(
    x: &TensorDesc,
    tactics: &[i32],
    marked: i32,
    outputs: &[TensorDesc; 2],
) -> Vec<AutoTuneCombination> {
    listed("FP32, FP32, INT32", tactics, marked)
}

#[autotune("gpu::partial_compared")]
fn partial_compared_autotune(
    x: &TensorDesc,
    tactics: &[i32],
    marked: i32,
    outputs: &[TensorDesc; 1],
) -> Vec<AutoTuneCombination> {
    listed("FP32, FP32", tactics, marked)
}

#[impl_plugin("gpu::partial_compared", device = cpu)]
fn partial_compared_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = x + 1.0);
    Ok(())
}

#[impl_plugin("gpu::partial", device = cuda, workspace = x.numel() * 4)]
fn partial_cuda(
    x: Tensor,
    outputs: [TensorMut; 1],
    workspace: Workspace,
    stream: &Stream,
    tactic: Writes,
) -> Result<()> {
    let [y] = outputs;
    write(x, y, workspace, stream, tactic)
}

#[impl_plugin("gpu::partial_compared", device = cuda, workspace = x.numel() * 4)]
fn partial_compared_cuda(
    x: Tensor,
    outputs: [TensorMut; 1],
    workspace: Workspace,
    stream: &Stream,
    tactic: Writes,
) -> Result<()> {
    let [y] = outputs;
    write(x, y, workspace, stream, tactic)
}

#[impl_plugin("gpu::partial_sized", device = cuda, workspace = x.numel() * 4)]
fn partial_sized_cuda(
    x: Tensor,
    outputs: [TensorMut; 2],
    workspace: Workspace,
    stream: &Stream,
    tactic: Writes,
) -> Result<()> {
    let [y, count] = outputs;
    write_count(stream, LaunchConfig::default(), count.into_device_slice()?, x.numel() as i32)?;
    write(x, y, workspace, stream, tactic)
}

fn write(x: Tensor<'_>, y: TensorMut<'_>, workspace: Workspace<'_>, stream: &Stream, tactic: Writes) -> Result<()> {
    let (n, x, y) = (x.numel(), x.device_slice::<f32>()?, y.into_device_slice::<f32>()?);
    let mut scratch = workspace.into_device_slice::<f32>()?;
    match tactic {
        Writes::All => {
            plus_one_f32(stream, each(n)?, x, scratch.reborrow(), n as u64)?;
            copy_f32(stream, each(n)?, scratch.as_slice(), y, n as u64)
        }
        Writes::Nothing => Ok(()),
        Writes::Half => plus_one_f32(stream, each(n / 2)?, x, y, n as u64 / 2),
        Writes::Wrong => fill_f32(stream, each(n)?, y, n as u64, f32::NAN),
        Writes::Scratch => copy_f32(stream, each(n)?, scratch.as_slice(), y, n as u64),
    }
}
