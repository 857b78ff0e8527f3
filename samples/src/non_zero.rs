//! `sample::non_zero_plugin`: where a matrix isn't 0.

mod cuda;
mod kernel;
mod kernels;

use plugin_runtime::prelude::*;

/// Row-major indices of the non-zero elements of a matrix.
#[register("sample::non_zero_plugin")]
pub fn non_zero_plugin(inp0: &TensorDesc) -> Result<(TensorDesc, SizeTensorDesc)> {
    if inp0.rank() != 2 {
        bail!("non_zero needs a matrix, but `inp0` is of rank {}", inp0.rank());
    }
    let upper_bound = inp0.shape_expr(0) * inp0.shape_expr(1);
    let count = size_tensor(&upper_bound / 2, upper_bound).dtype(DataType::Int64);
    Ok((TensorDesc::from_shape_expr([count.expr(), 2.into()], DataType::Int32), count))
}

/// How a GPU finds out how many non-zeros are before each part of the matrix.
#[derive(Tactic, Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonZeroCudaTactic {
    /// Each part publishes its count and adds up those before it: the matrix is read once, in one pass.
    Scan = 11,
    /// A first pass keeps a bit an element, and counts; the second adds up the counts, and writes from the bits.
    TwoPass = 12,
}

#[autotune("sample::non_zero_plugin")]
fn non_zero_autotune(inp0: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    let tactics = [NonZeroCudaTactic::Scan, NonZeroCudaTactic::TwoPass];
    vec![AutoTuneCombination::new("FP32|FP16, INT32, INT64").tactics(tactics)]
}

#[impl_plugin("sample::non_zero_plugin", device = cpu)]
fn non_zero_cpu(inp0: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    let [indices, count] = outputs;
    let found = match inp0.dtype() {
        DataType::Float16 => kernel::non_zero(inp0.as_slice::<f16>()?, inp0.shape(), indices.into_slice()?),
        _ => kernel::non_zero(inp0.as_slice::<f32>()?, inp0.shape(), indices.into_slice()?),
    }?;
    count.write_size(found)
}

#[impl_plugin("sample::non_zero_plugin", device = cuda, workspace = cuda::workspace, device_shape = true)]
fn non_zero_cuda(
    inp0: Tensor,
    outputs: [TensorMut; 2],
    workspace: Workspace,
    stream: &Stream,
    tactic: NonZeroCudaTactic,
) -> Result<()> {
    let [indices, count] = outputs;
    let (indices, count) = (indices.into_device_slice()?, count.into_device_slice()?);
    cuda::non_zero(stream, inp0, indices, count, workspace, tactic)
}
