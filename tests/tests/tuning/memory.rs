//! Too little memory is no verdict, and a record says at which shapes nothing was checked.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugin_runtime::ErrorKind;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;
use plugin_runtime::tensor::HostTensor;

use super::{builder, layer, one_layer};

/// More elements than this are too many for the second tactic of `tuning::buffered`.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Copies.
#[register("tuning::buffered")]
fn buffered(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("tuning::buffered")]
fn buffered_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([1, 2])]
}

#[impl_plugin("tuning::buffered", device = cpu)]
fn buffered_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    if tactic == 2 && x.numel() > MOST.load(Ordering::Relaxed) {
        Vec::<u8>::new().try_reserve_exact(usize::MAX / 2)?;
    }
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?);
    Ok(())
}

#[test]
fn a_tactic_that_finds_too_little_memory_is_tried_again_by_the_next_build() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let network = one_layer(DataType::Float32, -1, buffered::op);
    let build = |most: usize| {
        MOST.store(most, Ordering::Relaxed);
        let profile = Profile::new().dims("x", [1], [40], [90]);
        let engine = builder().profile(profile).lockfile(&path).build(&network).unwrap();
        layer(&engine).trials.iter().map(|trial| (trial.locked, trial.outcome.clone())).collect::<Vec<_>>()
    };
    for most in [0, 10, 60] {
        let trials = build(most);
        assert!(trials[0].1.time().is_some(), "{trials:?}");
        assert!(matches!(trials[1].1, TrialOutcome::NotTried(_)), "{trials:?}");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("trial ")).count(), 1, "{text}");
    }
    let trials = build(usize::MAX);
    assert!(trials[0].0 && !trials[1].0 && trials[1].1.time().is_some(), "{trials:?}");
}

/// Copies, or finds too little memory.
#[register("tuning::filled")]
fn filled(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("tuning::filled", device = cpu)]
fn filled_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let _ = (x, outputs);
    Err(Error::new(ErrorKind::OutOfMemory, "there is no room"))
}

#[test]
fn where_nothing_can_be_tried_the_error_is_of_memory() {
    let error = builder().build(&one_layer(DataType::Float32, 4, filled::op)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    let text = error.to_string();
    assert!(text.contains("there is too little memory to try `tuning::filled` on device `cpu`"), "{text}");
    assert!(error.layer().is_some() && text.ends_with("there is no room"), "{text}");
}

/// The sum of two tensors of the same extent.
#[register("tuning::sum")]
fn sum(x: &TensorDesc, y: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("tuning::sum")]
fn sum_autotune(x: &TensorDesc, y: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32, FP32").tactics([1, 2])]
}

#[impl_plugin("tuning::sum", device = cpu)]
fn sum_cpu(x: Tensor, y: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let _ = tactic;
    let [z] = outputs;
    let pairs = x.as_slice::<f32>()?.iter().zip(y.as_slice::<f32>()?);
    z.into_slice::<f32>()?.iter_mut().zip(pairs).for_each(|(z, (x, y))| *z = x + y);
    Ok(())
}

#[test]
fn a_record_says_where_nothing_was_checked_and_a_build_that_can_check_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let mut network = Network::new();
    let [x, y] = ["x", "y"].map(|name| network.add_input(name, DataType::Float32, [-1]).unwrap());
    let [z] = network.add_plugin(sum::op(x, y)).unwrap();
    network.mark_output(z, "z").unwrap();
    let build = |samples: &[i64], locked: bool| {
        let profile = ["x", "y"].iter().fold(Profile::new(), |profile, name| profile.dims(*name, [1], [4], [9]));
        let builder = if locked { builder().locked(&path) } else { builder().lockfile(&path) };
        let sample = |n: &i64| HostTensor::zeros(DataType::Float32, &[*n]).unwrap();
        let builder = samples.iter().map(sample).fold(builder, |builder, sample| builder.sample_input("x", sample));
        let engine = builder.profile(profile).build(&network).unwrap();
        let layer = layer(&engine);
        (layer.trials.iter().map(|trial| trial.locked).collect::<Vec<_>>(), layer.notes.clone())
    };
    let checks = || {
        let text = fs::read_to_string(&path).unwrap();
        let check = |line: &str| Some(line.split_once(" check=\"")?.1.split_once('"')?.0.to_owned());
        text.lines().filter_map(check).collect::<Vec<_>>()
    };
    let (locked, notes) = build(&[4], false);
    assert_eq!((locked, notes.len()), (vec![false; 2], 2));
    let partly = "tactics agree; not checked at min and max";
    assert_eq!(checks(), [partly; 2]);

    let (locked, notes) = build(&[4], false);
    assert_eq!((locked, notes.len()), (vec![true; 2], 2), "it can't be checked here either");
    let said = "not checked at the profile's min and max, says the tuning lockfile".to_owned();
    assert_eq!(build(&[1, 4, 9], true), (vec![true; 2], vec![said]));
    assert_eq!(checks(), [partly; 2]);

    let (locked, notes) = build(&[1, 4], false);
    assert_eq!((locked, notes.len()), (vec![false; 2], 1), "more of it can be checked");
    assert_eq!(build(&[1, 4, 9], false), (vec![false; 2], Vec::new()));
    let wider = "tactics agree; not checked at max";
    assert_eq!(checks(), ["tactics agree", wider, partly, "tactics agree", wider, partly]);
    assert_eq!(build(&[4], false), (vec![true; 2], Vec::new()));
}
