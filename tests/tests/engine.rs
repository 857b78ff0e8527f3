//! Networks built and run on the CPU.

use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;
use plugin_runtime::tensor::HostTensor;
use tests::plugins::{
    add_channels, add_in_place, colossal, keep_positive, misbehave, missing_to_three, refuse_nan, scale, twice,
};
use tests::{Random, tensor};

fn build(network: &Network) -> Engine {
    Builder::new(Device::cpu()).build(network).unwrap()
}

fn values(tensor: &HostTensor) -> &[f32] {
    tensor.as_slice().unwrap()
}

#[test]
fn two_in_place_plugins_work_in_the_callers_buffer() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [5]).unwrap();
    let [a] = network.add_plugin(add_in_place::op(x, 2.0)).unwrap();
    let [b] = network.add_plugin(add_in_place::op(a, 4.0)).unwrap();
    network.mark_output(b, "y").unwrap();
    let engine = build(&network);
    assert_eq!(engine.report().arena_bytes, [0]);
    assert!(engine.report().inserted.is_empty());
    let mut context = engine.create_context().unwrap();
    let stream = engine.device().create_stream().unwrap();
    let mut buffer = [0.0f32, 1.0, 2.0, 3.0, 4.0];
    context.enqueue(&mut [Binding::in_place(&mut buffer), Binding::aliased()], &stream).unwrap();
    assert_eq!(buffer, [6.0, 7.0, 8.0, 9.0, 10.0]);

    let refused = context.enqueue(&mut [Binding::input(&buffer), Binding::aliased()], &stream).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`x` is an input that a plugin updates in place: write Binding::in_place(&mut data); it was bound as Binding::input"
    );
}

#[test]
fn a_shape_that_only_the_largest_count_makes_impossible_is_possible() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(x)).unwrap();
    let [rest] = network.add_plugin(missing_to_three::op(kept)).unwrap();
    network.mark_output(rest, "rest").unwrap();
    let mut context = build(&network).create_context().unwrap();
    for (x, expected) in [([1.0, -1.0, 2.0, -2.0], Ok(1)), ([1.0, 1.0, 2.0, 2.0], Err(())), ([-1.0; 4], Ok(3))] {
        let found = context.run(&[("x", &tensor(&x, &[4]))]);
        match (found, expected) {
            (Ok(found), Ok(extent)) => assert_eq!(found[0].1.shape(), [extent]),
            (Err(error), Err(())) => {
                let said = error.to_string();
                assert!(said.starts_with("layer `missing_to_three_1` (test::missing_to_three v1, "), "{said}");
                assert!(said.ends_with("dimension 0, -keep_positive_0.1 + 3, would be -1"), "{said}");
            }
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn layouts_are_converted_between_layers_and_at_the_edges() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2, 5, 3, 2]).unwrap();
    let [a] = network.add_plugin(add_channels::op(x)).unwrap();
    let [b] = network.add_plugin(add_channels::op(a)).unwrap();
    network.mark_output(b, "y").unwrap();
    network.mark_output(a, "a").unwrap();
    let engine = build(&network);
    assert!(engine.report().inserted.len() >= 3, "{:?}", engine.report().inserted);
}

#[test]
fn types_differ_from_the_networks_only_where_allowed() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 0.5)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = build(&network);
    let trials = &engine.report().layers[0].trials;
    assert_eq!(trials.len(), 2);
    assert!(matches!(trials[0].outcome, TrialOutcome::Time(_)) && trials[0].chosen);
    assert_eq!(
        trials[1].outcome,
        TrialOutcome::Rejected("input `x` is FP32, and this build doesn't allow FP16".into())
    );
    let engine = Builder::new(Device::cpu()).allow_types([DataType::Float16]).build(&network).unwrap();
    let trials = &engine.report().layers[0].trials;
    assert!(trials.iter().all(|t| matches!(t.outcome, TrialOutcome::Time(_))), "{trials:?}");
    assert_eq!(trials.iter().filter(|t| t.chosen).count(), 1);
    let casts = engine.report().inserted.len();
    assert_eq!(casts, if trials[0].chosen { 0 } else { 2 });
    let found = engine.create_context().unwrap().run(&[("x", &tensor(&[1.0, 2.0, 3.0, -4.0], &[4]))]).unwrap();
    assert_eq!(values(&found[0].1), [0.5, 1.0, 1.5, -2.0]);
}

#[test]
fn tactics_that_go_wrong_are_left_out_with_their_reasons() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, _] = network.add_plugin(misbehave::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = build(&network);
    let trials = &engine.report().layers[0].trials;
    let reasons: Vec<(&str, String)> = trials
        .iter()
        .map(|t| match &t.outcome {
            TrialOutcome::Rejected(reason) => (t.tactic.as_str(), reason.clone()),
            _ => (t.tactic.as_str(), format!("chosen: {}", t.chosen)),
        })
        .collect();
    assert_eq!(reasons[0], ("None", "chosen: true".into()));
    let expected = [
        ("SizeNotWritten", "the impl didn't write its size tensor, output 1: call outputs[1].write_size(n)"),
        ("SizeTooLarge", "the impl wrote 5 to its size tensor, output 1; it must be 0 to 4, its upper bound"),
        ("Panic", "the plugin panicked: index out of reach"),
        ("Error", "no such luck"),
    ];
    for (found, expected) in reasons[1..].iter().zip(expected) {
        assert_eq!((found.0, found.1.as_str()), expected);
    }
    assert!(reasons[5].1.starts_with("outputs[0] differs from the reference: element 0 is "), "{}", reasons[5].1);
}

#[test]
fn with_no_tactic_left_the_error_lists_every_reason() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, _] = network.add_named_plugin("bad", misbehave::op(x).tactics(&[4, 5])).unwrap();
    network.mark_output(y, "y").unwrap();
    let error = Builder::new(Device::cpu()).build(&network).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `bad` (test::misbehave v1): no combination and tactic of `test::misbehave` works on device `cpu`:\n  \
         FP32, FP32, INT32 (LINEAR), tactic Panic: the plugin panicked: index out of reach\n  \
         FP32, FP32, INT32 (LINEAR), tactic Error: no such luck"
    );
}

#[test]
fn outputs_that_no_memory_holds_together_are_an_error() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [4]).unwrap();
    let [y, ..] = network.add_plugin(colossal::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let error = Builder::new(Device::cpu()).build(&network).unwrap_err().to_string();
    assert!(error.contains("more memory than can be addressed"), "{error}");
}

#[test]
fn an_error_or_a_panic_names_the_layer_and_the_context_stays_usable() {
    for by_panic in [false, true] {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [2]).unwrap();
        let [y] = network.add_named_plugin("check", refuse_nan::op(x).by_panic(by_panic)).unwrap();
        network.mark_output(y, "y").unwrap();
        let mut context = build(&network).create_context().unwrap();
        let said = if by_panic { "the plugin panicked: element 1 is NaN" } else { "element 1 is NaN" };
        for _ in 0..3 {
            let error = context.run(&[("x", &tensor(&[1.0, f32::NAN], &[2]))]).unwrap_err();
            let place = "layer `check` (test::refuse_nan v1, tactic default, x FP32 [2] -> FP32 [2]): ";
            assert_eq!(error.to_string(), format!("{place}{said}"));
            let found = context.run(&[("x", &tensor(&[1.0, 2.0], &[2]))]).unwrap();
            assert_eq!(values(&found[0].1), [1.0, 2.0]);
        }
    }
}

#[test]
fn shapes_outside_the_profile_are_refused() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, ["n".into(), plugin_runtime::network::Dim::Fixed(3)]).unwrap();
    let [y] = network.add_plugin(scale::op(x, 1.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    let error = Builder::new(Device::cpu()).build(&network).unwrap_err();
    assert!(error.to_string().contains("`x`"), "{error}");
    let profile = Profile::new().dims("x", [1, 3], [2, 3], [4, 3]);
    let engine = Builder::new(Device::cpu()).profile(profile).build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = engine.device().create_stream().unwrap();
    let (x, mut y) = ([1.0f32; 12], [0.0f32; 12]);
    let mut enqueue = |context: &mut plugin_runtime::engine::ExecutionContext, n| {
        context.enqueue(&mut [Binding::input(&x[..n]), Binding::output(&mut y)], &stream).map_err(|e| e.to_string())
    };
    assert_eq!(
        enqueue(&mut context, 12).unwrap_err(),
        "input `x` has dynamic dimensions: set them with set_input_shape"
    );
    let refused = [
        (&[5, 3][..], "input `x` can't be [5, 3]: dimension 0 is 5, outside its optimization profile of 1 to 4"),
        (&[0, 3], "input `x` can't be [0, 3]: dimension 0 is 0, outside its optimization profile of 1 to 4"),
        (&[2, 4], "input `x` can't be [2, 4]: dimension 1 is 3"),
        (&[2], "input `x` can't be [2]: it has 2 dimensions, [-1, 3]"),
    ];
    for (dims, expected) in refused {
        assert_eq!(context.set_input_shape("x", dims).unwrap_err().to_string(), expected);
    }
    context.set_input_shape("x", &[4, 3]).unwrap();
    enqueue(&mut context, 12).unwrap();
    assert_eq!(
        enqueue(&mut context, 11).unwrap_err(),
        "`x` needs 48 bytes of FP32 at the present shapes, but 44 were bound"
    );
    assert_eq!(
        context.set_input_shape("X", &[4, 3]).unwrap_err().to_string(),
        "the engine has no input `X`; did you mean `x`?"
    );
}

#[test]
fn a_context_runs_under_the_profile_it_was_made_for() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [y] = network.add_plugin(twice::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(Device::cpu())
        .profile(Profile::new().dims("x", [1], [2], [4]))
        .profile(Profile::new().dims("x", [5], [50], [500]))
        .build(&network)
        .unwrap();
    assert_eq!(engine.profiles(), 2);
    let mut small = engine.create_context().unwrap();
    let mut large = engine.create_context_for(1).unwrap();
    let x = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5]);
    assert!(small.run(&[("x", &x)]).is_err());
    assert_eq!(large.run(&[("x", &x)]).unwrap()[0].1.shape(), [10]);
    assert!(engine.create_context_for(2).unwrap_err().to_string().contains("it has 2"));
}

#[test]
fn contexts_of_one_engine_run_side_by_side() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a] = network.add_plugin(twice::op(x)).unwrap();
    let [b, _] = network.add_plugin(keep_positive::op(a)).unwrap();
    network.mark_output(b, "y").unwrap();
    let profile = Profile::new().dims("x", [0], [64], [1000]);
    let engine = Builder::new(Device::cpu()).profile(profile).build(&network).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let engine = engine.clone();
            scope.spawn(move || {
                let mut random = Random::new(seed);
                let mut context = engine.create_context().unwrap();
                for _ in 0..50 {
                    let n = random.below(1000) as i64;
                    let x = random.floats(&[n]);
                    let found = context.run(&[("x", &tensor(&x, &[n]))]).unwrap();
                    let kept = x.iter().chain(&x).copied().filter(|x| *x > 0.0);
                    assert!(values(&found[0].1).iter().copied().eq(kept));
                }
            });
        }
    });
}
