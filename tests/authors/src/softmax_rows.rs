//! Softmax of each row, by way of its largest element and the sum of exponentials in scratch memory.
use plugin_runtime::prelude::*;

kernels! {
    source SOFTMAX = "softmax_rows.cu";
    /// A block a row: its largest element, and the sum.
    fn measure<T in [f32, f16, bf16]>(x: DeviceSlice<T>, columns: i64, rows: DeviceSliceMut<f32>);
    fn divide<T in [f32, f16, bf16]>(
        x: DeviceSlice<T>, n: i64 = x.len(), columns: i64, rows: DeviceSlice<f32>, y: DeviceSliceMut<T>,
    );
}

#[register("authors::softmax_rows")]
pub fn softmax_rows(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("authors::softmax_rows")]
fn softmax_rows_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32|FP16|BF16")]
}

#[impl_plugin("authors::softmax_rows", device = cpu, workspace = x.shape_expr(1) * 4)]
fn softmax_rows_cpu(x: Tensor, [y]: [TensorMut; 1], workspace: Workspace) -> Result<()> {
    let (columns, row) = (x.shape()[1].max(1) as usize, workspace.into_slice::<f32>()?);
    dispatch!(x.dtype(), T in [f32, f16, bf16] => {
        let (x, y) = (x.as_slice::<T>()?, y.into_slice::<T>()?);
        for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
            let most = x.iter().map(|x| x.to_f32()).fold(f32::MIN, f32::max);
            row.iter_mut().zip(x).for_each(|(e, x)| *e = (x.to_f32() - most).exp());
            let sum: f32 = row.iter().sum();
            y.iter_mut().zip(&*row).for_each(|(y, e)| *y = T::from_f32(e / sum));
        }
        Ok(())
    })
}

#[impl_plugin("authors::softmax_rows", device = cuda, workspace = x.shape_expr(0) * 8)]
fn softmax_rows_cuda(x: Tensor, [y]: [TensorMut; 1], mut workspace: Workspace, stream: &Stream) -> Result<()> {
    let [rows, columns] = [x.shape()[0], x.shape()[1]];
    measure(stream, LaunchConfig::blocks(rows as usize, 256)?, x, columns, &mut workspace)?;
    divide(stream, LaunchConfig::for_elements(x.numel(), 256)?, x, columns, &workspace, y)
}
