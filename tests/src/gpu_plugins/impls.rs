//! Impls for a GPU of plugins that have one for the CPU in `plugins`.

use plugin_runtime::prelude::*;

use super::each;
use super::elementwise::{join_f32, scale_f32};
use crate::plugins::{add_channels, missing_to_three, twice};

kernels! {
    source IMPLS = "impls.cu";
    fn add_channels_f32(
        x: DeviceSlice<f32>,
        out: DeviceSliceMut<f32>,
        n: u64,
        channels: u64,
        plane: u64,
        from_lanes: u64,
        to_lanes: u64,
    );
}

/// How many channels stand side by side: with channels last, all of them and their padding.
fn lanes(format: Format, channels: u64) -> Result<u64> {
    Ok(match format {
        Format::Hwc => channels.max(1),
        Format::Hwc8 => channels.next_multiple_of(8).max(8),
        Format::Chw4 => 4,
        Format::Chw32 => 32,
        other => bail!("layout {other} wasn't asked for"),
    })
}

#[impl_plugin("test::add_channels", device = cuda, plugin = add_channels)]
fn add_channels_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let &[_, channels, height, width] = x.shape() else { bail!("four dimensions are needed, not {:?}", x.shape()) };
    let (n, channels, plane) = (x.numel(), channels as u64, (height * width) as u64);
    let (from, to) = (lanes(x.format(), channels)?, lanes(y.format(), channels)?);
    let (x, y) = (x.device_slice()?, y.into_device_slice()?);
    add_channels_f32(stream, each(n)?, x, y, n as u64, channels, plane, from, to)
}

#[impl_plugin("test::missing_to_three", device = cuda, plugin = missing_to_three)]
fn missing_to_three_cuda(x: Tensor, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    stream.fill(y.into_device_slice::<f32>()?, 0)
}

#[impl_plugin("test::twice", device = cuda, plugin = twice, workspace = x.numel() * 8)]
fn twice_cuda(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace, stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let (n, x) = (x.numel(), x.device_slice::<f32>()?);
    let mut scratch = workspace.into_device_slice::<f32>()?;
    if scratch.len() != 2 * n {
        bail!("the workspace holds {} floats, not {}", scratch.len(), 2 * n);
    }
    join_f32(stream, each(n)?, x, x, scratch.reborrow(), n as u64)?;
    let (scratch, all) = (scratch.as_slice(), 2 * n as u64);
    scale_f32(stream, each(2 * n)?, scratch, y.into_device_slice()?, all, 0, 0, 1.0)
}
