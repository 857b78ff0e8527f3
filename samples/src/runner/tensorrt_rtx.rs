//! TensorRT-RTX, by its Python packages: a program in Python builds a model with the plugins in it, and runs it.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use plugin_runtime::network::Dim;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::{DataType, HostTensor};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::failure::{Failure, Result};
use super::source::Slot;
use super::tuning::spinner;

const VARIABLE: &str = "TENSORRT_RTX_PACKAGES";
const PROGRAM: &str = include_str!("tensorrt_rtx.py");
/// The importer of models looks for the builder by names that the packages don't have.
const LIBRARIES: [&str; 2] = ["libtensorrt_rtx.so", "libtensorrt_onnxparser_rtx.so"];

/// A model in TensorRT-RTX, to be built.
pub(super) struct Model {
    process: Process,
    pub(super) inputs: Vec<Slot>,
    pub(super) outputs: Vec<Slot>,
    /// The architecture of the first GPU, such as `sm_89`.
    gpu: Option<String>,
    /// Those that it builds for.
    architectures: Vec<String>,
}

/// What to build, and what to do with it.
pub(super) struct Request<'a> {
    pub(super) profiles: &'a [Profile],
    pub(super) architecture: &'a str,
    /// Where the plan is saved.
    pub(super) save: Option<&'a Path>,
    /// The inputs, if it is run.
    pub(super) inputs: Option<&'a [(&'a str, &'a HostTensor)]>,
}

/// What was built, and what running it gave.
pub(super) struct Built {
    pub(super) bytes: u64,
    pub(super) seconds: f64,
    pub(super) results: Vec<(String, HostTensor)>,
}

impl Model {
    /// Reads a model with the plugins of a library; `packages` is a folder of Python packages, else TENSORRT_RTX_PACKAGES
    /// names one, else they are Python's own.
    ///
    /// # Errors
    /// When TensorRT-RTX isn't there, or refuses the plugins or the model.
    pub(super) fn read(model: &Path, plugins: &Path, packages: Option<&Path>, verbose: bool) -> Result<Model> {
        let named = packages.map(Path::to_owned).or_else(|| {
            let set = env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
            set.map(PathBuf::from)
        });
        let mut process = Process::start(named.as_deref())?;
        process.tell(&json!({ "model": model, "plugins": plugins, "verbose": verbose }))?;
        let told = process.hear()?;
        let slots = |key: &str| told[key].as_array().into_iter().flatten().map(slot).collect::<Result<Vec<_>>>();
        let texts = told["architectures"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Model {
            inputs: slots("inputs")?,
            outputs: slots("outputs")?,
            gpu: told["gpu"].as_str().map(str::to_owned),
            architectures: texts.map(str::to_owned).collect(),
            process,
        })
    }

    /// The architecture to build for: the one that was asked for, else that of the GPU.
    ///
    /// # Errors
    /// When it doesn't build for it, or there is none.
    pub(super) fn architecture(&self, asked: Option<&str>) -> Result<String> {
        let listed = self.architectures.join(", ");
        let known = |name: &str| self.architectures.iter().any(|known| known == name);
        match asked.or(self.gpu.as_deref()) {
            Some(name) if known(name) => Ok(name.into()),
            Some(name) => Err(Failure::usage(format_args!(
                "TensorRT-RTX doesn't build for {name}: name another with --architecture, of {listed}"
            ))),
            None => Err(Failure::usage(format_args!(
                "there is no GPU to build for: name what to build for with --architecture, of {listed}"
            ))),
        }
    }

    /// Why what is built for an architecture can't run here.
    pub(super) fn cannot_run(&self, architecture: &str) -> Option<String> {
        match self.gpu.as_deref() {
            Some(gpu) if gpu == architecture => None,
            Some(gpu) => Some(format!("the GPU is of {gpu}, and this is for {architecture}")),
            None => Some("there is no GPU".into()),
        }
    }

    /// Builds it, and runs it if inputs are given.
    ///
    /// # Errors
    /// What TensorRT-RTX or a plugin says.
    pub(super) fn build(&mut self, request: &Request<'_>) -> Result<Built> {
        let folder = self.process.folder.path().to_owned();
        let mut given = serde_json::Map::new();
        for (index, (name, tensor)) in request.inputs.into_iter().flatten().enumerate() {
            let file = folder.join(format!("input.{index}"));
            std::fs::write(&file, tensor.bytes()).map_err(|e| failed("its inputs can't be written", &e))?;
            given.insert((*name).into(), json!({ "file": file, "shape": tensor.shape() }));
        }
        let profiles: Vec<Value> = request.profiles.iter().map(ranges).collect();
        self.process.tell(&json!({
            "profiles": profiles,
            "architecture": request.architecture,
            "save": request.save,
            "run": request.inputs.map(|_| given),
            "folder": folder,
        }))?;
        let progress = spinner(&format!("TensorRT-RTX builds for {}", request.architecture));
        let _ = self.process.hear()?;
        let built = self.process.hear()?;
        progress.finish_and_clear();
        let results = match request.inputs {
            Some(_) => results(&self.process.hear()?)?,
            None => Vec::new(),
        };
        let seconds = built["seconds"].as_f64().unwrap_or_default();
        Ok(Built { bytes: built["built"].as_u64().unwrap_or_default(), seconds, results })
    }
}

fn results(told: &Value) -> Result<Vec<(String, HostTensor)>> {
    let one = |output: &Value| {
        let slot = slot(output)?;
        let shape: Vec<i64> = output["shape"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        let file = output["file"].as_str().unwrap_or_default();
        let bytes = std::fs::read(file).map_err(|e| failed("its outputs can't be read", &e))?;
        Ok((slot.name, HostTensor::from_bytes(slot.dtype, &bytes, &shape)?))
    };
    told["ran"].as_array().into_iter().flatten().map(one).collect()
}

fn ranges(profile: &Profile) -> Value {
    let of = |(name, range): (&str, &plugin_runtime::shape::ProfileDims)| {
        (name.to_owned(), json!([range.min.to_vec(), range.opt.to_vec(), range.max.to_vec()]))
    };
    Value::Object(profile.iter().map(of).collect())
}

fn slot(told: &Value) -> Result<Slot> {
    let name = told["name"].as_str().unwrap_or_default();
    let extents = told["shape"].as_array().into_iter().flatten().filter_map(Value::as_i64);
    let dims: Vec<Dim> = extents.map(|extent| if extent < 0 { Dim::Dynamic } else { Dim::Fixed(extent) }).collect();
    let dtype = match told["dtype"].as_str().unwrap_or_default() {
        "FLOAT" => DataType::Float32,
        "HALF" => DataType::Float16,
        other => other.parse::<DataType>().map_err(|e| failed(&format!("`{name}` is of another type"), &e))?,
    };
    Ok(Slot::of_dims(name, dtype, &dims))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::work(format_args!("TensorRT-RTX: {what}: {error}"))
}

/// The program in Python, which answers in lines of JSON.
struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Process {
    fn start(packages: Option<&Path>) -> Result<Process> {
        let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let folder = tempfile::tempdir().map_err(|e| failed("no folder can be made for it", &e))?;
        let mut command = Command::new(&python);
        command.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let libraries = match packages {
            Some(packages) => {
                command.env("PYTHONPATH", joined(packages, "PYTHONPATH"));
                packages.join("tensorrt_rtx_libs")
            }
            None => of_python(&python)?,
        };
        for name in LIBRARIES {
            let library = libraries.join(format!("{name}.1"));
            if !library.exists() {
                return Err(missing(&format!("{} isn't there", library.display())));
            }
            link(&std::path::absolute(&library).unwrap_or(library), folder.path(), name)?;
        }
        let found = env::join_paths([folder.path(), libraries.as_path()]);
        command.env("LD_LIBRARY_PATH", joined(Path::new(&found.unwrap_or_default()), "LD_LIBRARY_PATH"));
        let shown = python.to_string_lossy();
        let mut child = command.spawn().map_err(|e| missing(&format!("`{shown}` can't be started: {e}")))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(requests), Some(answers)) => {
                Ok(Process { child, requests, answers: BufReader::new(answers), folder })
            }
            _ => Err(missing(&format!("`{shown}` can't be talked to"))),
        }
    }

    fn tell(&mut self, line: &Value) -> Result<()> {
        // Where the program has ended already, what it told last says why.
        match writeln!(self.requests, "{line}") {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(failed("it doesn't listen", &error)),
            _ => Ok(()),
        }
    }

    fn hear(&mut self) -> Result<Value> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).map_err(|e| failed("it doesn't answer", &e))?;
        if read == 0 {
            let ended = self.child.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
            return Err(missing(&format!("its program in Python ended with {ended}")));
        }
        let told: Value = serde_json::from_str(&line).map_err(|e| failed("its answer isn't understood", &e))?;
        match told["error"].as_str() {
            Some(error) => Err(Failure::work(format_args!("TensorRT-RTX: {error}"))),
            None => Ok(told),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended can't be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder and what a variable lists already.
fn joined(first: &Path, variable: &str) -> OsString {
    match env::var_os(variable).filter(|known| !known.is_empty()) {
        Some(known) => [first.as_os_str().to_owned(), known].join(std::ffi::OsStr::new(":")),
        None => first.into(),
    }
}

/// The folder of the libraries in the packages that Python has.
fn of_python(python: &OsString) -> Result<PathBuf> {
    const ASK: &str = "import importlib.util as u; p = u.find_spec('tensorrt_rtx_libs'); \
                       print(p.submodule_search_locations[0] if p and u.find_spec('tensorrt_rtx_bindings') else '')";
    let shown = python.to_string_lossy();
    let answer = Command::new(python).args(["-c", ASK]).output();
    let answer = answer.map_err(|e| missing(&format!("`{shown}` can't be started: {e}")))?;
    match String::from_utf8_lossy(&answer.stdout).trim() {
        "" => Err(missing(&format!("`{shown}` has no packages of it"))),
        folder => Ok(folder.into()),
    }
}

fn missing(why: &str) -> Failure {
    Failure::work(format_args!(
        "TensorRT-RTX isn't there: {why}; install it with `python3 -m pip install tensorrt-rtx-cu13-libs \
         tensorrt-rtx-cu13-bindings`, or name the folder of its packages with --tensorrt-rtx DIR or {VARIABLE}"
    ))
}

/// A library by another name, in a folder.
fn link(file: &Path, folder: &Path, name: &str) -> Result<()> {
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(file, folder.join(name));
    #[cfg(not(unix))]
    let linked = std::fs::copy(file, folder.join(name)).map(|_| ());
    linked.map_err(|e| failed("its libraries can't be named", &e))
}
