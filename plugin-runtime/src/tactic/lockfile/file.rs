//! Lockfiles on disk: read with bounds, and written whole or not at all, also when several builds write at once.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{Held, LARGEST_FILE, Records, parse, render};
use crate::error::{Error, Result};
use crate::whole_file::{Target, is_at};

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

/// Adds records. One that the file has got since `base` was read stays as it is: another build may have used it. `waits`
/// is called once where another build keeps it from writing for long.
///
/// # Errors
/// When the file can't be read or written, or isn't a valid lockfile any more; it's left as it was.
pub(in crate::tactic) fn add(path: &Path, base: &Records, fresh: &Records, waits: &mut dyn FnMut(&Path)) -> Result<()> {
    let target = Target::of(path).map_err(|e| failed(path, e))?;
    let _guard = Guard::take(&target, &mut || waits(path)).map_err(|e| failed(path, e))?;
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
    target.write(|out| out.write_all(text.as_bytes())).map_err(|e| failed(path, e))
}

/// Finds out whether [`add`] will be able to write; `waits` as there.
///
/// # Errors
/// When it won't.
pub(in crate::tactic) fn check_writable(path: &Path, waits: &mut dyn FnMut(&Path)) -> Result<()> {
    let mut check = || {
        let target = Target::of(path)?;
        let _guard = Guard::take(&target, &mut || waits(path))?;
        target.check_folder()
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

/// Who waits longer for another build says so.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps other builds from writing, in this process or another, as long as it lives: an advisory lock on a file of its
/// own, because the lockfile itself is replaced by each write.
struct Guard {
    path: PathBuf,
    file: File,
}

impl Guard {
    /// Calls `waits` once if another has it for longer than [`PATIENCE`].
    fn take(target: &Target, waits: &mut dyn FnMut()) -> io::Result<Guard> {
        const MOST_TRIES: usize = 1000;
        let mut patience = Some(PATIENCE);
        let path = target.beside(".guard");
        for _ in 0..MOST_TRIES {
            if fs::symlink_metadata(&path).is_ok_and(|present| !present.is_file()) {
                return Err(io::Error::other(format!("`{}` is in the way", path.display())));
            }
            let file = File::options().write(true).create(true).truncate(false).open(&path)?;
            wait_for(&file, &mut patience, waits)?;
            if is_at(&file, &path)? {
                return Ok(Guard { path, file });
            }
        }
        Err(io::Error::other(format!("`{}` is replaced all the time", path.display())))
    }
}

/// Locks a file. Who waits longer than the `patience` that is left says so, once.
fn wait_for(file: &File, patience: &mut Option<Duration>, waits: &mut dyn FnMut()) -> io::Result<()> {
    /// Others have it for a few milliseconds, as a rule.
    const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
    while let Some(left) = *patience {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        let begin = Instant::now();
        thread::sleep(BETWEEN_LOOKS);
        *patience = left.checked_sub(begin.elapsed());
        if patience.is_none() {
            waits();
        }
    }
    file.lock()
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
