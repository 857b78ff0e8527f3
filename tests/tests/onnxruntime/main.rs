//! The plugins inside stock ONNX Runtime, as Python has it: the package of the Python that PYTHON names, and those in the
//! folders that ONNXRUNTIME_PACKAGES lists, older versions for instance. ONNXRUNTIME_PROVIDER names another execution
//! provider for the suite.

mod sessions;
mod suite;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::command::{python_is_asked_for, python_with, run, skipped, workspace};

/// One ONNX Runtime.
struct Host {
    python: OsString,
    /// A folder of packages that comes before those of Python.
    packages: Option<PathBuf>,
    /// Its version.
    name: String,
}

impl Host {
    /// A Python that finds this ONNX Runtime.
    fn python(&self) -> Command {
        let mut python = Command::new(&self.python);
        if let Some(packages) = &self.packages {
            let others = std::env::var_os("PYTHONPATH").unwrap_or_default();
            let paths = [packages.clone()].into_iter().chain(std::env::split_paths(&others));
            python.env("PYTHONPATH", std::env::join_paths(paths).unwrap());
        }
        python
    }

    /// Runs a script of this folder to its end.
    fn script(&self, name: &str, arguments: &[&Path]) -> String {
        let script = scripts().join(name);
        let ended = run(self.python().arg(script).args(arguments));
        let (name, Host { name: host, .. }) = (arguments.first(), self);
        assert_eq!(ended.status, Some(0), "{name:?} on ONNX Runtime {host}:\n{}{}", ended.stdout, ended.stderr);
        ended.stdout + &ended.stderr
    }
}

/// The folder of the scripts: that of the sources, or where they were taken to.
fn scripts() -> PathBuf {
    let taken = std::env::var_os("ONNXRUNTIME_SCRIPTS").map(PathBuf::from);
    taken.unwrap_or_else(|| workspace().join("tests/tests/onnxruntime"))
}

/// Each ONNX Runtime that there is; says of a test by name that there is none.
fn hosts(test: &str) -> Vec<Host> {
    let Some(python) = python_with(&["onnxruntime", "onnx", "numpy"]) else {
        assert!(!python_is_asked_for(), "the Python that PYTHON names can't import onnxruntime, onnx and numpy");
        skipped(test, "python3 with onnxruntime isn't there; set PYTHON to one that has it, with onnx");
        return Vec::new();
    };
    let listed = std::env::var_os("ONNXRUNTIME_PACKAGES").unwrap_or_default();
    let folders = std::env::split_paths(&listed).filter(|folder| !folder.as_os_str().is_empty());
    let version = |packages: Option<PathBuf>| {
        let mut host = Host { python: python.clone(), packages, name: String::new() };
        let ended = run(host.python().args(["-c", "import onnxruntime; print(onnxruntime.__version__)"]));
        assert_eq!(ended.status, Some(0), "{:?}: {}", host.packages, ended.stderr);
        host.name = ended.stdout.trim().to_owned();
        host
    };
    [None].into_iter().chain(folders.map(Some)).map(version).collect()
}
