//! Implementations are checked at a profile's smallest, usual and largest shapes.

use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;

use super::{builder, layer, one_layer, reasons};

/// Negates. The second tactic goes by fours and has no loop for what is left; the third can't do many.
#[register("tuning::negate")]
fn negate(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("tuning::negate")]
fn negate_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([1, 2, 3])]
}

#[impl_plugin("tuning::negate", device = cpu)]
fn negate_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    let (x, y) = (x.as_slice::<f32>()?, y.into_slice::<f32>()?);
    let n = match tactic {
        2 => x.len() / 4 * 4,
        3 if x.len() > 5000 => bail!("{} are too many", x.len()),
        _ => x.len(),
    };
    y[..n].iter_mut().zip(x).for_each(|(y, x)| *y = -x);
    Ok(())
}

#[test]
fn what_is_wrong_at_the_smallest_or_largest_shape_is_left_out() {
    let network = one_layer(DataType::Float32, -1, negate::op);
    let profile = |min: i64, max: i64| Profile::new().dims("x", [min], [4096], [max]);
    let engine = builder().profile(profile(11, 10_000)).build(&network).unwrap();
    let tail =
        "at the profile's min, x FP32 [11] -> FP32 [11]: left 3 of 11 elements of outputs[0] unwritten, the first at 8";
    let many = "at the profile's max, x FP32 [10000] -> FP32 [10000]: 10000 are too many";
    assert_eq!(reasons(&engine), [("1", None), ("2", Some(tail)), ("3", Some(many))]);

    let engine = builder().profile(profile(8, 4800)).build(&network).unwrap();
    assert!(reasons(&engine).iter().all(|(_, reason)| reason.is_none()));
}

#[test]
fn records_hold_for_the_shapes_that_were_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let network = one_layer(DataType::Float32, -1, negate::op);
    let build = |min: i64| {
        let profile = Profile::new().dims("x", [min], [4096], [4800]);
        builder().profile(profile).lockfile(&path).build(&network).unwrap()
    };
    build(8);
    let again = build(11);
    assert!(layer(&again).trials.iter().all(|trial| !trial.locked));
    assert!(matches!(layer(&again).trials[1].outcome, TrialOutcome::Rejected(_)));
    let text = std::fs::read_to_string(&path).unwrap();
    for tensors in ["FP32 [8..4096..4800] -> FP32 [8..4096..4800]", "FP32 [11..4096..4800] -> FP32 [11..4096..4800]"] {
        assert_eq!(text.matches(tensors).count(), 3, "{text}");
    }
}

/// Gives what it is given, and gives its length; can't do with nothing.
#[register("tuning::some")]
fn some(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("tuning::some", device = cpu)]
fn some_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    if x.numel() == 0 {
        bail!("nothing to do");
    }
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?);
    Ok(())
}

#[test]
fn an_impl_alone_is_checked_there_too() {
    let network = one_layer(DataType::Float32, -1, some::op);
    let profile = |min: i64| Profile::new().dims("x", [min], [2], [3]);
    builder().profile(profile(1)).build(&network).unwrap();
    let error = builder().profile(profile(0)).build(&network).unwrap_err().to_string();
    assert!(error.ends_with("at the profile's min, x FP32 [0] -> FP32 [0]: nothing to do"), "{error}");
}
