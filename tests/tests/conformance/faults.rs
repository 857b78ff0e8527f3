//! Plugins that are wrong in one way each. Where they are right, they double.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use plugin_runtime::prelude::*;

#[register("faulty::right")]
pub(crate) fn right(x: &TensorDesc, factor: f32) -> TensorDesc {
    x.like()
}

#[autotune("faulty::right")]
fn right_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16|BF16")]
}

#[impl_plugin("faulty::right", device = cpu)]
fn right_cpu(x: Tensor, factor: f32, [y]: [TensorMut; 1]) -> Result<()> {
    dispatch!(x.dtype(), T in [f32, f16, bf16] => {
        for (y, x) in y.into_slice::<T>()?.iter_mut().zip(x.as_slice::<T>()?) {
            *y = T::from_f32(x.to_f32() * factor);
        }
        Ok(())
    })
}

#[register("faulty::right_by_default")]
pub(crate) fn right_by_default(x: &TensorDesc, #[default(2.0)] factor: f32) -> TensorDesc {
    x.like()
}

#[impl_plugin("faulty::right_by_default", device = cpu)]
fn right_by_default_cpu(x: Tensor, factor: f32, [y]: [TensorMut; 1]) -> Result<()> {
    right_cpu(x, factor, [y])
}

fn double(x: &[f32], y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = x * 2.0);
}

#[register("faulty::writes_nothing")]
pub(crate) fn writes_nothing(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("faulty::writes_nothing", device = cpu)]
fn writes_nothing_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

#[register("faulty::writes_half")]
pub(crate) fn writes_half(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("faulty::writes_half", device = cpu)]
fn writes_half_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let x = x.as_slice::<f32>()?;
    double(&x[..x.len() / 2], y.into_slice()?);
    Ok(())
}

#[register("faulty::writes_beyond")]
pub(crate) fn writes_beyond(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("faulty::writes_beyond", device = cpu)]
fn writes_beyond_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let y = y.into_slice::<f32>()?;
    double(x.as_slice()?, y);
    // SAFETY: a test's memory goes on after each tensor, see `tactic/scratch.rs`.
    #[expect(unsafe_code, reason = "this is the mistake")]
    unsafe {
        y.as_mut_ptr().add(y.len()).write_volatile(1.0);
    }
    Ok(())
}

#[register("faulty::wrong_tail")]
pub(crate) fn wrong_tail(x: &TensorDesc) -> TensorDesc {
    x.like()
}

/// In steps of 8; what is left after those is halved.
#[impl_plugin("faulty::wrong_tail", device = cpu)]
fn wrong_tail_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let (x, y) = (x.as_slice::<f32>()?, y.into_slice::<f32>()?);
    let whole = x.len() / 8 * 8;
    double(x, y);
    y[whole..].iter_mut().zip(&x[whole..]).for_each(|(y, x)| *y = x / 2.0 + 1.0);
    Ok(())
}

#[register("faulty::shared_scratch")]
pub(crate) fn shared_scratch(x: &TensorDesc) -> TensorDesc {
    x.like()
}

/// Scratch memory that all contexts have together.
static SCRATCH: [AtomicU32; 64] = [const { AtomicU32::new(0) }; 64];

#[impl_plugin("faulty::shared_scratch", device = cpu)]
fn shared_scratch_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    for (x, y) in x.as_slice::<f32>()?.chunks(SCRATCH.len()).zip(y.into_slice::<f32>()?.chunks_mut(SCRATCH.len())) {
        SCRATCH.iter().zip(x).for_each(|(scratch, x)| scratch.store((x * 2.0).to_bits(), Ordering::Relaxed));
        std::thread::sleep(Duration::from_micros(100));
        y.iter_mut().zip(&SCRATCH).for_each(|(y, scratch)| *y = f32::from_bits(scratch.load(Ordering::Relaxed)));
    }
    Ok(())
}

#[derive(Tactic, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Care {
    Careful = 1,
    Careless = 2,
}

#[register("faulty::wrong_half")]
pub(crate) fn wrong_half(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("faulty::wrong_half")]
fn wrong_half_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16").tactics([Care::Careful, Care::Careless])]
}

#[impl_plugin("faulty::wrong_half", device = cpu)]
fn wrong_half_cpu(x: Tensor, [y]: [TensorMut; 1], tactic: Care) -> Result<()> {
    let more = if tactic == Care::Careless && x.dtype() == DataType::Float16 { 0.125 } else { 0.0 };
    dispatch!(x.dtype(), T in [f32, f16] => {
        for (y, x) in y.into_slice::<T>()?.iter_mut().zip(x.as_slice::<T>()?) {
            *y = T::from_f32(x.to_f32() * 2.0 + more);
        }
        Ok(())
    })
}

#[register("faulty::remembers_length")]
pub(crate) fn remembers_length(x: &TensorDesc) -> TensorDesc {
    x.like()
}

/// The length of the first tensor that was ever seen.
static LENGTH: AtomicUsize = AtomicUsize::new(0);

#[impl_plugin("faulty::remembers_length", device = cpu)]
fn remembers_length_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let x = x.as_slice::<f32>()?;
    let _ = LENGTH.compare_exchange(0, x.len(), Ordering::Relaxed, Ordering::Relaxed);
    double(&x[..x.len().min(LENGTH.load(Ordering::Relaxed))], y.into_slice()?);
    Ok(())
}

#[register("faulty::reads_after_writing")]
pub(crate) fn reads_after_writing(x: &TensorDesc) -> TensorDesc {
    x.aliased()
}

/// Adds to each element the one before it, which has been changed by then.
#[impl_plugin("faulty::reads_after_writing", device = cpu)]
fn reads_after_writing_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    let y = y.into_slice::<f32>()?;
    for i in 1..y.len() {
        y[i] += y[i - 1];
    }
    Ok(())
}

#[register("faulty::panics")]
pub(crate) fn panics(x: &TensorDesc) -> TensorDesc {
    panic!("no plugin should")
}

#[impl_plugin("faulty::panics", device = cpu)]
fn panics_cpu(x: Tensor, outputs: [TensorMut; 1]) {}

#[register("faulty::only_packed")]
pub(crate) fn only_packed(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("faulty::only_packed")]
fn only_packed_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").layouts("CHW4, CHW4")]
}

/// Right, also in the channels that are only there to fill up.
#[impl_plugin("faulty::only_packed", device = cpu)]
fn only_packed_cpu(x: Tensor, [y]: [TensorMut; 1]) -> Result<()> {
    double(x.as_slice()?, y.into_slice()?);
    Ok(())
}
