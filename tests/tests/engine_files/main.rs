//! Engines saved, loaded and run; and files that nobody saved.

mod cases;
mod mutations;
mod refusals;
mod wire;

use std::sync::atomic::{AtomicUsize, Ordering};

use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::tactic::TrialOutcome;
use tests::tensor;

use cases::{cases, in_place, named_tactics, run};

#[test]
fn what_is_loaded_runs_as_what_was_saved_and_saves_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("an.engine");
    for case in cases() {
        let built = case.build();
        built.save(&path).unwrap();
        let saved = std::fs::read(&path).unwrap();
        assert_eq!(built.to_bytes().unwrap(), saved, "{}", case.name);
        let loaded = Engine::load(&path).unwrap();
        assert_eq!(loaded.profiles(), built.profiles());
        assert!(loaded.inputs().eq(built.inputs()) && loaded.outputs().eq(built.outputs()));
        assert_eq!(loaded.report().arena_bytes, built.report().arena_bytes);
        assert_eq!(loaded.report().inserted, built.report().inserted);
        loaded.verify().unwrap();
        for (profile, inputs) in case.inputs.iter().enumerate() {
            let expected = run(&built, profile, inputs).unwrap();
            assert_eq!(run(&loaded, profile, inputs).unwrap(), expected, "{}", case.name);
            let copied = Engine::from_bytes(&saved).unwrap();
            assert_eq!(run(&copied, profile, inputs).unwrap(), expected, "{}", case.name);
        }
        loaded.save(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), saved, "{}", case.name);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["an.engine"]);
}

#[test]
fn builds_that_choose_the_same_save_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for case in cases() {
        let path = folder.path().join(case.name);
        let first = case.build_with(|builder| builder.lockfile(&path)).to_bytes().unwrap();
        let again = case.build_with(|builder| builder.locked(&path).seed(7)).to_bytes().unwrap();
        assert_eq!(first, again, "{}", case.name);
    }
}

#[test]
fn what_was_chosen_is_told_of_a_loaded_engine_too() {
    let built = named_tactics().build();
    let loaded = Engine::from_bytes(&built.to_bytes().unwrap()).unwrap();
    let chosen = |engine: &Engine| -> Vec<_> {
        let trials = engine.report().layers.iter().flat_map(|layer| &layer.trials);
        trials.filter(|t| t.chosen).map(|t| (t.combination.clone(), t.tactic.clone())).collect()
    };
    assert_eq!(chosen(&loaded), chosen(&built));
    assert_eq!(loaded.report().layers[0].trials.len(), 1);
    assert_eq!(loaded.report().layers[0].trials[0].outcome, TrialOutcome::NotTimed);
    assert_eq!(loaded.report().layers[0].plugin, "test::misbehave v1");
}

#[test]
fn a_loaded_engine_updates_the_callers_own_buffer() {
    let engine = Engine::from_bytes(&in_place().build().to_bytes().unwrap()).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = engine.device().create_stream().unwrap();
    let mut buffer = [0.0f32, 1.0, 2.0, 3.0];
    context.set_input_shape("x", &[4]).unwrap();
    context.enqueue(&mut [Binding::in_place(&mut buffer), Binding::aliased()], &stream).unwrap();
    assert_eq!(buffer, [6.0, 7.0, 8.0, 9.0]);
    assert!(context.set_input_shape("x", &[5]).is_err(), "the profile is loaded too");
}

static AUTOTUNED: AtomicUsize = AtomicUsize::new(0);
static INFERRED: AtomicUsize = AtomicUsize::new(0);

/// Multiplies by one attribute; another one is only for its shape, a third for its autotune function.
#[register("test::counted")]
fn counted(x: &TensorDesc, rows: i64, factors: &[f32], #[default("by rows")] advice: &str) -> TensorDesc {
    INFERRED.fetch_add(1, Ordering::Relaxed);
    TensorDesc::from_shape_expr([rows.into(), x.shape_expr(0)], x.dtype())
}

#[autotune("test::counted")]
fn counted_autotune(x: &TensorDesc, advice: &str, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    AUTOTUNED.fetch_add(1, Ordering::Relaxed);
    let _ = advice;
    vec![AutoTuneCombination::new("FP32, FP32").tactics([3])]
}

#[impl_plugin("test::counted", device = cpu)]
fn counted_cpu(x: Tensor, factors: &[f32], outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    if tactic != 3 {
        bail!("tactic {tactic}");
    }
    let x = x.as_slice::<f32>()?;
    let y = y.into_slice::<f32>()?;
    for (row, factor) in y.chunks_exact_mut(x.len()).zip(factors) {
        row.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor);
    }
    Ok(())
}

#[test]
fn loading_calls_no_autotune_function_and_keeps_only_what_impls_name() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let advice = "a text that no impl names";
    let [y] = network.add_plugin(counted::op(x, 3, &[1.0, 10.0, 100.0]).advice(advice)).unwrap();
    network.mark_output(y, "y").unwrap();
    let built = Builder::new(Device::cpu()).build(&network).unwrap();
    let bytes = built.to_bytes().unwrap();
    assert!(!bytes.windows(advice.len()).any(|w| w == advice.as_bytes()));
    let calls = || (AUTOTUNED.load(Ordering::Relaxed), INFERRED.load(Ordering::Relaxed));
    let before = calls();
    assert!(before.0 > 0 && before.1 > 0);
    let loaded = Engine::from_bytes(&bytes).unwrap();
    let found = loaded.create_context().unwrap().run(&[("x", &tensor(&[1.0, 2.0], &[2]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [1.0, 2.0, 10.0, 20.0, 100.0, 200.0]);
    assert_eq!(calls(), before);
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
}
