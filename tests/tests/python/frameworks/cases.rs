//! Every case of the suite.

use std::path::Path;

use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::command::library;
use tests::suite::{Case, On, Runtime, cases, check, files};

use super::Framework;

/// One Python ran all cases before the first is asked for.
struct Ran<'r> {
    framework: &'r Framework,
    /// A folder for each case.
    folder: &'r Path,
}

impl Runtime for Ran<'_> {
    fn name(&self) -> &'static str {
        self.framework.name
    }

    fn leaves_out(&self, case: &Case) -> Option<String> {
        if self.framework.device != "cpu" && !case.on.contains(&On::Cuda) {
            return Some("a plugin of it has no impl for a GPU".into());
        }
        case.name
            .starts_with("layouts")
            .then(|| "a framework's tensors are LINEAR, which its plugin doesn't take".into())
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        files::read(&self.folder.join(case.name), case)
    }
}

fn run(name: &'static str, test: &str) {
    let Some(framework) = Framework::find(name, test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let cases = cases::all();
    cases.iter().for_each(|case| files::write(&folder.path().join(case.name), case));
    let arguments = [Path::new(name), Path::new(&framework.device), &library("tests"), folder.path()];
    framework.script("cases.py", &arguments);
    let mut ran = Ran { framework: &framework, folder: folder.path() };
    assert!(cases.len() > 25);
    cases.into_iter().for_each(|case| check(&mut ran, case));
}

#[test]
fn every_case_runs_in_torch() {
    run("torch", "every_case_runs_in_torch");
}

#[test]
fn every_case_runs_in_jax() {
    run("jax", "every_case_runs_in_jax");
}
