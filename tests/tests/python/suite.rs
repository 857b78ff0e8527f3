//! Every case of the suite by calls of its plugins in Python, with NumPy's arrays or those that PYTHON_ARRAYS names.

use std::fs;
use std::path::Path;

use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::command::library;
use tests::suite::{Case, On, Runtime, cases, check, files};

use super::{host, script};

/// Calls in Python. One Python runs all cases before the first is asked for.
struct Calls<'f> {
    /// A folder for each case.
    folder: &'f Path,
    arrays: &'f str,
}

impl Runtime for Calls<'_> {
    fn name(&self) -> &'static str {
        "python"
    }

    fn leaves_out(&self, case: &Case) -> Option<String> {
        if !matches!(self.arrays, "numpy" | "torch") && !case.on.contains(&On::Cuda) {
            return Some("a plugin of it has no impl for a GPU".into());
        }
        if case.name.starts_with("layouts") {
            return Some("arrays are LINEAR, which its plugin doesn't take".into());
        }
        if self.arrays == "cupy" && case.name.ends_with("bf16") {
            return Some("CuPy has no BF16".into());
        }
        let error = fs::read_to_string(self.folder.join(case.name).join("error")).unwrap_or_default();
        error.contains("No module named 'ml_dtypes'").then(|| "NumPy has no BF16 without ml_dtypes".into())
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        files::read(&self.folder.join(case.name), case)
            .map_err(|error| error.within(format_args!("with {}", self.arrays)))
    }
}

#[test]
fn every_case_of_the_suite_runs_by_calls_in_python() {
    let Some(host) = host("every_case_of_the_suite_runs_by_calls_in_python") else { return };
    let arrays = std::env::var("PYTHON_ARRAYS").unwrap_or_else(|_| "numpy".into());
    let folder = tempfile::tempdir().unwrap();
    let cases = cases::all();
    cases.iter().for_each(|case| files::write(&folder.path().join(case.name), case));
    script(&host, "suite.py", &[&library("tests"), folder.path(), Path::new(&arrays)]);
    let mut calls = Calls { folder: folder.path(), arrays: &arrays };
    assert!(cases.len() > 25);
    cases.into_iter().for_each(|case| check(&mut calls, case));
}
