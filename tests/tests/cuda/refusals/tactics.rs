//! Tactics that are left out, and impls that go wrong when they run.

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;
use tests::tensor;

use crate::gpu::gpu;
use crate::plugins::sizes::{keep_positive, sum};
use crate::plugins::wrong::{misbehave, misbehave_late};

/// Tactics of a layer with the reason for which each is left out, or `None`.
fn reasons(engine: &Engine, layer: &str) -> Vec<(String, Option<String>)> {
    let layer = engine.report().layers.iter().find(|l| &*l.layer == layer).expect("it is in the report");
    let reason = |outcome: &TrialOutcome| match outcome {
        TrialOutcome::Rejected(reason) => Some(reason.clone()),
        TrialOutcome::Times { .. } => None,
        other => panic!("on a GPU, that is {other:?}"),
    };
    layer.trials.iter().map(|t| (t.tactic.clone(), reason(&t.outcome))).collect()
}

#[test]
fn tactics_that_go_wrong_are_left_out_with_their_reasons() {
    let Some(device) = gpu("tactics_that_go_wrong_are_left_out_with_their_reasons") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, _] = network.add_named_plugin("bad", misbehave::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(device.clone()).build(&network).unwrap();
    let found = reasons(&engine, "bad");
    let expected = [
        ("None", None),
        ("SizeNotWritten", Some("the impl didn't write its size tensor, output 1")),
        ("SizeTooLarge", Some("the impl wrote 5 to its size tensor, output 1; it must be 0 to 4, its upper bound")),
        ("WrongResult", Some("outputs[0] differs from the reference: element 0 is ")),
        ("LargeBlocks", Some("kernel `misbehave_f32` can't be launched with blocks of 2048 threads in x, and ")),
        ("Error", Some("no such luck")),
        ("Panic", Some("the plugin panicked: index out of reach")),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((tactic, reason), (name, start)) in found.iter().zip(expected) {
        assert_eq!(tactic, name);
        match (reason, start) {
            (None, None) => {}
            (Some(reason), Some(start)) => assert!(reason.starts_with(start), "{tactic}: {reason}"),
            _ => panic!("{tactic}: {reason:?}"),
        }
    }
    let found = engine.create_context().unwrap().run(&[("x", &tensor(&[1.0, 2.0, 3.0, 4.0], &[4]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn the_cpus_impl_is_the_reference_also_for_a_tactic_alone() {
    let Some(device) = gpu("the_cpus_impl_is_the_reference_also_for_a_tactic_alone") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, _] = network.add_named_plugin("bad", misbehave::op(x).tactics(&[4])).unwrap();
    network.mark_output(y, "y").unwrap();
    let error = Builder::new(device.clone()).build(&network).unwrap_err().to_string();
    let start = "layer `bad` (gpu::misbehave v1): no combination and tactic of `gpu::misbehave` works on device `cuda`:\n  \
                 FP32, FP32, INT32 (LINEAR), tactic WrongResult: outputs[0] differs from the reference: element 0 is ";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn a_tactic_that_takes_upper_bounds_for_the_truth_is_left_out() {
    let Some(device) = gpu("a_tactic_that_takes_upper_bounds_for_the_truth_is_left_out") else { return };
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x, false)).unwrap();
    let [after] = network.add_named_plugin("after", sum::op(kept).tactics(&[1, 2])).unwrap();
    let [known] = network.add_named_plugin("known", sum::op(x).tactics(&[1, 2])).unwrap();
    network.mark_output(after, "y").unwrap();
    network.mark_output(known, "z").unwrap();
    let profile = Profile::new().dims("x", [0], [1000], [5000]);
    let engine = Builder::new(device.clone()).profile(profile).build(&network).unwrap();
    let after = reasons(&engine, "after");
    assert_eq!(after[0], ("Careful".into(), None));
    assert_eq!(after[1].0, "Careless");
    let reason = after[1].1.as_ref().expect("it is left out");
    assert!(reason.starts_with("outputs[0] differs from the reference: element 0 is NaN"), "{reason}");
    let known = reasons(&engine, "known");
    assert!(known.iter().all(|(_, reason)| reason.is_none()), "{known:?}");
}

/// What `run` says of a layer `late` that goes wrong.
fn failure(device: &Device, misdeed: i32) -> String {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, n] = network.add_named_plugin("late", misbehave_late::op(x, misdeed)).unwrap();
    let [total] = network.add_plugin(sum::op(y)).unwrap();
    for (tensor, name) in [(y, "y"), (n, "n"), (total, "total")] {
        network.mark_output(tensor, name).unwrap();
    }
    let builder = Builder::new(device.clone()).without_checks();
    let mut context = builder.build(&network).unwrap().create_context().unwrap();
    let x = tensor(&[1.0, 2.0, 3.0, 4.0], &[4]);
    let told = [0, 1].map(|_| context.run(&[("x", &x)]).unwrap_err().to_string());
    assert_eq!(told[0], told[1]);
    let place = "layer `late` (gpu::misbehave_late v1, tactic default, x FP32 [4] -> FP32 [4], INT32 []): ";
    told[0].strip_prefix(place).unwrap_or_else(|| panic!("{}", told[0])).to_owned()
}

#[test]
fn what_goes_wrong_in_a_run_names_the_layer() {
    let Some(device) = gpu("what_goes_wrong_in_a_run_names_the_layer") else { return };
    assert_eq!(failure(&device, 2), "the impl didn't write its size tensor, output 1: call outputs[1].write_size(n)");
    assert_eq!(
        failure(&device, 3),
        "the impl wrote 5 to its size tensor, output 1; it must be 0 to 4, its upper bound"
    );
    assert!(
        failure(&device, 5).starts_with("kernel `misbehave_f32` can't be launched with blocks of 2048 threads in x")
    );
    assert_eq!(failure(&device, 6), "no such luck");
    assert_eq!(failure(&device, 7), "the plugin panicked: index out of reach");
}
