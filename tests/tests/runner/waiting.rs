//! Two programs and one lockfile.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tests::command::samples_binary;

use crate::models::Files;

#[test]
fn who_waits_for_a_lockfile_is_told() {
    let files = Files::new();
    let held = File::create(files.path(".t.lock.guard")).unwrap();
    held.lock().unwrap();
    let line = files.line("build @model.onnx --profile X=1x3:2x3:8x3 --lockfile @t.lock --save @x.engine");
    let mut build = Command::new(samples_binary());
    let mut build = build.args(line.split_whitespace()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(build.stderr.take().unwrap()).read_line(&mut told).unwrap();
    drop(held);
    let expected = format!("waiting for another program that is writing {}\n", files.path("t.lock").display());
    assert_eq!(told, expected);
    assert!(build.wait().unwrap().success());
    assert!(files.path("t.lock").exists() && files.path("x.engine").exists());
}
