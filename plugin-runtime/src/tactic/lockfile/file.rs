//! Lockfiles on disk: read with bounds, and written whole or not at all, also when several builds write at once.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Held, LARGEST_FILE, Records, parse, render};
use crate::error::{Error, Result};
use crate::whole_file;

/// Reads a lockfile.
///
/// # Errors
/// When it isn't there, can't be read or isn't a valid lockfile: the path, and the line where one is wrong.
pub(in crate::tactic) fn read(path: &Path) -> Result<Held> {
    read_if_there(path)?.ok_or_else(|| {
        failed(
            path,
            "there is no such file; build once with Builder::lockfile, which makes it, and keep it with the sources",
        )
    })
}

/// The same; `None` where there is no file.
///
/// # Errors
/// When there is one that can't be read or isn't a valid lockfile.
pub(in crate::tactic) fn read_if_there(path: &Path) -> Result<Option<Held>> {
    let Some(content) = content(path).map_err(|e| failed(path, e))? else { return Ok(None) };
    match parse(&content) {
        Ok(held) => Ok(Some(held)),
        Err(flaw) => Err(failed(path, flaw)),
    }
}

/// Adds records. One that the file has got since `base` was read stays as it is: another build may have used it.
///
/// # Errors
/// When the file can't be read or written, or isn't a valid lockfile any more; it's left as it was.
pub(in crate::tactic) fn add(path: &Path, base: &Records, fresh: &Records) -> Result<()> {
    let target = Target::of(path).map_err(|e| failed(path, e))?;
    let _guard = Guard::take(&target).map_err(|e| failed(path, e))?;
    let mut records = read_if_there(path)?.unwrap_or_default().records;
    for (key, outcome) in fresh {
        let known = records.get(key);
        if known.is_none() || known == base.get(key) {
            records.insert(key.clone(), outcome.clone());
        }
    }
    let text = render(&records).map_err(|bytes| {
        failed(path, format_args!("it would have {bytes} bytes or more, and the most is {LARGEST_FILE}; delete lines that aren't needed any more"))
    })?;
    whole_file::write(&target.path, |out| out.write_all(text.as_bytes())).map_err(|e| failed(path, e))
}

/// Finds out whether [`add`] will be able to write.
///
/// # Errors
/// When it won't.
pub(in crate::tactic) fn check_writable(path: &Path) -> Result<()> {
    let check = || {
        let target = Target::of(path)?;
        let _guard = Guard::take(&target)?;
        whole_file::check_folder(&target.path)
    };
    check().map_err(|e: io::Error| failed(path, format_args!("it can't be written: {e}")))
}

fn failed(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::invalid(format_args!("tuning lockfile `{}`: {what}", path.display()))
}

fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it isn't a file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(LARGEST_FILE as u64 + 1).read_to_end(&mut content)?;
    if content.len() > LARGEST_FILE {
        return Err(io::Error::other(format!("it has more than {LARGEST_FILE} bytes, so this is no tuning lockfile")));
    }
    Ok(Some(content))
}

/// The file that a path leads to, which need not be there yet.
struct Target {
    path: PathBuf,
}

impl Target {
    fn of(path: &Path) -> io::Result<Target> {
        let other = |reason: &str| Err(io::Error::other(reason));
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => other("it isn't a file"),
            Ok(metadata) if metadata.permissions().readonly() => other("it is read-only"),
            Ok(_) => Ok(Target { path: fs::canonicalize(path)? }),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                // Another build may have made it by now, so it's not enough that something is there.
                if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
                    return other("it is a link to a file that isn't there");
                }
                let Some(name) = path.file_name() else { return other("it names no file") };
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let folder = fs::canonicalize(folder)
                    .map_err(|e| io::Error::new(e.kind(), format!("its folder `{}`: {e}", folder.display())))?;
                Ok(Target { path: folder.join(name) })
            }
            Err(e) => Err(e),
        }
    }

    /// A hidden file beside it.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(ending);
        self.path.with_file_name(name)
    }
}

/// Keeps other builds from writing, in this process or another, as long as it lives: an advisory lock on a file of its
/// own, because the lockfile itself is replaced by each write.
struct Guard {
    path: PathBuf,
    file: File,
}

impl Guard {
    fn take(target: &Target) -> io::Result<Guard> {
        const MOST_TRIES: usize = 1000;
        let path = target.beside(".guard");
        for _ in 0..MOST_TRIES {
            if fs::symlink_metadata(&path).is_ok_and(|present| !present.is_file()) {
                return Err(io::Error::other(format!("`{}` is in the way", path.display())));
            }
            let file = File::options().write(true).create(true).truncate(false).open(&path)?;
            file.lock()?;
            if is_at(&file, &path)? {
                return Ok(Guard { path, file });
            }
        }
        Err(io::Error::other(format!("`{}` is replaced all the time", path.display())))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Those who wait for this file see that it's gone from its path, and begin anew. Elsewhere it stays, empty.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Whether the file that was opened at a path is still there.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}
