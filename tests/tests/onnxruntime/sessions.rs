//! What sessions with plugins do, one scenario of `sessions.py` a test.

use std::path::Path;

use tests::command::library;

use super::hosts;

/// Runs a scenario on each ONNX Runtime; what it printed.
fn scenario(name: &str) -> Vec<String> {
    let hosts = hosts(name);
    if hosts.is_empty() {
        return Vec::new();
    }
    let libraries = [library("tests"), library("second-library")];
    let run = |host: &super::Host| {
        let output = host.script("sessions.py", &[Path::new(name), &libraries[0], &libraries[1]]);
        assert!(output.contains(&format!("ended {name}")), "{output}");
        output
    };
    hosts.iter().map(run).collect()
}

macro_rules! scenarios {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            scenario(stringify!($name));
        }
    )* };
}

scenarios! {
    standard_operators_around_plugins attributes hostile_attributes failures_while_running eight_threads sessions_made_at_once many_runs
    many_sessions library_is_pinned forked two_libraries files_without_domains extents_are_inferred
    ranks_that_are_not_known memory_of_others updates_in_place outputs_that_are_left_out inside_subgraphs all_cores_or_one
}

#[test]
fn log() {
    for output in scenario("log") {
        let expected = "node `padder` runs `sample::circ_pad_plugin v1` on cpu: FP32, FP32 (LINEAR), tactic Rows";
        assert!(output.contains(expected), "{output}");
    }
}

#[test]
fn every_scenario_is_run() {
    let script = include_str!("sessions.py");
    let source = include_str!("sessions.rs");
    let helpers = ["value", "node", "model", "options", "session", "refused", "same", "floats", "wrapped", "padded"];
    let written = script.lines().filter_map(|line| line.strip_prefix("def ")?.strip_suffix("():"));
    let missing: Vec<&str> =
        written.filter(|name| !helpers.contains(name) && *name != "resident" && !source.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
