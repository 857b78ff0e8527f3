//! The search for NVRTC and CUDA's headers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Names that the system's loader is asked for, the one wanted most first.
#[cfg(not(windows))]
pub(super) const LIBRARY_NAMES: &[&str] = &["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];
#[cfg(windows)]
pub(super) const LIBRARY_NAMES: &[&str] = &["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"];

/// Folders of libraries in a CUDA toolkit.
#[cfg(not(windows))]
const LIBRARY_FOLDERS: &[&str] = &["lib64", "lib"];
#[cfg(windows)]
const LIBRARY_FOLDERS: &[&str] = &["bin/x64", "bin"];

/// Reads a variable of the environment.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The library that the user names: no other will do then.
pub(super) fn named_library(environment: Environment) -> Option<PathBuf> {
    variable(environment, "NVRTC_LIBRARY")
}

/// Paths and names to try to load, in order.
pub(super) fn library_candidates(environment: Environment) -> Vec<PathBuf> {
    let mut candidates: Vec<PathBuf> = LIBRARY_NAMES.iter().map(PathBuf::from).collect();
    for toolkit in toolkits(environment) {
        for folder in LIBRARY_FOLDERS {
            let folder = toolkit.join(folder);
            candidates.extend(LIBRARY_NAMES.iter().map(|name| folder.join(name)).filter(|path| path.exists()));
        }
    }
    candidates
}

/// The part that NVRTC loads when it compiles, in the folder of a library that was loaded by its path.
pub(super) fn builtins_beside(library: &Path, version: (u32, u32)) -> Option<PathBuf> {
    let (major, minor) = version;
    let name = if cfg!(windows) {
        format!("nvrtc-builtins64_{major}{minor}.dll")
    } else {
        format!("libnvrtc-builtins.so.{major}.{minor}")
    };
    let folder = library.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    Some(folder.join(name)).filter(|path| path.is_file())
}

/// Folders that hold CUDA's own headers, those beside the library first.
pub(super) fn include_folders(environment: Environment, library: Option<&Path>) -> Vec<PathBuf> {
    let beside = library.and_then(Path::parent).and_then(Path::parent).map(Path::to_owned);
    let mut folders = Vec::new();
    for toolkit in beside.into_iter().chain(toolkits(environment)) {
        let folder = toolkit.join("include");
        if folder.join("cuda_fp16.h").is_file() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn toolkits(environment: Environment) -> Vec<PathBuf> {
    let mut toolkits: Vec<PathBuf> =
        ["CUDA_HOME", "CUDA_PATH"].iter().filter_map(|name| variable(environment, name)).collect();
    if cfg!(not(windows)) {
        toolkits.push("/usr/local/cuda".into());
    }
    toolkits.dedup();
    toolkits
}

fn variable(environment: Environment, name: &str) -> Option<PathBuf> {
    environment(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_is_asked_before_a_toolkit() {
        let folder = std::env::temp_dir().join(format!("plugin-runtime-{}-toolkit", std::process::id()));
        let library = folder.join(LIBRARY_FOLDERS[0]).join(LIBRARY_NAMES[0]);
        std::fs::create_dir_all(library.parent().unwrap()).unwrap();
        std::fs::create_dir_all(folder.join("include")).unwrap();
        let environment = |name: &str| (name == "CUDA_HOME").then(|| folder.clone().into_os_string());
        assert!(!library_candidates(&environment).contains(&library), "it isn't there yet");
        assert!(!include_folders(&environment, None).contains(&folder.join("include")), "no headers in it yet");

        std::fs::write(&library, "").unwrap();
        std::fs::write(folder.join("include/cuda_fp16.h"), "").unwrap();
        let candidates = library_candidates(&environment);
        assert_eq!(candidates[0], Path::new(LIBRARY_NAMES[0]));
        assert!(candidates.contains(&library));
        assert_eq!(include_folders(&environment, Some(&library))[0], folder.join("include"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_empty_variable_names_nothing() {
        assert_eq!(named_library(&|_| Some(OsString::new())), None);
        assert_eq!(named_library(&|name| (name == "NVRTC_LIBRARY").then(|| "/x".into())), Some("/x".into()));
    }
}
