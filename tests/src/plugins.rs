//! Small plugins, each for one thing that an engine must do.

use plugin_runtime::prelude::*;

use crate::gpu_plugins::elementwise::scale_on_host;

/// Multiplies by a factor; runs in FP32 and FP16.
#[register("test::scale")]
pub fn scale(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[autotune("test::scale")]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16")]
}

#[impl_plugin("test::scale", device = cpu)]
fn scale_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    scale_on_host(x, factor, outputs)
}

/// Adds in place.
#[register("test::add_in_place")]
pub fn add_in_place(x: &TensorDesc, delta: f32) -> TensorDesc {
    x.aliased()
}

#[autotune("test::add_in_place")]
fn add_in_place_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([1, 2])]
}

#[impl_plugin("test::add_in_place", device = cpu)]
fn add_in_place_cpu(x: Tensor, delta: f32, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    let y = y.into_slice::<f32>()?;
    match tactic {
        1 => y.iter_mut().for_each(|y| *y += delta),
        _ => y.iter_mut().rev().for_each(|y| *y += delta),
    }
    Ok(())
}

/// Keeps the positive elements of a vector; also gives their number.
#[register("test::keep_positive")]
pub fn keep_positive(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let kept = size_tensor(x.numel() / 2, x.numel()).dtype(DataType::Int64);
    (TensorDesc::from_shape_expr([kept.expr()], x.dtype()), kept)
}

#[impl_plugin("test::keep_positive", device = cpu)]
fn keep_positive_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    let [values, count] = outputs;
    let values = values.into_slice::<f32>()?;
    let kept = x.as_slice::<f32>()?.iter().filter(|x| **x > 0.0);
    let mut n = 0;
    for (slot, value) in values.iter_mut().zip(kept) {
        *slot = *value;
        n += 1;
    }
    count.write_size(n)
}

/// As many zeros as a vector lacks to have three elements.
#[register("test::missing_to_three")]
pub fn missing_to_three(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([3 - x.shape_expr(0)], x.dtype())
}

#[impl_plugin("test::missing_to_three", device = cpu)]
fn missing_to_three_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.fill(0.0);
    Ok(())
}

/// Repeats a vector after itself, in scratch memory first.
#[register("test::twice")]
pub fn twice(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([2 * x.shape_expr(0)], x.dtype())
}

#[impl_plugin("test::twice", device = cpu, workspace = x.numel() * 8)]
fn twice_cpu(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace) -> Result<()> {
    let [y] = outputs;
    let scratch = workspace.into_slice::<f32>()?;
    let n = x.numel();
    if scratch.len() != 2 * n {
        bail!("the workspace holds {} floats, not {}", scratch.len(), 2 * n);
    }
    for half in scratch.chunks_exact_mut(n.max(1)) {
        half.copy_from_slice(x.as_slice()?);
    }
    y.into_slice::<f32>()?.copy_from_slice(scratch);
    Ok(())
}

/// How [`misbehave()`] goes wrong.
#[derive(Tactic, Clone, Copy, Debug)]
pub enum Misdeed {
    /// It doesn't.
    None = 1,
    /// Leaves the size tensor as it is.
    SizeNotWritten = 2,
    /// Writes a size above the upper bound.
    SizeTooLarge = 3,
    /// Panics.
    Panic = 4,
    /// Returns an error.
    Error = 5,
    /// Writes other values than the first tactic.
    WrongResult = 6,
}

/// Copies a vector; each tactic but the first goes wrong in its own way, and so does the default attribute's choice.
#[register("test::misbehave")]
pub fn misbehave(x: &TensorDesc, #[default([1, 2, 3, 4, 5, 6])] tactics: &[i32]) -> (TensorDesc, SizeTensorDesc) {
    let n = size_tensor(x.shape_expr(0), x.shape_expr(0));
    (TensorDesc::from_shape_expr([n.expr()], x.dtype()), n)
}

#[autotune("test::misbehave")]
fn misbehave_autotune(x: &TensorDesc, tactics: &[i32], outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    let combination = AutoTuneCombination::new("FP32, FP32, INT32").tactics(tactics.iter().copied());
    vec![if tactics.contains(&1) { combination.reference(Misdeed::None) } else { combination }]
}

#[impl_plugin("test::misbehave", device = cpu)]
fn misbehave_cpu(x: Tensor, outputs: [TensorMut; 2], tactic: Misdeed) -> Result<()> {
    let [y, n] = outputs;
    let x = x.as_slice::<f32>()?;
    let y = y.into_slice::<f32>()?;
    y.copy_from_slice(x);
    match tactic {
        Misdeed::None => n.write_size(x.len()),
        Misdeed::SizeNotWritten => Ok(()),
        Misdeed::SizeTooLarge => n.write_size(x.len() + 1),
        Misdeed::Panic => panic!("index out of reach"),
        Misdeed::Error => bail!("no such luck"),
        Misdeed::WrongResult => {
            y.iter_mut().for_each(|y| *y += 1.0);
            n.write_size(x.len())
        }
    }
}

/// Fails or panics when it meets a NaN, else copies. Has no autotune function, so that it fails at run time only.
#[register("test::refuse_nan")]
pub fn refuse_nan(x: &TensorDesc, #[default(false)] by_panic: bool) -> TensorDesc {
    x.like()
}

#[impl_plugin("test::refuse_nan", device = cpu)]
fn refuse_nan_cpu(x: Tensor, by_panic: bool, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let x = x.as_slice::<f32>()?;
    if let Some(at) = x.iter().position(|x| x.is_nan()) {
        if by_panic {
            panic!("element {at} is NaN");
        }
        bail!("element {at} is NaN");
    }
    y.into_slice::<f32>()?.copy_from_slice(x);
    Ok(())
}

/// Adds a number to each column.
#[register("test::add_columns")]
pub fn add_columns(x: &TensorDesc, bias: &TensorDesc) -> Result<TensorDesc> {
    let columns = x.shape_expr(1).must_equal(bias.shape_expr(0))?;
    Ok(TensorDesc::from_shape_expr((x.shape_expr(0), columns), x.dtype()))
}

#[impl_plugin("test::add_columns", device = cpu)]
fn add_columns_cpu(x: Tensor, bias: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let (x, bias) = (x.as_slice::<f32>()?, bias.as_slice::<f32>()?);
    y.into_slice::<f32>()?.iter_mut().zip(x).zip(bias.iter().cycle()).for_each(|((y, x), bias)| *y = x + bias);
    Ok(())
}

/// Three outputs, each as large as memory can be.
#[register("test::colossal")]
pub fn colossal(x: &TensorDesc) -> (TensorDesc, TensorDesc, TensorDesc) {
    let large = || TensorDesc::from_shape_expr([i64::MAX], DataType::UInt8);
    (large(), large(), large())
}

#[autotune("test::colossal")]
fn colossal_autotune(x: &TensorDesc, outputs: &[TensorDesc; 3]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, UINT8, UINT8, UINT8")]
}

#[impl_plugin("test::colossal", device = cpu)]
fn colossal_cpu(x: Tensor, outputs: [TensorMut; 3]) -> Result<()> {
    bail!("{} bytes were found for each of {} outputs", x.numel(), outputs.len())
}

/// Adds 1 to a tensor of four dimensions in which channels are interleaved.
#[register("test::add_channels")]
pub fn add_channels(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("test::add_channels")]
fn add_channels_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![
        AutoTuneCombination::new("FP32, FP32").layouts("CHW4, HWC"),
        AutoTuneCombination::new("FP32, FP32").layouts("HWC|CHW32, CHW4|HWC8"),
    ]
}

#[impl_plugin("test::add_channels", device = cpu)]
fn add_channels_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let (n, c, h, w) = (x.shape()[0], x.shape()[1], x.shape()[2], x.shape()[3]);
    let index = |format: Format, [i, j, k, l]: [i64; 4]| {
        let vectors = |v: i64| ((i * ((c + v - 1) / v) + j / v) * h + k) * w + l;
        (match format {
            Format::Hwc => ((i * h + k) * w + l) * c + j,
            Format::Hwc8 => ((i * h + k) * w + l) * ((c + 7) / 8 * 8) + j,
            Format::Chw4 => vectors(4) * 4 + j % 4,
            Format::Chw32 => vectors(32) * 32 + j % 32,
            _ => return None,
        })
        .try_into()
        .ok()
    };
    let (from, to) = (x.format(), y.format());
    let x = x.as_slice::<f32>()?;
    let y = y.into_slice::<f32>()?;
    for at in (0..n * c * h * w).map(|e| [e / (c * h * w), e / (h * w) % c, e / w % h, e % w]) {
        let places: Option<(usize, usize)> = index(from, at).zip(index(to, at));
        let Some((from, to)) = places else { bail!("layouts {from} and {to} weren't asked for") };
        y[to] = x[from] + 1.0;
    }
    Ok(())
}
