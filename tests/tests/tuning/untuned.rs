//! Every implementation is run in a build, also where there is nothing to choose.

use std::collections::BTreeMap;
use std::sync::Mutex;

use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::tactic::TrialOutcome;

use super::{builder, layer, one_layer};

static RUNS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn runs(test: &str) -> usize {
    RUNS.lock().unwrap().get(test).copied().unwrap_or(0)
}

/// Copies so many elements.
#[register("tuning::copy")]
fn copy(x: &TensorDesc, test: &str, #[default(1000)] most: i64) -> TensorDesc {
    x.like()
}

#[impl_plugin("tuning::copy", device = cpu)]
fn copy_cpu(x: Tensor, test: &str, most: i64, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    *RUNS.lock().unwrap().entry(test.into()).or_default() += 1;
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).take(most as usize).for_each(|(y, x)| *y = *x);
    Ok(())
}

#[test]
fn an_impl_without_autotune_that_writes_half_is_found() {
    let build = |most: i64| builder().build(&one_layer(DataType::Float32, 8, |x| copy::op(x, "half").most(most)));
    let engine = build(8).unwrap();
    assert_eq!(layer(&engine).trials[0].outcome, TrialOutcome::Checked);
    assert_eq!(layer(&engine).check.as_deref(), Some("nothing to compare with"));
    let error = build(4).unwrap_err().to_string();
    assert!(error.ends_with("tactic default: left 4 of 8 elements of outputs[0] unwritten, the first at 4"), "{error}");
    let unchecked = one_layer(DataType::Float32, 8, |x| copy::op(x, "unchecked").most(4));
    let engine = builder().without_checks().build(&unchecked).unwrap();
    assert_eq!((&layer(&engine).trials[0].outcome, runs("unchecked")), (&TrialOutcome::NotTimed, 0));
}

#[test]
fn layers_alike_are_run_once() {
    let chain = |test: &str, layers: usize| {
        let mut network = Network::new();
        let mut x = network.add_input("x", DataType::Float32, [8]).unwrap();
        for _ in 0..layers {
            [x] = network.add_plugin(copy::op(x, test)).unwrap();
        }
        network.mark_output(x, "y").unwrap();
        network
    };
    builder().build(&chain("one", 1)).unwrap();
    builder().build(&chain("five", 5)).unwrap();
    assert!(runs("one") > 0);
    assert_eq!(runs("five"), runs("one"));
}

#[test]
fn what_a_lockfile_calls_right_is_not_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let network = one_layer(DataType::Float32, 8, |x| copy::op(x, "kept"));
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.contains("there is no such file"), "{error}");
    builder().lockfile(&path).build(&network).unwrap();
    let counted = runs("kept");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().any(|line| line.ends_with(" checked=\"right\"")), "{text}");
    let locked = builder().locked(&path).build(&network).unwrap();
    assert_eq!((&layer(&locked).trials[0].outcome, layer(&locked).trials[0].locked), (&TrialOutcome::Checked, true));
    assert_eq!(runs("kept"), counted);
}

#[test]
fn records_without_proof_are_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let network = one_layer(DataType::Float32, 8, |x| copy::op(x, "old"));
    builder().lockfile(&path).build(&network).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let old = text.replace("format 2.", "format 1.").replace(" check=\"nothing to compare with\"", "");
    let old = old.replace("checked=\"right\"", "nanoseconds=5");
    std::fs::write(&path, &old).unwrap();
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(
        error.ends_with("; it is of format 1, whose trials weren't checked for what they left unwritten"),
        "{error}"
    );
    let counted = runs("old");
    builder().lockfile(&path).build(&network).unwrap();
    assert!(runs("old") > counted);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}
