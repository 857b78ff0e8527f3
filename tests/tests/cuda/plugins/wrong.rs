//! Plugins that go wrong, each in its own way.

use plugin_runtime::prelude::*;

use super::each;

kernels! {
    source WRONG = "wrong.cu";
    fn misbehave_f32(
        x: DeviceSlice<f32>,
        out: DeviceSliceMut<f32>,
        n: u64,
        delta: f32,
        count: DeviceSliceMut<i32>,
        counted: i32,
        write: u32,
    );
    fn fill_f32(out: DeviceSliceMut<f32>, n: u64, value: f32);
    fn write_anywhere(address: u64, value: f32);
}

kernels! {
    source MISMATCHED = "mismatched.cu";
    fn copy_mismatched(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64);
    fn copy_under_another_name(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64);
}

kernels! {
    source BROKEN = "broken.cu";
    fn copy_broken(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64);
}

/// How [`misbehave()`] goes wrong on a GPU.
#[derive(Tactic, Clone, Copy, Debug)]
pub(crate) enum Misdeed {
    /// It doesn't.
    None = 1,
    /// Leaves the size tensor as it is.
    SizeNotWritten = 2,
    /// Writes a size above the upper bound.
    SizeTooLarge = 3,
    /// Writes other values than the CPU's impl.
    WrongResult = 4,
    /// Asks for larger blocks than there are.
    LargeBlocks = 5,
    /// Returns an error.
    Error = 6,
    /// Panics.
    Panic = 7,
}

fn copy_with_size(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let n = size_tensor(x.shape_expr(0), x.shape_expr(0));
    (TensorDesc::from_shape_expr([n.expr()], x.dtype()), n)
}

fn copy_on_host(x: Tensor<'_>, outputs: [TensorMut<'_>; 2]) -> Result<()> {
    let [y, n] = outputs;
    let x = x.as_slice::<f32>()?;
    y.into_slice::<f32>()?.copy_from_slice(x);
    n.write_size(x.len())
}

fn misbehave_on_device(x: Tensor<'_>, outputs: [TensorMut<'_>; 2], stream: &Stream, misdeed: Misdeed) -> Result<()> {
    let [y, count] = outputs;
    let n = x.numel();
    let (delta, counted, write, block) = match misdeed {
        Misdeed::None => (0.0, n, 1, 256),
        Misdeed::SizeNotWritten => (0.0, n, 0, 256),
        Misdeed::SizeTooLarge => (0.0, n + 1, 1, 256),
        Misdeed::WrongResult => (1.0, n, 1, 256),
        Misdeed::LargeBlocks => (0.0, n, 1, 2048),
        Misdeed::Error => bail!("no such luck"),
        Misdeed::Panic => panic!("index out of reach"),
    };
    let launch = LaunchConfig::for_elements(n.max(1), block)?;
    let (y, count) = (y.into_device_slice()?, count.into_device_slice()?);
    misbehave_f32(stream, launch, x.device_slice()?, y, n as u64, delta, count, counted as i32, write)
}

/// Copies a vector; on a GPU each tactic but the first goes wrong in its own way.
#[register("gpu::misbehave")]
pub(crate) fn misbehave(
    x: &TensorDesc,
    #[default([1, 2, 3, 4, 5, 6, 7])] tactics: &[i32],
) -> (TensorDesc, SizeTensorDesc) {
    copy_with_size(x)
}

#[autotune("gpu::misbehave")]
fn misbehave_autotune(x: &TensorDesc, tactics: &[i32], outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32, INT32").tactics(tactics.iter().copied())]
}

#[impl_plugin("gpu::misbehave", device = cpu)]
fn misbehave_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    copy_on_host(x, outputs)
}

#[impl_plugin("gpu::misbehave", device = cuda)]
fn misbehave_cuda(x: Tensor, outputs: [TensorMut; 2], stream: &Stream, tactic: Misdeed) -> Result<()> {
    misbehave_on_device(x, outputs, stream, tactic)
}

/// The same, found only when it runs: `misdeed` is [`Misdeed`]'s number.
#[register("gpu::misbehave_late")]
pub(crate) fn misbehave_late(x: &TensorDesc, misdeed: i32) -> (TensorDesc, SizeTensorDesc) {
    copy_with_size(x)
}

#[impl_plugin("gpu::misbehave_late", device = cpu)]
fn misbehave_late_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    copy_on_host(x, outputs)
}

#[impl_plugin("gpu::misbehave_late", device = cuda)]
fn misbehave_late_cuda(x: Tensor, misdeed: i32, outputs: [TensorMut; 2], stream: &Stream) -> Result<()> {
    let misdeed = match misdeed {
        2 => Misdeed::SizeNotWritten,
        3 => Misdeed::SizeTooLarge,
        5 => Misdeed::LargeBlocks,
        6 => Misdeed::Error,
        7 => Misdeed::Panic,
        _ => Misdeed::None,
    };
    misbehave_on_device(x, outputs, stream, misdeed)
}

/// Fills its output in a launch of `grid` blocks, `block` threads and `shared` bytes.
#[register("gpu::launch")]
pub(crate) fn launch(x: &TensorDesc, grid: &[i32], block: &[i32], #[default(0)] shared: i32) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::launch", device = cuda)]
fn launch_cuda(
    x: Tensor,
    grid: &[i32],
    block: &[i32],
    shared: i32,
    outputs: [TensorMut; 1],
    stream: &Stream,
) -> Result<()> {
    let [y] = outputs;
    let three = |all: &[i32]| <[i32; 3]>::try_from(all).map(|all| all.map(|n| n as u32));
    let (Ok(grid), Ok(block)) = (three(grid), three(block)) else { bail!("three extents are needed") };
    let config = LaunchConfig { grid, block, shared_bytes: shared as u32, ..LaunchConfig::default() };
    fill_f32(stream, config, y.into_device_slice()?, x.numel() as u64, 1.0)
}

/// Which kernel of [`mistaken()`] can't be used.
#[register("gpu::mistaken")]
pub(crate) fn mistaken(x: &TensorDesc, kernel: &str) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::mistaken", device = cuda)]
fn mistaken_cuda(x: Tensor, kernel: &str, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel();
    let (x, y, launch) = (x.device_slice()?, y.into_device_slice()?, each(n)?);
    match kernel {
        "copy_mismatched" => copy_mismatched(stream, launch, x, y, n as u64),
        "copy_under_another_name" => copy_under_another_name(stream, launch, x, y, n as u64),
        _ => copy_broken(stream, launch, x, y, n as u64),
    }
}

/// Copies nothing, with scratch memory of so many GiB.
#[register("gpu::hoard")]
pub(crate) fn hoard(x: &TensorDesc, gib: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::hoard", device = cuda, workspace = ShapeExpr::constant(gib << 30))]
fn hoard_cuda(x: Tensor, gib: i64, outputs: [TensorMut; 1], workspace: Workspace, stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel();
    if workspace.into_device_slice::<u8>()?.len() >> 30 != gib as usize {
        bail!("the workspace is of another size");
    }
    fill_f32(stream, each(n)?, y.into_device_slice()?, n as u64, 1.0)
}

/// An output of so many GiB, left as it is.
#[register("gpu::vast")]
pub(crate) fn vast(x: &TensorDesc, gib: i64) -> TensorDesc {
    TensorDesc::from_shape_expr([gib << 30], DataType::UInt8)
}

#[impl_plugin("gpu::vast", device = cuda)]
fn vast_cuda(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let _ = (x, outputs);
    Ok(())
}

/// Writes to an address that isn't its own.
#[register("gpu::fault")]
pub(crate) fn fault(x: &TensorDesc, address: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("gpu::fault", device = cuda)]
fn fault_cuda(x: Tensor, address: i64, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    let n = x.numel();
    fill_f32(stream, each(n)?, y.into_device_slice()?, n as u64, 1.0)?;
    write_anywhere(stream, LaunchConfig::default(), address as u64, 1.0)
}
