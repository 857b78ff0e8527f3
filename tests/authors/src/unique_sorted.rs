//! The different elements of a sorted vector.
use plugin_runtime::prelude::*;

kernels! {
    source UNIQUE = "unique_sorted.cu";
    /// One block, of 1024 threads.
    fn compact<T in [f32, i32]>(x: DeviceSlice<T>, n: i64 = x.len(), y: DeviceSliceMut<T>, count: DeviceSliceMut<i32>);
}

#[register("authors::unique_sorted", sample_inputs(x = Sample::new().sorted()))]
pub fn unique_sorted(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let count = size_tensor(x.numel() / 2, x.numel());
    (TensorDesc::from_shape_expr([count.expr()], x.dtype()), count)
}

#[autotune("authors::unique_sorted")]
fn unique_sorted_autotune(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|INT32, FP32|INT32, INT32")]
}

#[impl_plugin("authors::unique_sorted", device = cpu)]
fn unique_sorted_cpu(x: Tensor, [y, count]: [TensorMut; 2]) -> Result<()> {
    dispatch!(x.dtype(), T in [f32, i32] => {
        let (x, y, mut last) = (x.as_slice::<T>()?, y.into_slice::<T>()?, 0);
        for (i, &element) in x.iter().enumerate() {
            last += usize::from(i > 0 && element != x[i - 1]);
            y[last] = element;
        }
        count.write_size(last + x.len().min(1))
    })
}

#[impl_plugin("authors::unique_sorted", device = cuda)]
fn unique_sorted_cuda(x: Tensor, [y, count]: [TensorMut; 2], stream: &Stream) -> Result<()> {
    compact(stream, LaunchConfig::blocks(1, 1024)?, x, y, count)
}
