//! What is right where tactics give different results.

use std::sync::atomic::{AtomicUsize, Ordering};

use plugin_runtime::prelude::*;
use plugin_runtime::tactic::TrialOutcome;

use super::{builder, layer, one_layer, reasons};

/// The input plus a number: each tactic's own.
#[register("tuning::plus")]
fn plus(x: &TensorDesc, numbers: &[f32], #[default(0)] marked: i32) -> TensorDesc {
    x.like()
}

#[autotune("tuning::plus")]
fn plus_autotune(x: &TensorDesc, numbers: &[f32], marked: i32, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let combination = AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics(1..=numbers.len() as i32);
    vec![if marked == 0 { combination } else { combination.reference(marked) }]
}

#[impl_plugin("tuning::plus", device = cpu)]
fn plus_cpu(x: Tensor, numbers: &[f32], outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    let number = numbers[tactic as usize - 1];
    match x.dtype() {
        DataType::Float16 => {
            let pairs = y.into_slice::<f16>()?.iter_mut().zip(x.as_slice::<f16>()?);
            pairs.for_each(|(y, x)| *y = f16::from_f32(x.to_f32() + number));
        }
        _ => y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = x + number),
    }
    Ok(())
}

#[test]
fn all_that_disagree_are_named_whatever_the_majority() {
    let network = one_layer(DataType::Float32, 8, |x| plus::op(x, &[2.0, 1.0, 1.0, 3.0]));
    let error = builder().build(&network).unwrap_err().to_string();
    let expected = "layer `layer` (tuning::plus v1): tactics of `tuning::plus` give different results, and nothing says which is right:\n  \
        FP32, FP32 (LINEAR), tactic 1\n  \
        FP32, FP32 (LINEAR), tactic 2\n  \
        FP32, FP32 (LINEAR), tactic 3\n    differs from the first: outputs[0]: element 0 is ";
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains("\n  FP32, FP32 (LINEAR), tactic 4\n    differs from the first: "), "{error}");
    let advice = "\n  Mark the right one in #[autotune] with .reference(tactic); where results may differ, say how they \
                  are compared: #[register(\"tuning::plus\", compare = ..)]";
    assert!(error.ends_with(advice), "{error}");
}

#[test]
fn the_marked_one_is_right() {
    let network = one_layer(DataType::Float32, 8, |x| plus::op(x, &[2.0, 1.0, 1.0, 3.0]).marked(3));
    let engine = builder().allow_types([DataType::Float16]).build(&network).unwrap();
    assert_eq!(layer(&engine).check.as_deref(), Some("against tactic 3"));
    for (position, (tactic, reason)) in reasons(&engine).into_iter().enumerate() {
        let right = tactic == "2" || tactic == "3";
        assert_eq!(reason.is_none(), right, "{position}: {reason:?}");
        assert!(right || reason.is_some_and(|r| r.starts_with("outputs[0] differs from the reference: element 0 is ")));
    }
}

#[test]
fn a_marked_one_that_is_not_listed_is_a_mistake() {
    let network = one_layer(DataType::Float32, 8, |x| plus::op(x, &[1.0]).marked(2));
    let error = builder().build(&network).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "tactic 2 is to be the reference, but isn't among the combination's tactics: list it with .tactics(..)"
        ),
        "{error}"
    );
}

/// Gives a number in single precision, and another in half.
#[register("tuning::two_faced")]
fn two_faced(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("tuning::two_faced")]
fn two_faced_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP16|FP32, FP16|FP32").tactics([1, 2])]
}

#[impl_plugin("tuning::two_faced", device = cpu)]
fn two_faced_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    match x.dtype() {
        DataType::Float16 => y.into_slice::<f16>()?.fill(f16::from_f32(tactic as f32)),
        _ => y.into_slice::<f32>()?.fill(1.0),
    }
    Ok(())
}

#[test]
fn the_networks_own_types_say_what_others_come_near_to() {
    let network = one_layer(DataType::Float32, 8, two_faced::op);
    let engine = builder().allow_types([DataType::Float16]).build(&network).unwrap();
    let reason =
        "it differs from what the network's own types give: outputs[0]: element 0 is 2, not 1; 8 of 8 elements differ";
    assert_eq!(reasons(&engine), [("1", None), ("2", Some(reason)), ("1", None), ("2", None)]);
    let network = one_layer(DataType::Float16, 8, two_faced::op);
    let error = builder().allow_types([DataType::Float32]).build(&network).unwrap_err().to_string();
    assert!(error.contains("nothing says which is right"), "{error}");
}

#[test]
fn a_type_of_less_precision_agrees_within_its_own() {
    let network = one_layer(DataType::Float32, 8, |x| plus::op(x, &[1000.3]));
    let engine = builder().allow_types([DataType::Float16]).build(&network).unwrap();
    assert!(reasons(&engine).iter().all(|(_, reason)| reason.is_none()), "{:?}", reasons(&engine));
}

/// How often `moody` ran.
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Another number in each run.
#[register("tuning::moody")]
fn moody(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("tuning::moody", device = cpu)]
fn moody_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = x + run as f32);
    Ok(())
}

#[test]
fn what_differs_from_run_to_run_is_refused_with_a_way_to_allow_it() {
    let network = one_layer(DataType::Float32, 8, moody::op);
    let error = builder().build(&network).unwrap_err().to_string();
    assert!(
        error.contains("outputs[0] differs from run to run: element 0 is ")
            && error.ends_with("#[register(.., compare = Compare::skip(\"reason\"))]"),
        "{error}"
    );
}

#[test]
fn what_a_disagreement_left_open_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let network = one_layer(DataType::Float32, 8, |x| plus::op(x, &[2.0, 1.0]));
    for _ in 0..2 {
        let error = builder().lockfile(&path).build(&network).unwrap_err().to_string();
        assert!(error.contains("nothing says which is right"), "{error}");
    }
    let network = one_layer(DataType::Float32, 8, |x| plus::op(x, &[2.0, 1.0]).marked(2));
    let engine = builder().lockfile(&path).build(&network).unwrap();
    let trials = &layer(&engine).trials[..2];
    assert!(matches!(trials[0].outcome, TrialOutcome::Rejected(_)) && trials[1].chosen, "{trials:?}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("tactic=2 name=\"2\" check=\"against tactic 2\" "), "{text}");
}
