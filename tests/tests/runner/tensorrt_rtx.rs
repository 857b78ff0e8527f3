//! Whole models in TensorRT-RTX, built by the command. There is no GPU that it supports where these run, so nothing is run.

use std::fs;
use std::path::Path;

use plugin_runtime::network::onnx::proto::{GraphProto, Message as _};
use tests::command::{python_with, skipped};
use tests::onnx::{FLOAT, ints, model, node, value};

use crate::models::Files;
use crate::{right, wrong};

/// Whether there is a TensorRT-RTX; else tells that a test is left out.
fn is_there(test: &str) -> bool {
    let named = std::env::var_os("TENSORRT_RTX_PACKAGES").is_some_and(|folder| !folder.is_empty());
    let there = python_with(&["sys"]).is_some() && (named || python_with(&["tensorrt_rtx_bindings"]).is_some());
    if !there {
        skipped(test, "TensorRT-RTX isn't there; set TENSORRT_RTX_PACKAGES, or PYTHON to one that has it");
    }
    there
}

/// Whether the driver's library is there, and so maybe a GPU to build for.
fn has_a_driver() -> bool {
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/nvidia/lib64"]
        .iter()
        .any(|folder| Path::new(folder).join("libcuda.so.1").exists())
}

/// Files with `between.onnx`: operators of ONNX around padding, with a dynamic number of images.
fn files(pads: &[i64]) -> Files {
    let files = Files::new();
    let graph = GraphProto {
        node: vec![
            node("Relu", &["x"], &["r"], &[]),
            node("sample::circ_pad_plugin", &["r"], &["p"], &[ints("pads", pads)]),
            node("Sigmoid", &["p"], &["y"], &[]),
        ],
        input: vec![value("x", FLOAT, "n,3,4,4")],
        output: vec![value("y", FLOAT, "n,3,6,6")],
        ..GraphProto::default()
    };
    let mut model = model(graph);
    for import in model.opset_import.iter_mut().filter(|import| import.domain.as_deref() == Some("")) {
        import.version = Some(17);
    }
    fs::write(files.path("between.onnx"), model.encode_to_vec()).unwrap();
    files
}

const RUN: &str = "run @between.onnx --engine tensorrt-rtx --architecture sm_89";
const PROFILE: &str = "--profile x=1x3x4x4:2x3x4x4:8x3x4x4";

#[test]
fn a_model_with_operators_around_a_plugin_is_built_and_saved() {
    if !is_there("a_model_with_operators_around_a_plugin_is_built_and_saved") {
        return;
    }
    let files = files(&[1, 1, 1, 1]);
    let shown = right(&files.line(&format!("{RUN} {PROFILE} --save @a.plan")));
    assert!(shown.contains("TensorRT-RTX built it for sm_89 in") && shown.contains("plan saved to"), "{shown}");
    assert!(shown.contains("not run: "), "{shown}");
    let plan = fs::read(files.path("a.plan")).unwrap();
    let holds = |text: &[u8]| plan.windows(text.len()).any(|bytes| bytes == text);
    assert!(holds(b"circ_pad_plugin") && holds(b"pads"), "the plan keeps the plugin and its attributes");
}

#[test]
fn what_is_wrong_is_told_by_its_side() {
    const NAME: &str = "what_is_wrong_is_told_by_its_side";
    let well = files(&[1, 1, 1, 1]);
    let fails = |files: &Files, line: &str, status: i32| wrong(&files.line(line), status);
    assert!(fails(&well, "run @between.onnx --plugins a.so", 2).contains("--plugins is for --engine tensorrt-rtx"));
    assert!(fails(&well, &format!("{RUN} --lockfile @a"), 2).contains("is for --engine own or onnxruntime"));
    assert!(fails(&well, &format!("{RUN} --device cpu"), 2).contains("leave --device cpu out"));
    assert!(fails(&well, "run @x.npy --engine tensorrt-rtx", 1).contains("expected an ONNX model"));
    let missing = fails(&well, &format!("{RUN} --tensorrt-rtx @"), 1);
    assert!(missing.contains("TensorRT-RTX isn't there") && missing.contains("pip install"), "{missing}");
    if !is_there(NAME) {
        return;
    }
    let shapes = fails(&well, RUN, 2);
    assert!(shapes.contains("--profile 'x=1x3x4x4:4x3x4x4:16x3x4x4'"), "{shapes}");
    let other = fails(&well, &format!("{RUN} {PROFILE}").replace("sm_89", "sm_90"), 2);
    assert!(other.contains("doesn't build for sm_90") && other.contains("sm_86, sm_89"), "{other}");
    let not_kept = fails(&well, &format!("{RUN} {PROFILE}"), 1);
    assert!(not_kept.contains("it can't run here") && not_kept.contains("--save FILE"), "{not_kept}");
    let no_plugins = fails(&well, &format!("{RUN} --plugins @x.npy"), 1);
    assert!(no_plugins.contains("x.npy can't be loaded: "), "{no_plugins}");
    let refused = fails(&files(&[1, 1, 1]), &format!("{RUN} {PROFILE}"), 1);
    assert!(refused.contains("sample::circ_pad_plugin v1") && refused.contains("`pads` holds 3 numbers"), "{refused}");
    if has_a_driver() {
        return skipped(&format!("{NAME}, that there is no GPU"), "there is a driver");
    }
    let unnamed = fails(&well, &format!("run @between.onnx --engine tensorrt-rtx {PROFILE}"), 2);
    assert!(unnamed.contains("there is no GPU to build for"), "{unnamed}");
}
