//! What a context and a builder say after something went wrong.

use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tests::plugins::{keep_positive, refuse_nan, scale};
use tests::tensor;

/// Panics when it is dropped, with one that does so once less.
#[derive(Debug)]
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(left) = self.0.checked_sub(1) {
            std::panic::panic_any(Bomb(left));
        }
    }
}

/// Panics with a [`Bomb`] where it meets a NaN, else copies.
#[register("failures::bomb")]
fn bomb(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("failures::bomb", device = cpu)]
fn bomb_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let x = x.as_slice::<f32>()?;
    if x.iter().any(|x| x.is_nan()) {
        std::panic::panic_any(Bomb(3));
    }
    y.into_slice::<f32>()?.copy_from_slice(x);
    Ok(())
}

/// Copies; would take a tactic, but lists none.
#[register("failures::unlisted")]
fn unlisted(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[impl_plugin("failures::unlisted", device = cpu)]
fn unlisted_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    if tactic != 0 {
        bail!("tactic {tactic} was listed by nobody");
    }
    y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?);
    Ok(())
}

/// Runs nowhere.
#[register("failures::nowhere")]
fn nowhere(x: &TensorDesc) -> TensorDesc {
    x.like()
}

/// Takes two inputs.
#[register("failures::pair")]
fn pair(x: &TensorDesc, z: &TensorDesc) -> TensorDesc {
    x.like()
}

fn network_of<O: IntoOp<1>>(op: impl FnOnce(plugin_runtime::network::TensorId) -> O) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let [y] = network.add_named_plugin("it", op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    network
}

fn build(network: &Network) -> Engine {
    Builder::new(Device::cpu()).build(network).unwrap()
}

#[test]
fn a_panic_whose_payload_panics_when_it_is_dropped_stays_inside_of_run() {
    let mut context = build(&network_of(bomb::op)).create_context().unwrap();
    for _ in 0..2 {
        let error = context.run(&[("x", &tensor(&[1.0, f32::NAN], &[2]))]).unwrap_err().to_string();
        let place = "layer `it` (failures::bomb v1, tactic default, x FP32 [2] -> FP32 [2]): ";
        assert_eq!(error, format!("{place}the plugin panicked: a value that isn't text"));
        let found = context.run(&[("x", &tensor(&[1.0, 2.0], &[2]))]).unwrap();
        assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [1.0, 2.0]);
    }
}

#[test]
fn after_a_failed_run_an_output_has_no_extents_until_the_next() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [checked] = network.add_named_plugin("check", refuse_nan::op(x)).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(checked)).unwrap();
    network.mark_output(checked, "checked").unwrap();
    network.mark_output(kept, "kept").unwrap();
    let profile = Profile::new().dims("x", [1], [2], [4]);
    let engine = Builder::new(Device::cpu()).profile(profile).build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    context.set_input_shape("x", &[2]).unwrap();
    assert_eq!(*context.output_shape("kept").unwrap(), [2], "the largest, as nothing ran yet");
    context.run(&[("x", &tensor(&[1.0, -1.0], &[2]))]).unwrap();
    assert_eq!(*context.output_shape("kept").unwrap(), [1]);

    let failed = context.run(&[("x", &tensor(&[f32::NAN, 1.0], &[2]))]).unwrap_err().to_string();
    for name in ["kept", "checked", "kept"] {
        let error = context.output_shape(name).unwrap_err().to_string();
        assert_eq!(error, format!("output `{name}` has no extents, as the last run failed: {failed}"));
    }
    assert_eq!(*context.max_output_shape("kept").unwrap(), [2]);
    context.set_input_shape("x", &[2]).unwrap();
    assert!(context.output_shape("kept").is_err(), "the shape is what it was");

    context.set_input_shape("x", &[3]).unwrap();
    assert_eq!(*context.output_shape("kept").unwrap(), [3], "nothing ran yet at this shape");
    context.run(&[("x", &tensor(&[f32::NAN], &[1]))]).unwrap_err();
    context.run(&[("x", &tensor(&[1.0], &[1]))]).unwrap();
    assert_eq!(*context.output_shape("kept").unwrap(), [1]);

    // Bindings that are refused are no run.
    let stream = engine.device().create_stream().unwrap();
    let (x, mut short) = ([1.0f32], []);
    let bindings = &mut [Binding::input(&x), Binding::output::<f32>(&mut short), Binding::output::<f32>(&mut [])];
    context.enqueue(bindings, &stream).unwrap_err();
    assert_eq!(*context.output_shape("kept").unwrap(), [1]);
}

#[test]
fn a_limit_on_tactics_that_nobody_lists_is_refused() {
    let network = network_of(unlisted::op);
    let limited = |tactics: &[i32]| {
        Builder::new(Device::cpu()).limit_tactics("failures::unlisted", tactics.iter().copied()).build(&network)
    };
    for (tactics, shown) in [(&[2][..], "2"), (&[1, 3], "1, 3"), (&[], "none")] {
        assert_eq!(
            limited(tactics).unwrap_err().to_string(),
            format!(
                "layer `it` (failures::unlisted v1): this build is limited to some of its tactics ({shown}), but it has no \
                 #[autotune] that lists any, and runs as tactic 0: leave it out of limit_tactics, or add \
                 #[autotune(\"failures::unlisted\")]"
            )
        );
    }
    let found = limited(&[0]).unwrap().create_context().unwrap().run(&[("x", &tensor(&[1.0, 2.0], &[2]))]).unwrap();
    assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [1.0, 2.0]);
}

#[test]
fn what_is_not_there_is_not_listed() {
    let error = Builder::new(Device::cpu()).build(&network_of(nowhere::op)).unwrap_err().to_string();
    assert_eq!(
        error,
        "layer `it` (failures::nowhere v1): it has no impl for device `cpu`, nor for another one; add \
         #[impl_plugin(\"failures::nowhere\", device = cpu)]"
    );
    let mut network = Network::new();
    let error = network.add_plugin_by_id("it", "failures::nowhere", 1, &[], &[]).unwrap_err().to_string();
    assert_eq!(error, "layer `it` (failures::nowhere v1): 0 inputs were given, but it takes 1: x");
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let error = network.add_plugin_by_id("it", "failures::pair", 1, &[x], &[]).unwrap_err().to_string();
    assert!(error.contains("): 1 input was given, but it takes 2: x, z"), "{error}");
    network.add_plugin(scale::op(x, 1.0)).unwrap();
}
