//! Finding ONNX Runtime, and models in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plugin_runtime::host::onnxruntime::{Library, Session, SessionOptions};

use super::cli::BuildArgs;
use super::device::DeviceName;
use super::failure::{Failure, Result};

pub(super) use plugin_runtime::host::onnxruntime::Slot as ModelSlot;

const VARIABLE: &str = "ONNXRUNTIME_LIBRARY";
/// Prints the folder of the library in Python's package.
const ASK_PYTHON: &str = "import importlib.util as u; p = u.find_spec('onnxruntime'); \
                          print(p.submodule_search_locations[0] if p else '')";

/// Loads the library that was named, or the first that is found.
///
/// # Errors
/// When there is none, or it can't be loaded.
pub(super) fn library(named: Option<&Path>) -> Result<Library> {
    let path = match named.map(Path::to_owned).or_else(|| env::var_os(VARIABLE).map(PathBuf::from)) {
        Some(path) => path,
        None => of_python()?,
    };
    Ok(Library::load(path)?)
}

/// The library in the package of the Python that PYTHON names, or `python3`.
fn of_python() -> Result<PathBuf> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let shown = python.to_string_lossy().into_owned();
    let missing = |why: &str| {
        Failure::work(format_args!(
            "ONNX Runtime isn't there: {why}; name its library with --onnxruntime FILE or {VARIABLE}, or install it with \
             `{shown} -m pip install onnxruntime`"
        ))
    };
    let answer = Command::new(&python).args(["-c", ASK_PYTHON]).output();
    let answer = answer.map_err(|e| missing(&format!("`{shown}` can't be started: {e}")))?;
    let package = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if !answer.status.success() || package.is_empty() {
        return Err(missing(&format!("`{shown}` has no package of it")));
    }
    let folder = Path::new(&package).join("capi");
    library_in(&folder).ok_or_else(|| missing(&format!("{} holds no libonnxruntime", folder.display())))
}

/// `libonnxruntime.so.1.32.0`, `libonnxruntime.1.32.0.dylib` or `onnxruntime.dll`.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("libonnxruntime.") || name == "onnxruntime.dll"
    };
    let mut found: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    found.retain(is_library);
    found.sort();
    found.pop()
}

/// Reads a model: on the CPU, unless a GPU is named. A lockfile only chooses.
///
/// # Errors
/// What ONNX Runtime or a plugin says.
pub(super) fn session(library: &Library, model: &Path, args: &BuildArgs) -> Result<Session> {
    let options = SessionOptions::new().verbose(args.verbose);
    let options = match &args.lockfile {
        Some(path) => options.config("plugin_runtime.lockfile", path.to_string_lossy()),
        None => options,
    };
    let options = match args.device {
        Some(DeviceName::Cuda(gpu)) => options.cuda(gpu.unwrap_or(0)),
        Some(DeviceName::Cpu) | None => options,
    };
    Ok(Session::new(library, model, &options)?)
}
