//! Where ONNX Runtime is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Library;
use crate::error::{Error, ErrorKind, Result};

const VARIABLE: &str = "ONNXRUNTIME_LIBRARY";
/// Prints the folder of the library in Python's package. A folder of that name where the program runs isn't one.
const ASK_PYTHON: &str = "import sys; sys.path = [p for p in sys.path if p]; import importlib.util as u; \
                          p = u.find_spec('onnxruntime'); print(p.submodule_search_locations[0] if p else '')";

impl Library {
    /// Loads the one that the environment's `ONNXRUNTIME_LIBRARY` names, else that of the package `onnxruntime` of the Python
    /// that `PYTHON` names, or of `python3`.
    ///
    /// # Errors
    /// When there is none, or it can't be loaded.
    pub fn find() -> Result<Library> {
        match named() {
            Some(path) => Library::load(path),
            None => Library::load(of_python()?),
        }
    }

    /// Whether the environment names one, which is to be there then.
    #[cfg(any(feature = "testing", test))]
    pub(crate) fn is_named() -> bool {
        named().is_some()
    }
}

fn named() -> Option<PathBuf> {
    env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The library in the package of the Python that PYTHON names, or `python3`.
fn of_python() -> Result<PathBuf> {
    let python = env::var_os("PYTHON").filter(|path| !path.is_empty()).unwrap_or_else(|| "python3".into());
    let shown = python.to_string_lossy().into_owned();
    let missing = |why: &str| {
        let advice = format!(
            "set {VARIABLE} to the path of its library, or install it with `{shown} -m pip install onnxruntime`"
        );
        Error::new(ErrorKind::Io, format_args!("ONNX Runtime isn't there: {why}; {advice}"))
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
