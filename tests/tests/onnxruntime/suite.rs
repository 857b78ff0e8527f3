//! Every case of the suite on the CPU provider, or on the one that ONNXRUNTIME_PROVIDER names.

use std::fs;
use std::path::Path;

use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::command::library;
use tests::suite::{Case, Runtime, cases, check};

use super::{Host, hosts};

const CPU: &str = "CPUExecutionProvider";

/// A session of ONNX Runtime. One Python runs all cases before the first is asked for.
struct Sessions<'h> {
    host: &'h Host,
    /// A folder for each case.
    folder: &'h Path,
    provider: &'h str,
}

impl Runtime for Sessions<'_> {
    fn name(&self) -> &'static str {
        "onnxruntime"
    }

    fn leaves_out(&self, case: &Case) -> Option<String> {
        if self.provider != CPU && case.on.is_empty() {
            return Some("a plugin of it has no impl for a GPU".into());
        }
        if case.name.starts_with("layouts") {
            return Some("a host's tensors are LINEAR, which its plugin doesn't take".into());
        }
        let is_old = ["1.17.", "1.18.", "1.19."].iter().any(|version| self.host.name.starts_with(version));
        let error = fs::read_to_string(self.folder.join(case.name).join("error")).unwrap_or_default();
        (is_old && error.contains("Type Error") && error.contains("keep_positive"))
            .then(|| format!("ONNX Runtime {} takes no types of outputs that depend on attributes", self.host.name))
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        let folder = self.folder.join(case.name);
        if let Ok(error) = fs::read_to_string(folder.join("error")) {
            bail!("on ONNX Runtime {}: {error}", self.host.name);
        }
        let outputs = |(number, run): (usize, &tests::suite::Run)| {
            let output = |(index, expected): (usize, &HostTensor)| read(&folder, number, index, expected.dtype());
            run.expected.iter().enumerate().map(output).collect()
        };
        case.runs.iter().enumerate().map(outputs).collect()
    }
}

/// What is in the file `found.run.index.extents`.
fn read(folder: &Path, run: usize, index: usize, dtype: DataType) -> Result<HostTensor> {
    let prefix = format!("found.{run}.{index}.");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(extents) = path.file_name().and_then(|name| name.to_str()?.strip_prefix(&prefix)) else { continue };
        return HostTensor::from_bytes(dtype, &fs::read(&path)?, &parsed(extents)?);
    }
    bail!("run {run} gave no output {index}")
}

fn parsed(extents: &str) -> Result<Vec<i64>> {
    extents.split('x').filter(|extent| !extent.is_empty()).map(|extent| Ok(extent.parse()?)).collect()
}

fn write(folder: &Path, case: &Case) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("model.onnx"), case.network.to_onnx().unwrap()).unwrap();
    for (number, run) in case.runs.iter().enumerate() {
        for (name, tensor) in run.inputs() {
            let extents = tensor.shape().iter().map(i64::to_string).collect::<Vec<_>>().join("x");
            fs::write(folder.join(format!("given.{number}.{name}.{extents}")), tensor.bytes()).unwrap();
        }
    }
}

#[test]
fn every_case_of_the_suite_runs_in_a_session() {
    let provider = std::env::var("ONNXRUNTIME_PROVIDER").unwrap_or_else(|_| CPU.into());
    for host in hosts("every_case_of_the_suite_runs_in_a_session") {
        let folder = tempfile::tempdir().unwrap();
        let cases = cases::all();
        cases.iter().for_each(|case| write(&folder.path().join(case.name), case));
        host.script("suite.py", &[&library("tests"), folder.path(), Path::new(&provider)]);
        let mut sessions = Sessions { host: &host, folder: folder.path(), provider: &provider };
        assert!(cases.len() > 25);
        cases.into_iter().for_each(|case| check(&mut sessions, case));
    }
}
