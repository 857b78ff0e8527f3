//! A compiler that another process loaded, remembered in the cache's folder: to load it takes longer than all else that a
//! program with a warm cache does, and a key needs no more of it than its version.
//!
//! What is remembered counts as long as the library's file is the same, and as all that decides which one is loaded.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::search::{Environment, include_folders};
use super::{Nvrtc, Version};
use crate::whole_file;

/// The first line of every file; the digit is the format's version.
const FIRST_LINE: &str = "NVRTC of plugin-runtime 1";
/// Larger files aren't read.
const MAX_FILE_BYTES: u64 = 1 << 16;
/// What decides which library is loaded, besides the files that are there.
const VARIABLES: [&str; 4] = ["NVRTC_LIBRARY", "CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH"];
/// The loader's list of libraries, which changes where one is installed.
const LIST_OF_LIBRARIES: &str = "/etc/ld.so.cache";

/// As much of a compiler as keys of the cache need.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::device::cuda) struct Recalled {
    pub(in crate::device::cuda) version: Version,
    /// Folders with CUDA's own headers.
    pub(in crate::device::cuda) include_folders: Vec<PathBuf>,
}

/// The compiler that a process with this environment loaded last, if it is there still.
pub(in crate::device::cuda) fn recall(folder: &Path, environment: Environment) -> Option<Recalled> {
    let beginning = beginning(environment)?;
    let path = remembered_in(folder, &beginning);
    if fs::metadata(&path).ok()?.len() > MAX_FILE_BYTES {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let rest = text.strip_prefix(&beginning)?;
    let [version, candidate, file, stamp] = rest.lines().collect::<Vec<_>>().try_into().ok()?;
    if stamp_of(&fs::metadata(file).ok()?)? != stamp {
        return None;
    }
    let (major, minor) = version.split_once('.')?;
    Some(Recalled {
        version: (major.parse().ok()?, minor.parse().ok()?),
        include_folders: include_folders(environment, Some(Path::new(candidate))),
    })
}

/// Remembers a compiler that was loaded; does nothing where that can't be.
pub(in crate::device::cuda) fn remember(nvrtc: &Nvrtc, folder: &Path, environment: Environment) {
    let remembered = || {
        let beginning = beginning(environment)?;
        let file = file_of(&nvrtc.candidate)?;
        let (major, minor) = nvrtc.version;
        let (candidate, stamp) = (line(&nvrtc.candidate)?, stamp_of(&fs::metadata(&file).ok()?)?);
        let text = format!("{beginning}{major}.{minor}\n{candidate}\n{}\n{stamp}\n", line(&file)?);
        Some((remembered_in(folder, &beginning), text))
    };
    if let Some((path, text)) = remembered() {
        let _ = whole_file::write(&path, |file| file.write_all(text.as_bytes()));
    }
}

/// One file for each beginning.
fn remembered_in(folder: &Path, beginning: &str) -> PathBuf {
    folder.join(format!("{:08x}.nvrtc", crc32fast::hash(beginning.as_bytes())))
}

/// The first lines of a file: the environment that it is for.
fn beginning(environment: Environment) -> Option<String> {
    let mut text = format!("{FIRST_LINE}\n");
    for name in VARIABLES {
        let value = environment(name).unwrap_or_default();
        text += &format!("{name}={}\n", line(Path::new(&value))?);
    }
    let list = fs::metadata(LIST_OF_LIBRARIES).ok().and_then(|list| stamp_of(&list));
    Some(text + &format!("{LIST_OF_LIBRARIES}={}\n", list.unwrap_or_default()))
}

/// A path that a line can hold.
fn line(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| !text.contains(['\n', '\r']))
}

/// Another one for every file that was ever there, as good as.
fn stamp_of(file: &Metadata) -> Option<String> {
    let changed = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} bytes, changed at {}", file.len(), changed.as_nanos()))
}

/// The file that the loader found for a candidate.
fn file_of(candidate: &Path) -> Option<PathBuf> {
    if candidate.parent().is_some_and(|folder| !folder.as_os_str().is_empty()) {
        return fs::canonicalize(candidate).ok();
    }
    let name = candidate.to_str()?;
    let mapped = fs::read_to_string("/proc/self/maps").ok()?;
    let mut paths = mapped.lines().filter_map(|line| Some(Path::new(line.get(line.find('/')?..)?)));
    let found = paths.find(|path| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name)));
    found.map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn a_mapped_library_is_found_by_the_name_that_it_was_asked_for() {
        if cfg!(target_os = "linux") {
            let found = file_of(Path::new("libc.so")).expect("every test has it");
            assert!(found.is_absolute() && found.is_file(), "{found:?}");
        }
        assert_eq!(file_of(Path::new("libnothing.so.13")), None);
        assert_eq!(file_of(Path::new("/nowhere/libnvrtc.so.13")), None);
    }

    #[test]
    fn whatever_is_in_the_file_it_is_read_or_left() {
        let folder = std::env::temp_dir().join(format!("plugin-runtime-recall-{}", std::process::id()));
        let library = folder.join("lib").join("libnvrtc.so.13");
        fs::create_dir_all(folder.join("lib")).unwrap();
        fs::create_dir_all(folder.join("include")).unwrap();
        fs::write(folder.join("include").join("cuda_fp16.h"), "").unwrap();
        fs::write(&library, "a library").unwrap();
        let environment = |name: &str| (name == "NVRTC_LIBRARY").then(|| library.clone().into_os_string());
        let path = remembered_in(&folder, &beginning(&environment).unwrap());
        let stamp = stamp_of(&fs::metadata(&library).unwrap()).unwrap();
        let whole = |version: &str| {
            let first = beginning(&environment).unwrap();
            format!("{first}{version}\n{}\n{}\n{stamp}\n", library.display(), library.display())
        };
        assert_eq!(recall(&folder, &environment), None, "nothing is there yet");

        fs::write(&path, whole("13.1")).unwrap();
        let Recalled { version, include_folders } = recall(&folder, &environment).unwrap();
        assert_eq!((version, &include_folders[0]), ((13, 1), &folder.join("include")));
        let elsewhere = |name: &str| (name == "CUDA_HOME").then(|| OsString::from("/elsewhere"));
        assert_eq!(recall(&folder, &elsewhere), None);

        let good = whole("13.1");
        for cut in 0..good.len() - 1 {
            fs::write(&path, &good[..cut]).unwrap();
            assert_eq!(recall(&folder, &environment), None, "{cut} bytes");
        }
        for bad in [whole("13"), whole("13.x"), whole("-1.0"), whole("99999999999.0"), good.clone() + "more\n"] {
            fs::write(&path, &bad).unwrap();
            assert_eq!(recall(&folder, &environment), None, "{bad}");
        }
        fs::write(&path, good).unwrap();
        fs::write(&library, "another library").unwrap();
        assert_eq!(recall(&folder, &environment), None, "the library is another one");
        fs::remove_dir_all(&folder).unwrap();
    }
}
