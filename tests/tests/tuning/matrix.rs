//! Each tactic is judged on what it wrote itself.

use plugin_runtime::prelude::*;
use tests::partial::{Writes, cases, listed};

use super::builder;

/// The input plus 1, as the tactics write it.
#[register("tuning::partial")]
fn partial(x: &TensorDesc, tactics: &[i32], marked: i32) -> TensorDesc {
    x.like()
}

/// The same; how much there is of it stands in a size tensor.
#[register("tuning::partial_sized")]
fn partial_sized(x: &TensorDesc, tactics: &[i32], marked: i32) -> (TensorDesc, SizeTensorDesc) {
    let n = size_tensor(x.numel(), x.numel());
    (TensorDesc::from_shape_expr([n.expr()], x.dtype()), n)
}

#[autotune("tuning::partial")]
fn partial_autotune(
    x: &TensorDesc,
    tactics: &[i32],
    marked: i32,
    outputs: &[TensorDesc; 1],
) -> Vec<AutoTuneCombination> {
    listed("FP32|INT32, FP32|INT32", tactics, marked)
}

#[autotune("tuning::partial_sized")]
fn partial_sized_autotune(
    x: &TensorDesc,
    tactics: &[i32],
    marked: i32,
    outputs: &[TensorDesc; 2],
) -> Vec<AutoTuneCombination> {
    listed("FP32|INT32, FP32|INT32, INT32", tactics, marked)
}

#[impl_plugin("tuning::partial", device = cpu, workspace = x.numel() * 4)]
fn partial_cpu(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace, tactic: Writes) -> Result<()> {
    let [y] = outputs;
    write(x, y, workspace, tactic)
}

#[impl_plugin("tuning::partial_sized", device = cpu, workspace = x.numel() * 4)]
fn partial_sized_cpu(x: Tensor, outputs: [TensorMut; 2], workspace: Workspace, tactic: Writes) -> Result<()> {
    let [y, n] = outputs;
    n.write_size(x.numel())?;
    write(x, y, workspace, tactic)
}

fn write(x: Tensor<'_>, y: TensorMut<'_>, workspace: Workspace<'_>, tactic: Writes) -> Result<()> {
    match x.dtype() {
        DataType::Int32 => {
            write_as(x.as_slice()?, y.into_slice()?, workspace.into_slice()?, tactic, |x| x + 1, i32::MAX)
        }
        _ => write_as(x.as_slice()?, y.into_slice()?, workspace.into_slice()?, tactic, |x| x + 1.0, f32::NAN),
    }
    Ok(())
}

fn write_as<T: Copy>(x: &[T], y: &mut [T], scratch: &mut [T], tactic: Writes, plus_1: fn(T) -> T, wrong: T) {
    match tactic {
        Writes::All => {
            scratch.iter_mut().zip(x).for_each(|(scratch, x)| *scratch = plus_1(*x));
            y.copy_from_slice(scratch);
        }
        Writes::Nothing => {}
        Writes::Half => y[..x.len() / 2].iter_mut().zip(x).for_each(|(y, x)| *y = plus_1(*x)),
        Writes::Wrong => y.fill(wrong),
        Writes::Scratch => y.copy_from_slice(scratch),
    }
}

#[test]
fn no_build_gives_a_wrong_engine() {
    for extent in [1001, 4096] {
        for case in cases() {
            let (tactics, marked) = case.attributes();
            let network = match case.sized {
                true => case.network(extent, |x| partial_sized::op(x, &tactics, marked)),
                false => case.network(extent, |x| partial::op(x, &tactics, marked)),
            };
            case.check(builder().build(&network), extent as usize, false);
        }
    }
}

#[test]
fn without_checks_results_are_taken_as_they_come() {
    let case = cases().into_iter().find(|case| case.order == [Writes::Nothing, Writes::All]).unwrap();
    let (tactics, marked) = case.attributes();
    let network = case.network(64, |x| partial::op(x, &tactics, marked));
    let engine = builder().without_checks().build(&network).unwrap();
    assert_eq!(super::layer(&engine).check, None);
    let trials = &super::layer(&engine).trials;
    assert_eq!(trials.iter().filter(|trial| trial.outcome.time().is_some()).count(), 2, "{trials:?}");
}
