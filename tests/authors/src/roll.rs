//! Elements moved along an axis, those beyond its end to its start: `numpy.roll`.
use plugin_runtime::prelude::*;

kernels! {
    source ROLL = "roll.cu";
    /// A thread an element.
    fn roll_elements<T in [f32, f16, bf16, i32]>(
        x: DeviceSlice<T>, n: i64 = x.len(), extent: i64, inner: i64, shift: i64, y: DeviceSliceMut<T>,
    );
}

#[register("authors::roll")]
pub fn roll(x: &TensorDesc, shift: i64, axis: i64) -> Result<TensorDesc> {
    if !(0..x.rank() as i64).contains(&axis) {
        bail!("axis {axis} isn't one of {x}");
    }
    Ok(x.like())
}

#[autotune("authors::roll")]
fn roll_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16|BF16"), AutoTuneCombination::new("INT32")]
}

/// The axis' extent, the elements between two of its indices, and the shift in its range.
fn along(x: &Tensor, shift: i64, axis: i64) -> [i64; 3] {
    let (extent, inner) = (x.shape()[axis as usize], x.shape()[axis as usize + 1..].iter().product());
    [extent, inner, shift.checked_rem_euclid(extent).unwrap_or(0)]
}

#[impl_plugin("authors::roll", device = cpu)]
fn roll_cpu(x: Tensor, shift: i64, axis: i64, [y]: [TensorMut; 1]) -> Result<()> {
    let [extent, inner, shift] = along(&x, shift, axis);
    let (step, row) = ((shift * inner) as usize, (extent * inner).max(1) as usize);
    dispatch!(x.dtype(), T in [f32, f16, bf16, i32] => {
        for (x, y) in x.as_slice::<T>()?.chunks_exact(row).zip(y.into_slice::<T>()?.chunks_exact_mut(row)) {
            y.copy_from_slice(x);
            y.rotate_right(step);
        }
        Ok(())
    })
}

#[impl_plugin("authors::roll", device = cuda)]
fn roll_cuda(x: Tensor, shift: i64, axis: i64, [y]: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [extent, inner, shift] = along(&x, shift, axis);
    roll_elements(stream, LaunchConfig::for_elements(x.numel(), 256)?, x, extent, inner, shift, y)
}
