//! How an author says that results may differ.

use std::sync::atomic::{AtomicU32, Ordering};

use plugin_runtime::prelude::*;

use super::{builder, layer, one_layer, reasons};

/// Indices of positive elements, as a set: the second tactic finds them from the end.
#[register("tuning::unordered", compare = [Compare::new().unordered(), Compare::new()])]
fn unordered(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    positive(x)
}

/// The same, without saying so.
#[register("tuning::ordered")]
fn ordered(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    positive(x)
}

fn positive(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let count = size_tensor(x.numel() / 2, x.numel());
    (TensorDesc::from_shape_expr([count.expr()], DataType::Int32), count)
}

#[autotune("tuning::unordered")]
fn unordered_autotune(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, INT32, INT32").tactics([1, 2])]
}

#[autotune("tuning::ordered")]
fn ordered_autotune(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, INT32, INT32").tactics([1, 2])]
}

#[impl_plugin("tuning::unordered", device = cpu)]
fn unordered_cpu(x: Tensor, outputs: [TensorMut; 2], tactic: i32) -> Result<()> {
    find(x, outputs, tactic)
}

#[impl_plugin("tuning::ordered", device = cpu)]
fn ordered_cpu(x: Tensor, outputs: [TensorMut; 2], tactic: i32) -> Result<()> {
    find(x, outputs, tactic)
}

fn find(x: Tensor<'_>, [y, count]: [TensorMut<'_>; 2], tactic: i32) -> Result<()> {
    let x = x.as_slice::<f32>()?;
    let mut found: Vec<i32> = (0..x.len() as i32).filter(|&i| x[i as usize] > 0.0).collect();
    if tactic == 2 {
        found.reverse();
    }
    y.into_slice::<i32>()?[..found.len()].copy_from_slice(&found);
    count.write_size(found.len())
}

#[test]
fn as_a_set() {
    let engine = builder().build(&one_layer(DataType::Float32, 100, unordered::op)).unwrap();
    assert_eq!(reasons(&engine), [("1", None), ("2", None)]);
    assert_eq!(layer(&engine).check.as_deref(), Some("tactics agree; outputs[0] any order"));
    let error = builder().build(&one_layer(DataType::Float32, 100, ordered::op)).unwrap_err().to_string();
    assert!(error.contains("nothing says which is right"), "{error}");
}

static SEED: AtomicU32 = AtomicU32::new(1);

/// Noise: each run's own. `all` says whether all of it is written.
#[register("tuning::noise", compare = Compare::skip("draws numbers anew in each run"))]
fn noise(x: &TensorDesc, all: bool) -> TensorDesc {
    x.like()
}

#[autotune("tuning::noise")]
fn noise_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("UINT8, UINT8").tactics([1, 2])]
}

#[impl_plugin("tuning::noise", device = cpu)]
fn noise_cpu(x: Tensor, all: bool, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    let y = y.into_slice::<u8>()?;
    let written = if all || tactic == 1 { x.numel() } else { x.numel() - 1 };
    let mut state = SEED.fetch_add(1, Ordering::Relaxed);
    y[..written].iter_mut().for_each(|y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *y = (state >> 24) as u8;
    });
    Ok(())
}

#[test]
fn not_at_all_with_a_reason_that_report_and_lockfile_show() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    // So many bytes that chance writes some as the poison was, in two runs.
    let network = one_layer(DataType::UInt8, 1 << 20, |x| noise::op(x, true));
    let engine = builder().lockfile(&path).build(&network).unwrap();
    assert_eq!(reasons(&engine), [("1", None), ("2", None)]);
    let check = "tactics agree; outputs[0] not compared (draws numbers anew in each run)";
    assert_eq!(layer(&engine).check.as_deref(), Some(check));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(&format!(" check=\"{check}\" ")).count(), 2, "{text}");
}

#[test]
fn what_is_not_compared_is_still_written_whole() {
    let engine = builder().build(&one_layer(DataType::UInt8, 1000, |x| noise::op(x, false))).unwrap();
    let reason = "left 1 of 1000 elements of outputs[0] unwritten, the first at 999";
    assert_eq!(reasons(&engine), [("1", None), ("2", Some(reason))]);
}

/// The input plus what a tactic adds: a hundredth each.
#[register("tuning::rough", compare = Compare::new().close(0.0, tolerance))]
fn rough(x: &TensorDesc, tolerance: f64) -> TensorDesc {
    x.like()
}

#[autotune("tuning::rough")]
fn rough_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([1, 2]).reference(1)]
}

#[impl_plugin("tuning::rough", device = cpu)]
fn rough_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = x + tactic as f32 * 0.01);
    Ok(())
}

#[test]
fn within_the_authors_tolerance() {
    let rejected = |tolerance: f64| {
        let engine = builder().build(&one_layer(DataType::Float32, 8, |x| rough::op(x, tolerance)));
        engine.map(|engine| reasons(&engine)[1].1.map(str::to_owned))
    };
    assert_eq!(rejected(0.02).unwrap(), None);
    assert!(rejected(0.005).unwrap().is_some_and(|reason| reason.ends_with("; 8 of 8 elements differ")));
    let error = rejected(-1.0).unwrap_err().to_string();
    assert!(error.ends_with("Compare::close(0, -1): a tolerance is a finite number, not below 0"), "{error}");
}
