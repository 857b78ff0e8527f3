//! Files that are damaged, or of another kind than they should be.

use std::fs;

use crate::models::Files;
use crate::{right, samples, wrong};

/// Runs it; whatever it makes of its files, it ends in order, with one complaint at most.
fn ends_in_order(line: &str) -> Option<i32> {
    let ended = samples(line);
    let complaints = ended.stderr.matches("error: ").count();
    match ended.status {
        Some(0) => assert_eq!(ended.stderr, "", "{line}"),
        Some(1) => assert!(ended.stderr.starts_with("error: ") && complaints == 1, "{line}\n{}", ended.stderr),
        other => panic!("{line} ended with {other:?}: {}", ended.stderr),
    }
    ended.status
}

/// About `most` places spread over a file of this length.
fn places(length: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(length.div_ceil(most).max(1))
}

#[test]
fn damaged_files_are_told_in_order() {
    let files = Files::new();
    right(&files.line("build @model.onnx --profile X=1x3:2x3:8x3 --lockfile @t.lock --save @x.engine"));
    for (name, line) in [
        ("model.onnx", "run @bad --input X=@x.npy"),
        ("x.engine", "run @bad --input X=@x.npy"),
        ("t.lock", "inspect @bad"),
    ] {
        let whole = fs::read(files.path(name)).unwrap();
        for length in places(whole.len(), 12) {
            fs::write(files.path("bad"), &whole[..length]).unwrap();
            let complaint = wrong(&files.line(line), 1);
            assert_eq!(complaint.lines().count(), 1, "{name} cut to {length} of {}: {complaint}", whole.len());
        }
        for place in places(whole.len(), 20) {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (place % 8);
            fs::write(files.path("bad"), damaged).unwrap();
            ends_in_order(&files.line(line));
            ends_in_order(&files.line("inspect @bad"));
        }
    }
    fs::write(files.path("circ_pad.engine"), b"\x89PLAN").unwrap();
    assert_eq!(ends_in_order(&files.line("circ_pad --load_engine --artifacts_dir @")), Some(1));
}

#[test]
fn files_of_another_kind_are_named() {
    let files = Files::new();
    right(&files.line("build @model.onnx --profile X=2x3 --lockfile @t.lock --save @x.engine"));
    fs::write(files.path("empty"), "").unwrap();
    fs::write(files.path("text"), "Dear engine,\n").unwrap();
    for (line, expected) in [
        ("run @t.lock", "is a tuning lockfile"),
        ("build @t.lock --save @y.engine", "is a tuning lockfile"),
        ("run @x.npy", "is an .npy array"),
        ("run @empty", "it is empty"),
        ("inspect @empty", "it is empty"),
        ("inspect @text", "isn't an ONNX model"),
        ("inspect @", "is a directory"),
        ("inspect @nowhere", "can't read"),
        ("inspect @x.engine --lockfile @model.onnx", "tuning lockfile"),
        ("build @model.onnx --profile X=2x3 --save @y.engine --lockfile @x.engine", "tuning lockfile"),
        ("run @model.onnx --input X=@x.engine", "isn't an .npy file"),
    ] {
        let complaint = wrong(&files.line(line), 1);
        assert!(complaint.contains(expected) && complaint.lines().count() == 1, "{line}: {expected}\n{complaint}");
    }
}
