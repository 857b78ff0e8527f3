//! Reductions over a block, by the functions of the runtime's header.

use plugin_runtime::prelude::*;

kernels! {
    source REDUCE = "reduce.cu";
    fn reduce_any(x: DeviceSlice<i32>, sums: DeviceSliceMut<i32>, largest: DeviceSliceMut<i32>);
    fn reduce_33(x: DeviceSlice<i32>, sums: DeviceSliceMut<i32>, largest: DeviceSliceMut<i32>);
    fn reduce_256(x: DeviceSlice<i32>, sums: DeviceSliceMut<i32>, largest: DeviceSliceMut<i32>);
    fn reduce_1024(x: DeviceSlice<i32>, sums: DeviceSliceMut<i32>, largest: DeviceSliceMut<i32>);
}

/// What each thread is told of the sum, and of the largest, of a block with a thread for each element.
#[register("gpu::reduce")]
pub(crate) fn reduce(x: &TensorDesc, known: bool) -> (TensorDesc, TensorDesc) {
    (x.like(), x.like())
}

#[autotune("gpu::reduce")]
fn reduce_autotune(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("INT32")]
}

#[impl_plugin("gpu::reduce", device = cuda)]
fn reduce_cuda(x: Tensor, known: bool, [sums, largest]: [TensorMut; 2], stream: &Stream) -> Result<()> {
    let launch = LaunchConfig::blocks(1, u32::try_from(x.numel())?)?;
    match (known, x.numel()) {
        (false, _) => reduce_any(stream, launch, x, sums, largest),
        (true, 33) => reduce_33(stream, launch, x, sums, largest),
        (true, 256) => reduce_256(stream, launch, x, sums, largest),
        (true, 1024) => reduce_1024(stream, launch, x, sums, largest),
        (true, other) => bail!("no kernel is for {other} threads alone"),
    }
}
