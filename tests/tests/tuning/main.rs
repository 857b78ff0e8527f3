//! What a build finds wrong with implementations, and what authors and callers can say of that.

mod agreement;
mod comparison;
mod inputs;
mod kinds;
mod matrix;
mod memory;
mod shapes;
mod untuned;

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::{IntoOp, Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::tactic::{LayerReport, TrialOutcome};

/// A network of one layer, `layer`, with an input `x` and an output `y`.
fn one_layer<const N: usize, O: IntoOp<N>>(dtype: DataType, extent: i64, op: impl FnOnce(TensorId) -> O) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", dtype, [extent]).unwrap();
    let outputs = network.add_named_plugin("layer", op(x)).unwrap();
    network.mark_output(outputs[0], "y").unwrap();
    network
}

fn builder<'o>() -> Builder<'o> {
    Builder::new(Device::cpu())
}

fn layer(engine: &Engine) -> &LayerReport {
    &engine.report().layers[0]
}

/// Why each tactic was left out, where it was.
fn reasons(engine: &Engine) -> Vec<(&str, Option<&str>)> {
    let trials = layer(engine).trials.iter();
    let reasons = trials.map(|trial| match &trial.outcome {
        TrialOutcome::Rejected(reason) => (trial.tactic.as_str(), Some(reason.as_str())),
        _ => (trial.tactic.as_str(), None),
    });
    reasons.collect()
}
