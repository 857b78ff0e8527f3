//! The command `samples`, from the command line to what it prints and writes.

mod bad_files;
mod bench;
mod models;
mod numpy;
mod onnxruntime;
mod samples;
mod tensorrt_rtx;
mod waiting;

use std::process::Command;

use tests::command::{Run, run, samples_binary};

fn samples(line: &str) -> Run {
    run(Command::new(samples_binary()).args(line.split_whitespace()))
}

/// Runs what must succeed; gives what it printed.
fn right(line: &str) -> String {
    let Run { status, stdout, stderr } = samples(line);
    assert_eq!((status, stderr.as_str()), (Some(0), ""), "samples {line}\n{stdout}");
    stdout
}

/// Runs what must fail with this status; gives its complaint.
fn wrong(line: &str, expected_status: i32) -> String {
    let Run { status, stdout, stderr } = samples(line);
    assert_eq!(status, Some(expected_status), "samples {line}\n{stdout}\n{stderr}");
    assert!(!stderr.contains("panicked") && stderr.contains("error: "), "samples {line}\n{stderr}");
    stderr
}

/// An array as numpy saves it.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let dict = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}}}\n");
    let length = u16::try_from(dict.len()).unwrap();
    [b"\x93NUMPY\x01\x00".as_slice(), &length.to_le_bytes(), dict.as_bytes(), data].concat()
}
