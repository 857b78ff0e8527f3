//! `samples new`: what it writes compiles and passes its own tests, outside the clone.

use std::fs;
use std::process::Command;

use tests::command::{cargo_outside, run, samples_binary, target_outside, workspace};

#[test]
fn a_new_crate_passes_its_own_tests() {
    let beside = tempfile::tempdir().unwrap();
    let own = beside.path().join("my-plugins");
    let written = run(Command::new(samples_binary()).arg("new").arg(&own));
    assert_eq!((written.status, written.stderr.as_str()), (Some(0), ""), "{}", written.stdout);
    let again = run(Command::new(samples_binary()).arg("new").arg(&own));
    assert_eq!(again.status, Some(1));
    assert!(again.stderr.contains("is there already: name another folder"), "{}", again.stderr);

    // The versions that the workspace uses are the ones that are there without a network.
    fs::copy(workspace().join("Cargo.lock"), own.join("Cargo.lock")).unwrap();
    let cargo = |arguments: &[&str]| cargo_outside(&own, arguments);
    let tested = cargo(&["test", "--offline", "--", "--nocapture"]);
    let formatted = cargo(&["fmt", "--check"]);
    let library = format!("{}my_plugins{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let is_there = target_outside().join("debug/deps").join(library).exists();
    // What was built from this folder isn't of use to the next run, whose folder has another name.
    cargo(&["clean", "--offline", "-p", "my-plugins", "-p", "plugin-runtime", "-p", "plugin-macros"]);
    assert_eq!(tested.status, Some(0), "{}{}", tested.stdout, tested.stderr);
    for test in ["test scale_conforms ... ok", "test kernels_compile ... ok"] {
        assert!(tested.stdout.contains(test), "{}", tested.stdout);
    }
    assert!(!tested.stderr.contains("warning: "), "{}", tested.stderr);
    assert!(tested.stderr.contains("conformance of `my_plugins::scale`"), "{}", tested.stderr);
    assert!(is_there, "the library for other engines wasn't built");
    assert_eq!(formatted.status, Some(0), "{}{}", formatted.stdout, formatted.stderr);
}

#[test]
fn odd_names_are_refused() {
    let refused = run(Command::new(samples_binary()).args(["new", "My Plugins"]));
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("can't be a crate's name"), "{}", refused.stderr);
}
