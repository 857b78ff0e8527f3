//! Finding ONNX Runtime, and models in it.

use std::path::Path;

use plugin_runtime::host::onnxruntime::{Library, Session, SessionOptions};

use super::cli::BuildArgs;
use super::device::DeviceName;
use super::failure::{Failure, Result};

pub(super) use plugin_runtime::host::onnxruntime::Slot as ModelSlot;

/// Loads the library that was named, or the first that is found.
///
/// # Errors
/// When there is none, or it can't be loaded.
pub(super) fn library(named: Option<&Path>) -> Result<Library> {
    match named {
        Some(path) => Ok(Library::load(path)?),
        None => Library::find()
            .map_err(|error| Failure::work(format_args!("{error}; or name its library by --onnxruntime FILE"))),
    }
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
