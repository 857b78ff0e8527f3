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

/// Kernels that do nothing.
pub(super) const PTX: &str = "
.version 7.0
.target sm_80
.address_size 64
.visible .entry sums(.param .u64 x, .param .u64 sums, .param .u32 n) { ret; }
.visible .entry total(.param .u64 sums, .param .u64 y, .param .u64 x, .param .u64 count, .param .f32 scale) { ret; }
.visible .entry copy(.param .u64 x, .param .u64 y) { ret; }
.visible .entry fill(.param .u64 x, .param .u32 n, .param .u64 y, .param .u64 count) { ret; }
";

#[register("file_test::total", crate = crate)]
pub(super) fn total(x: &TensorDesc, scale: f32) -> TensorDesc {
    TensorDesc::from_shape_expr([x.shape_expr(0), 1.into()], x.dtype())
}

#[aot_impl("file_test::total", crate = crate)]
fn total_aot(x: &TensorDesc, scale: f32, outputs: &[TensorDesc; 1]) -> AotKernel {
    let blocks = x.numel().ceil_div(256);
    let sums = AotLaunch::new("sums").grid([&blocks]).block([256]).shared_mem(1024).parameters([
        AotParameter::Input(0),
        AotParameter::Workspace,
        AotArg::I32(x.numel()).into(),
    ]);
    let total = AotLaunch::new("total").grid([outputs[0].shape_expr(0)]).block([32, 2]).parameters([
        AotParameter::Workspace,
        AotParameter::Output(0),
        AotParameter::Input(0),
        AotArg::I64(blocks.clone()).into(),
        AotArg::F32(scale).into(),
    ]);
    AotKernel::sequence(PTX, [sums, total]).workspace(blocks * 4)
}

#[register("file_test::fill", crate = crate)]
pub(super) fn fill(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let filled = size_tensor(1, x.numel());
    (TensorDesc::from_shape_expr([filled.expr()], x.dtype()), filled)
}

#[aot_impl("file_test::fill", crate = crate)]
fn fill_aot(x: &TensorDesc, outputs: &[TensorDesc; 2], tactic: Way) -> AotKernel {
    let threads = match tactic {
        Way::Forwards => 128,
    };
    AotKernel::new("fill", PTX).grid([outputs[0].numel().ceil_div(threads)]).block([threads]).extra_args([x.numel()])
}

#[register("file_test::copy", crate = crate)]
pub(super) fn copy(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("file_test::copy", crate = crate)]
fn copy_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("copy", PTX).grid([x.numel().ceil_div(32)]).block([32])
}
