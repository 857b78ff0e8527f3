//! What programs of the frameworks do with plugins: one scenario of a script after another, in one Python.

use std::path::Path;

use tests::command::library;

use super::{Framework, folder};

/// Runs the scenarios of a framework's script, and sees that all of them ended; shows what it left out.
fn run(name: &'static str, test: &str, scenarios: &[&str]) {
    let Some(framework) = Framework::find(name, test) else { return };
    let script = format!("{name}_scenarios.py");
    let libraries = ["tests", "second-library"].map(library);
    let mut arguments = vec![Path::new(&framework.device)];
    arguments.extend(libraries.iter().map(|path| path.as_path()));
    arguments.extend(scenarios.iter().map(Path::new));
    let told = framework.script(&script, &arguments);
    for scenario in scenarios {
        assert!(told.contains(&format!("ended {scenario}\n")), "{told}");
    }
    let left_out = told.lines().filter_map(|line| line.strip_prefix("SKIPPED "));
    left_out.for_each(|what| tests::command::skipped(&format!("{name}: {what}"), "see there"));
    let text = std::fs::read_to_string(folder().join(&script)).unwrap();
    let helpers = ["tensor", "array", "wrapped", "same", "refused", "_functions", "_arguments"];
    let written = text.lines().filter_map(|line| line.strip_prefix("def ")?.split_once('(').map(|(name, _)| name));
    let missing: Vec<&str> = written.filter(|name| !helpers.contains(name) && !scenarios.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn programs_of_torch() {
    let scenarios = [
        "results_equal_those_of_torch",
        "schemas",
        "strides_and_starts",
        "errors",
        "opcheck",
        "compiled",
        "exported",
        "meta_tensors",
        "mapped",
        "threads",
        "many_runs",
        "loaded_again",
        "two_libraries",
        "a_library_that_has_the_same_plugins",
        "loaded_before_torch",
        "tactics",
        "captured",
        "other_devices",
    ];
    run("torch", "programs_of_torch", &scenarios);
}

#[test]
fn programs_of_jax() {
    let scenarios = [
        "results_equal_those_of_jax",
        "jitted",
        "mapped",
        "scanned",
        "updated_in_place",
        "exported",
        "errors",
        "gradients_of_ones_own",
        "narrow_and_wide",
        "threads",
        "many_runs",
        "two_libraries",
        "tactics",
        "recorded",
    ];
    run("jax", "programs_of_jax", &scenarios);
}
