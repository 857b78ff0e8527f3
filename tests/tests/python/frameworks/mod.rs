//! The plugins inside stock PyTorch and JAX, of the Python that PYTHON names. FRAMEWORKS_DEVICE names another device than the
//! CPU: cuda.

mod cases;
mod scenarios;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tests::command::{python_with, run, skipped};

use super::{python, workspace_or_taken};

/// A framework that Python has.
struct Framework {
    name: &'static str,
    python: OsString,
    device: String,
}

impl Framework {
    /// Says of a test by name that there is none.
    fn find(name: &'static str, test: &str) -> Option<Framework> {
        let device = std::env::var("FRAMEWORKS_DEVICE").unwrap_or_else(|_| "cpu".into());
        match python_with(&[name]) {
            Some(python) => Some(Framework { name, python, device }),
            None => {
                let asked = std::env::var_os("FRAMEWORKS_REQUIRED").is_some();
                assert!(!asked, "{test}: the Python that PYTHON names can't import {name}");
                skipped(test, &format!("python3 with {name} isn't there; set PYTHON to one that has it"));
                None
            }
        }
    }

    /// Runs a script of this folder to its end; what it printed.
    fn script(&self, name: &str, arguments: &[&Path]) -> String {
        let ended = run(python(&self.python).arg(folder().join(name)).args(arguments));
        assert_eq!(ended.status, Some(0), "{name} {arguments:?}:\n{}{}", ended.stdout, ended.stderr);
        ended.stdout + &ended.stderr
    }
}

/// The folder of the scripts: that of the sources, or where they were taken to.
fn folder() -> PathBuf {
    workspace_or_taken().join("tests/tests/python/frameworks")
}
