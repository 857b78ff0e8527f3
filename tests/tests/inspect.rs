//! What networks, engines and lockfiles say of themselves.

use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine, Place};
use plugin_runtime::network::{Dim, Network};
use plugin_runtime::plugin::AttributeValue;
use plugin_runtime::shape::{Profile, display_shape};
use plugin_runtime::tactic::{TimingRecord, TrialOutcome, read_lockfile};
use plugin_runtime::tensor::DataType;
use tests::plugins::{add_channels, add_in_place, keep_positive, twice};

/// Layouts that need conversions, an update in place, scratch memory and a shape that depends on the data.
fn network() -> plugin_runtime::Result<Network> {
    let mut network = Network::new();
    let image = network.add_input("image", DataType::Float32, ["n".into(), 3.into(), 2.into(), Dim::from(2)])?;
    let vector = network.add_input("vector", DataType::Float32, [Dim::from("length")])?;
    let scale = network.add_constant("unused", tests::tensor(&[1.0], &[1]))?;
    let [image] = network.add_named_plugin("channels", add_channels::op(image))?;
    let [moved] = network.add_named_plugin("moved", add_in_place::op(image, 2.5))?;
    let [twice] = network.add_named_plugin("twice", twice::op(vector))?;
    let [kept, _] = network.add_named_plugin("kept", keep_positive::op(twice))?;
    let [_] = network.add_named_plugin("again", twice::op(scale))?;
    network.mark_output(moved, "moved image")?;
    network.mark_output(kept, "kept")?;
    Ok(network)
}

fn build(lockfile: &std::path::Path) -> Engine {
    let profile = |n: i64| {
        let image = [[1, 3, 2, 2], [n, 3, 2, 2], [2 * n, 3, 2, 2]];
        Profile::new().dims("image", image[0], image[1], image[2]).dims("vector", [0], [5], [10])
    };
    let builder = Builder::new(Device::cpu()).profile(profile(2)).profile(profile(3)).lockfile(lockfile);
    builder.build(&network().unwrap()).unwrap()
}

#[test]
fn a_network_tells_its_layers() {
    let summary = network().unwrap().inspect();
    let names: Vec<&str> = summary.layers.iter().map(|layer| &*layer.name).collect();
    assert_eq!(names, ["channels", "moved", "twice", "kept", "again"]);
    let moved = &summary.layers[1];
    assert_eq!(moved.plugin.as_deref(), Some("test::add_in_place v1"));
    assert_eq!(moved.attributes, [("delta", AttributeValue::Float32(2.5))]);
    assert_eq!(
        (&*moved.in_place, &moved.inputs),
        (&[Some(0)][..], &summary.layers[0].outputs.iter().map(|o| o.name.clone()).collect())
    );
    assert_eq!(display_shape(&summary.layers[2].outputs[0].shape).to_string(), "[2*length]");
    assert_eq!(summary.outputs[0].output.name, "moved image");
    assert_eq!(summary.outputs[0].tensor, moved.outputs[0].name);
    assert_eq!((summary.inputs.len(), summary.constants.len()), (2, 1));
}

#[test]
fn an_engine_tells_the_same_when_it_was_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let engine = build(&folder.path().join("t.lock"));
    let built = engine.inspect();
    let loaded = Engine::from_bytes(&engine.to_bytes().unwrap()).unwrap().inspect();
    assert_eq!(format!("{built:?}"), format!("{loaded:?}"));

    let shapes: Vec<String> =
        built.inputs.iter().chain(&built.outputs).map(|b| format!("{} {}", b.name, display_shape(&b.shape))).collect();
    assert_eq!(&shapes[..3], ["image [n, 3, 2, 2]", "vector [length]", "moved image [n, 3, 2, 2]"]);
    for (plan, arena) in built.plans.iter().zip(&engine.report().arena_bytes) {
        assert_eq!(plan.arena_bytes, *arena);
        assert!(plan.steps.iter().any(|step| step.plugin.is_none()), "nothing was inserted: {plan:?}");
        for tensor in plan.steps.iter().flat_map(|step| step.inputs.iter().chain(&step.outputs)) {
            let Place::Arena(offset) = tensor.place else { continue };
            assert!(offset + tensor.bytes <= plan.arena_bytes, "{tensor:?}");
        }
        let step = |name: &str| plan.steps.iter().find(|step| step.name == name).unwrap();
        let workspace = step("twice").workspace.as_ref().unwrap();
        assert_eq!((workspace.size.to_string().as_str(), workspace.bytes), ("8*length", 80));
        assert_eq!(step("moved").inputs[0].place, step("moved").outputs[0].place);
        assert_eq!(step("again").inputs[0].place, Place::Constant(0));
    }
}

#[test]
fn a_lockfile_tells_the_times_of_what_an_engine_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.lock");
    let engine = build(&path);
    let records = read_lockfile(&path, engine.device()).unwrap();
    assert!(records.iter().all(|record| record.is_used));
    let mut found = 0;
    for (profile, plan) in engine.inspect().plans.iter().enumerate() {
        for step in &plan.steps {
            let of_step: Vec<&TimingRecord> = records.iter().filter(|r| step.is_timed_by(&r.subject)).collect();
            let layers = engine.report().layers.iter().filter(|l| l.profile == profile);
            let mut trials = layers.filter(|layer| *layer.layer == *step.name).flat_map(|layer| &layer.trials);
            let chosen = trials.find(|trial| trial.chosen).map(|trial| &trial.outcome);
            match chosen {
                Some(TrialOutcome::Time(_) | TrialOutcome::Checked) => {
                    assert_eq!(of_step.iter().map(|r| &r.outcome).collect::<Vec<_>>(), [chosen.unwrap()], "{step:?}");
                    found += 1;
                }
                Some(_) => assert!(of_step.is_empty(), "{step:?}"),
                None => assert_eq!(of_step.len(), 1, "{step:?}"),
            }
        }
    }
    assert_eq!(found, 10, "five layers in two profiles are timed, or checked where there is nothing to choose");
}
