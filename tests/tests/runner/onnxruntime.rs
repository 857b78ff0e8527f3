//! Whole models in ONNX Runtime, run by the command.

use std::fs;

use tests::command::{python_is_asked_for, python_with, skipped};

use crate::models::Files;
use crate::{right, wrong};

/// Whether there is an ONNX Runtime; else tells that a test is left out.
fn is_there(test: &str) -> bool {
    let there = std::env::var_os("ONNXRUNTIME_LIBRARY").is_some() || python_with(&["onnxruntime"]).is_some();
    if !there {
        assert!(!python_is_asked_for(), "the Python that PYTHON names can't import onnxruntime");
        skipped(test, "ONNX Runtime isn't there; set ONNXRUNTIME_LIBRARY, or PYTHON to one that has it");
    }
    there
}

#[test]
fn a_model_gives_what_the_own_engine_gives() {
    if !is_there("a_model_gives_what_the_own_engine_gives") {
        return;
    }
    let files = Files::new();
    let run = "run @model.onnx --device cpu --input X=@x.npy --output @";
    let shown = right(&files.line(&format!("{run}own")));
    let in_onnxruntime = right(&files.line(&format!("{run}ort --engine onnxruntime")));
    assert!(shown.contains("own/at.npy"), "{shown}");
    let names = |folder: &str| {
        let entries = fs::read_dir(files.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("own"), names("ort"));
    for name in names("own") {
        let read = |folder: &str| fs::read(files.path(folder).join(&name)).unwrap();
        assert_eq!(read("own"), read("ort"), "{name:?}\n{in_onnxruntime}");
    }
}

#[test]
fn what_the_plugins_run_as_is_told() {
    if !is_there("what_the_plugins_run_as_is_told") {
        return;
    }
    let files = Files::new();
    let line = files.line("run @model.onnx --engine onnxruntime --input X=@x.npy --verbose");
    let ran = crate::samples(&line);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let told = |text: &str| {
        let lines = ran.stderr.lines().filter(|line| line.contains("runs `sample::circ_pad_plugin v1` on cpu"));
        lines.filter(|line| line.contains(text)).count()
    };
    assert_eq!(told(", the first that is listed"), 2, "{}", ran.stderr);
}

#[test]
fn a_lockfile_of_the_own_engine_chooses() {
    if !is_there("a_lockfile_of_the_own_engine_chooses") {
        return;
    }
    let files = Files::new();
    right(&files.line("run @model.onnx --device cpu --lockfile @a.lock --input X=@x.npy"));
    let line = files.line("run @model.onnx --engine onnxruntime --lockfile @a.lock --input X=@x.npy --verbose");
    let ran = crate::samples(&line);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let chosen = ran.stderr.lines().filter(|line| line.contains("by tuning lockfile `")).count();
    assert!(chosen >= 2, "{}", ran.stderr);
    let wrong = wrong(&files.line("run @model.onnx --engine onnxruntime --lockfile @x.npy --input X=@x.npy"), 1);
    assert!(wrong.contains("tuning lockfile") && wrong.contains("layer `"), "{wrong}");
}

#[test]
fn what_is_wrong_is_told() {
    let files = Files::new();
    let wrong = |line: &str, status: i32| wrong(&files.line(line), status);
    fs::write(files.path("libnothing.so"), "nothing").unwrap();
    let model = "run @model.onnx --engine onnxruntime --input X=@x.npy";
    assert!(wrong(&format!("{model} --onnxruntime @libnothing.so"), 1).contains("libnothing.so: can't be loaded: "));
    assert!(wrong(&format!("{model} --onnxruntime @missing.so"), 1).contains("missing.so: can't be loaded: "));
    assert!(
        wrong(&format!("{model} --save @an.engine"), 2)
            .contains("--save is for --engine own or tensorrt-rtx: leave it out")
    );
    assert!(wrong("run @x.npy --engine onnxruntime", 1).contains("expected an ONNX model"));
    assert!(wrong("run @model.onnx --onnxruntime @libnothing.so", 2).contains("is for --engine onnxruntime"));
    if !is_there("what_is_wrong_is_told, what ONNX Runtime tells") {
        return;
    }
    let said = wrong("run @model.onnx --engine onnxruntime", 1);
    assert!(said.contains("no file was given for X FP32 [batch, 3]"), "{said}");
    fs::write(files.path("broken.onnx"), fs::read(files.path("model.onnx")).unwrap().split_at(60).0).unwrap();
    let said = wrong("run @broken.onnx --engine onnxruntime", 1);
    assert!(said.contains("broken.onnx: ONNX Runtime says: "), "{said}");
}
