//! Libraries of plugins in Python, by the package `plugin_runtime` and tvm-ffi: that of the Python which PYTHON names.
//! PYTHON_ARRAYS names another kind of arrays than NumPy's for the suite: cupy, torch or torch_cuda.

mod frameworks;
mod package;
mod suite;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::command::{python_is_asked_for, python_with, run, skipped, workspace};

/// A Python that finds the package in the sources.
fn python(python: &OsString) -> Command {
    let mut command = Command::new(python);
    let others = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let own = [workspace_or_taken().join("plugin-runtime/python/src")];
    let paths = own.into_iter().chain(std::env::split_paths(&others));
    command.env("PYTHONPATH", std::env::join_paths(paths).unwrap()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The workspace's folder, or where its sources were taken to.
fn workspace_or_taken() -> PathBuf {
    std::env::var_os("PYTHON_SOURCES").map_or_else(|| workspace().to_owned(), PathBuf::from)
}

/// A Python with tvm-ffi; says of a test by name that there is none.
fn host(test: &str) -> Option<OsString> {
    let found = python_with(&["tvm_ffi", "numpy"]);
    if found.is_none() {
        assert!(!python_is_asked_for(), "the Python that PYTHON names can't import tvm_ffi and numpy");
        skipped(test, "python3 with tvm_ffi isn't there; set PYTHON to one that has apache-tvm-ffi and numpy");
    }
    found
}

/// Runs a script of this folder to its end; what it printed.
fn script(host: &OsString, name: &str, arguments: &[&Path]) -> String {
    let script = workspace_or_taken().join("tests/tests/python").join(name);
    let ended = run(python(host).arg(script).args(arguments));
    assert_eq!(ended.status, Some(0), "{name} {arguments:?}:\n{}{}", ended.stdout, ended.stderr);
    ended.stdout + &ended.stderr
}
