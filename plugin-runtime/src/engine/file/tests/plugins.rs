//! Plugins for files to name.

use crate::prelude::*;

#[register("file_test::add", crate = crate)]
pub(super) fn add(x: &TensorDesc, delta: f32, #[default(true)] unused: bool) -> TensorDesc {
    x.aliased()
}

#[autotune("file_test::add", crate = crate)]
fn add_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([Way::Forwards])]
}

#[derive(Tactic, Clone, Copy)]
#[tactic(crate = crate)]
enum Way {
    Forwards = 2,
}

#[impl_plugin("file_test::add", device = cpu, crate = crate)]
fn add_cpu(x: Tensor, delta: f32, outputs: [TensorMut; 1], tactic: Way) -> Result<()> {
    let [y] = outputs;
    match tactic {
        Way::Forwards => y.into_slice::<f32>()?.iter_mut().for_each(|y| *y += delta),
    }
    Ok(())
}

#[register("file_test::keep", crate = crate)]
pub(super) fn keep(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let kept = size_tensor(1, x.numel());
    (TensorDesc::from_shape_expr([kept.expr()], x.dtype()), kept)
}

#[impl_plugin("file_test::keep", device = cpu, crate = crate, workspace = x.numel() * 4)]
fn keep_cpu(x: Tensor, outputs: [TensorMut; 2], workspace: Workspace) -> Result<()> {
    let [values, count] = outputs;
    let scratch = workspace.into_slice::<f32>()?;
    scratch.copy_from_slice(x.as_slice()?);
    values.into_slice::<f32>()?.copy_from_slice(scratch);
    count.write_size(x.numel())
}
