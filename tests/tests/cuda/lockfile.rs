//! Timings of a GPU in a lockfile.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;

use crate::gpu::gpu;
use crate::plugins::elementwise::{scale, split_signs};
use crate::plugins::sizes::{keep_positive, sum};

fn network() -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [a, b] = network.add_plugin(split_signs::op(x)).unwrap();
    let [c] = network.add_plugin(scale::op(b, -1.0)).unwrap();
    let [kept, _] = network.add_plugin(keep_positive::op(c, true)).unwrap();
    let [total] = network.add_plugin(sum::op(kept).tactics(&[1, 2])).unwrap();
    network.mark_output(a, "a").unwrap();
    network.mark_output(total, "total").unwrap();
    network
}

#[test]
fn a_locked_build_gives_the_same_engine_each_time() {
    let Some(device) = gpu("a_locked_build_gives_the_same_engine_each_time") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    let builder = |device: &Device| {
        Builder::new(device.clone())
            .profile(Profile::new().dims("x", [1], [5000], [100_000]))
            .allow_types([DataType::Float16])
    };
    let first = builder(&device).lockfile(&path).build(&network()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#"plugin="gpu::sum""#) && text.contains(r#"plugin="gpu::scale""#), "{text}");
    let locked = [0, 1].map(|_| builder(&device).locked(&path).build(&network()).unwrap());
    let bytes = [&first, &locked[0], &locked[1]].map(|engine| engine.to_bytes().unwrap());
    assert_eq!(bytes[1], bytes[2], "the same lockfile gives the same engine");
    assert_eq!(bytes[0], bytes[1], "which is the one that it was made with");
    let trials = |engine: &plugin_runtime::engine::Engine| {
        let layers = engine.report().layers.clone();
        layers.into_iter().flat_map(|layer| layer.trials).collect::<Vec<_>>()
    };
    let (first, locked) = (trials(&first), trials(&locked[0]));
    assert_eq!(first.len(), locked.len());
    for (first, locked) in first.iter().zip(&locked) {
        assert_eq!(
            (&first.combination, &first.tactic, first.chosen),
            (&locked.combination, &locked.tactic, locked.chosen)
        );
        assert_eq!(first.outcome, locked.outcome);
        assert!(!first.locked);
    }
    assert!(first.iter().any(|trial| matches!(trial.outcome, TrialOutcome::Times { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let error = builder(&Device::cpu()).locked(&path).build(&network()).unwrap_err().to_string();
    assert!(error.contains("tuning.lock"), "a GPU's times say nothing of the CPU: {error}");
}
