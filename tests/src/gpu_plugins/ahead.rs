//! Plugins whose kernels an engine can hold. On the CPU they have impls; on a GPU none.

use plugin_runtime::prelude::*;

use super::sizes::keep_positive_cpu;

kernels! {
    source AHEAD = "ahead.cu";
}

kernels! {
    image FIRST = "ahead.ptx";
    fn ahead_first(x: DeviceSlice<f32>, delta: f32, y: DeviceSliceMut<f32>);
}

/// The first element plus a number, by an impl that launches PTX.
#[register("gpu::first_plus")]
pub fn first_plus(x: &TensorDesc, delta: f32) -> TensorDesc {
    TensorDesc::from_shape_expr([1], x.dtype())
}

#[impl_plugin("gpu::first_plus", device = cuda)]
fn first_plus_cuda(x: Tensor, delta: f32, outputs: [TensorMut; 1], stream: &Stream) -> Result<()> {
    let [y] = outputs;
    ahead_first(stream, LaunchConfig::default(), x.device_slice()?, delta, y.into_device_slice()?)
}

/// Twice the elements, backwards, plus a number: two kernels, with scratch memory between them.
#[register("gpu::ahead")]
pub fn ahead(x: &TensorDesc, delta: f32) -> TensorDesc {
    x.like()
}

#[autotune("gpu::ahead")]
fn ahead_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([Threads::Few, Threads::Many])]
}

#[derive(Tactic, Clone, Copy)]
enum Threads {
    Few = 31,
    Many = 32,
}

#[aot_impl("gpu::ahead")]
fn ahead_aot(x: &TensorDesc, delta: f32, outputs: &[TensorDesc; 1], tactic: Threads) -> AotKernel {
    let threads = match tactic {
        Threads::Few => 64,
        Threads::Many => 256,
    };
    let n = x.numel();
    let blocks = n.ceil_div(threads);
    let double = AotLaunch::new("ahead_double").grid([&blocks]).block([threads]).parameters([
        AotParameter::Input(0),
        AotParameter::Workspace,
        AotArg::I32(n.clone()).into(),
    ]);
    let shift = AotLaunch::new("ahead_shift").grid([&blocks]).block([threads]).parameters([
        AotParameter::Workspace,
        AotParameter::Output(0),
        AotArg::I64(n.clone()).into(),
        AotArg::F32(delta).into(),
    ]);
    AotKernel::sequence(&AHEAD, [double, shift]).workspace(n * 4)
}

#[impl_plugin("gpu::ahead", device = cpu)]
fn ahead_cpu(x: Tensor, delta: f32, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let x = x.as_slice::<f32>()?;
    y.into_slice::<f32>()?.iter_mut().zip(x.iter().rev()).for_each(|(y, x)| *y = 2.0 * x + delta);
    Ok(())
}

/// The squares of as many elements as `count` says.
#[register("gpu::ahead_counted")]
pub fn ahead_counted(x: &TensorDesc, count: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("gpu::ahead_counted", device_shape = true)]
fn ahead_counted_aot(x: &TensorDesc, count: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("ahead_counted", &AHEAD).grid([x.numel().ceil_div(256)]).block([256])
}

#[impl_plugin("gpu::ahead_counted", device = cpu)]
fn ahead_counted_cpu(x: Tensor, count: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let count = count.as_slice::<i64>()?[0] as usize;
    let x = &x.as_slice::<f32>()?[..count];
    y.into_slice::<f32>()?.iter_mut().zip(x).for_each(|(y, x)| *y = x * x);
    Ok(())
}

/// A copy, by kernels that need as many blocks in y as there are elements.
#[register("gpu::ahead_tall")]
pub fn ahead_tall(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("gpu::ahead_tall")]
fn ahead_tall_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("ahead_tall", &AHEAD).grid([1.into(), x.numel()]).block([32])
}

/// The first element plus 0.25, by PTX for an architecture.
#[register("gpu::ahead_ptx")]
pub fn ahead_ptx(x: &TensorDesc, target: &str) -> TensorDesc {
    x.like()
}

#[aot_impl("gpu::ahead_ptx")]
fn ahead_ptx_aot(x: &TensorDesc, target: &str, outputs: &[TensorDesc; 1]) -> AotKernel {
    let ptx = include_str!("ahead.ptx").replace("sm_80", target);
    AotKernel::new("ahead_first", ptx).extra_args([0.25_f32])
}

/// Described with a mistake.
#[register("gpu::ahead_mistaken")]
pub fn ahead_mistaken(x: &TensorDesc, mistake: &str) -> TensorDesc {
    x.like()
}

#[aot_impl("gpu::ahead_mistaken")]
fn ahead_mistaken_aot(x: &TensorDesc, mistake: &str, outputs: &[TensorDesc; 1]) -> AotKernel {
    let n = x.numel();
    let all = [AotParameter::Input(0), AotParameter::Output(0)];
    match mistake {
        "name" => AotKernel::new("ahead_doubled", &AHEAD).parameters(all),
        "parameters" => AotKernel::new("ahead_double", &AHEAD).parameters([
            AotParameter::Input(0),
            AotParameter::Output(0),
            AotArg::I64(n).into(),
        ]),
        "block" => AotKernel::new("ahead_tall", &AHEAD).block([n * 1000]),
        _ => AotKernel::new("ahead_first", ".version 7.0\n.target sm_80\nnonsense").extra_args([0.25_f32]),
    }
}

/// The elements with the other sign, in FP16 alone.
#[register("gpu::ahead_negated")]
pub fn ahead_negated(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("gpu::ahead_negated")]
fn ahead_negated_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP16, FP16")]
}

#[aot_impl("gpu::ahead_negated")]
fn ahead_negated_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    let (n, x, y) = (AotArg::I64(x.numel()), AotParameter::Input(0), AotParameter::Output(0));
    AotKernel::new("ahead_negated", &AHEAD).grid([outputs[0].numel().ceil_div(256)]).block([256]).parameters([
        x,
        y,
        n.into(),
    ])
}

#[impl_plugin("gpu::ahead_negated", device = cpu)]
fn ahead_negated_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f16>()?.iter_mut().zip(x.as_slice::<f16>()?).for_each(|(y, x)| *y = -*x);
    Ok(())
}

/// The positive elements, in order, and their number.
#[register("gpu::ahead_kept")]
pub fn ahead_kept(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let kept = size_tensor(x.numel().ceil_div(2), x.numel()).dtype(DataType::Int64);
    (TensorDesc::from_shape_expr([kept.expr()], x.dtype()), kept)
}

#[aot_impl("gpu::ahead_kept")]
fn ahead_kept_aot(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> AotKernel {
    AotKernel::new("ahead_kept", &AHEAD).extra_args([AotArg::I64(x.numel())])
}

#[impl_plugin("gpu::ahead_kept", device = cpu)]
fn ahead_kept_cpu(x: Tensor, outputs: [TensorMut; 2]) -> Result<()> {
    keep_positive_cpu(x, outputs)
}
