//! What the command computes, beside what numpy does.

use std::process::Command;

use tests::command::{python_is_asked_for, python_with, run, samples_binary, skipped, workspace};

#[test]
fn numpy_agrees() {
    let Some(python) = python_with(&["numpy"]) else {
        assert!(!python_is_asked_for(), "the Python that PYTHON names can't import numpy");
        return skipped("numpy_agrees", "python3 with numpy isn't there; set PYTHON to one that has it");
    };
    agrees(Command::new(python), "agrees.py");
}

#[test]
fn numpy_agrees_on_models_that_python_made() {
    let Some(python) = python_with(&["numpy", "onnx"]) else {
        let why = "python3 with numpy and onnx isn't there; set PYTHON to one that has them";
        return skipped("numpy_agrees_on_models_that_python_made", why);
    };
    agrees(Command::new(python), "models.py");
}

fn agrees(mut python: Command, script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let script = workspace().join("tests/tests/numpy").join(script);
    let ended = run(python.arg(script).arg(samples_binary()).arg(folder.path()));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
}
