//! Files that are written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The end of the names of files that are being written.
const ENDING: &str = ".part";
/// File systems take no names much longer than this, in bytes.
const LONGEST_NAME: usize = 200;

/// Writes a file beside `path`, and gives it that name when all of it has reached the disk. Whatever goes wrong before,
/// what was at `path` stays. Where that is a link, the file that it leads to is replaced; permissions stay. What earlier
/// writers of the same file left because they were killed is removed.
///
/// # Errors
/// When something else than a file is at `path`, it is read-only or a link to nothing, or it can't be written.
pub fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    Target::of(path)?.write(content)
}

/// The file that a path leads to, which need not be there yet.
pub(crate) struct Target {
    path: PathBuf,
    /// Of the file that is there.
    permissions: Option<Permissions>,
}

impl Target {
    /// # Errors
    /// When nothing can be written there.
    pub(crate) fn of(path: &Path) -> io::Result<Target> {
        let refused = |reason: &str| Err(io::Error::new(ErrorKind::InvalidInput, reason));
        match fs::metadata(path) {
            Ok(present) if !present.is_file() => refused("it isn't a file"),
            Ok(present) if present.permissions().readonly() => refused("it is read-only"),
            Ok(present) => Ok(Target { path: fs::canonicalize(path)?, permissions: Some(present.permissions()) }),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                // Another writer may have made it by now, so it's not enough that something is there.
                if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
                    return refused("it is a link to a file that isn't there");
                }
                let Some(name) = path.file_name() else { return refused("it names no file") };
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let folder = fs::canonicalize(folder)
                    .map_err(|e| io::Error::new(e.kind(), format!("its folder `{}`: {e}", folder.display())))?;
                Ok(Target { path: folder.join(name), permissions: None })
            }
            Err(e) => Err(e),
        }
    }

    /// As [`write`].
    pub(crate) fn write(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.clear_predecessors();
        let (temporary, file) = self.create_beside()?;
        // The file stays open, and so locked, until it has its name.
        let written = self.fill(file, content).and_then(|file| fs::rename(&temporary, &self.path).map(|()| drop(file)));
        if written.is_err() {
            // What is reported is why it couldn't be written, not what became of the rest.
            let _ = fs::remove_file(&temporary);
            return written;
        }
        sync_folder(self.folder());
        Ok(())
    }

    /// Finds out whether files can be made in its folder, which [`Target::write`] needs.
    pub(crate) fn check_folder(&self) -> io::Result<()> {
        let (temporary, file) = self.create_beside()?;
        drop(file);
        fs::remove_file(temporary)
    }

    /// A hidden file beside it.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.hidden_name();
        name.push(ending);
        self.path.with_file_name(name)
    }

    /// What the names of hidden files beside it begin with. A long name is its checksum there.
    fn hidden_name(&self) -> OsString {
        let name = self.path.file_name().unwrap_or_default();
        let mut hidden = OsString::from(".");
        match name.len() {
            0..=LONGEST_NAME => hidden.push(name),
            _ => hidden.push(format!("{:08x}", crc32fast::hash(name.as_encoded_bytes()))),
        }
        hidden
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// A new file, locked as long as it is open: so others see that its writer is still there.
    fn create_beside(&self) -> io::Result<(PathBuf, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = self.beside(&format!(".{}-{number}{ENDING}", std::process::id()));
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // Between the two, another writer may have taken it for one that was left. Where files can't be locked, none
            // is ever taken so.
            let is_taken = matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
            if !is_taken && is_at(&file, &path)? {
                return Ok((path, file));
            }
        }
    }

    /// Removes the files of writers that were killed. The system unlocked them.
    fn clear_predecessors(&self) {
        let Ok(entries) = fs::read_dir(self.folder()) else { return };
        let prefix = self.hidden_name();
        for entry in entries.flatten() {
            if is_part_of(entry.file_name().as_encoded_bytes(), prefix.as_encoded_bytes())
                && entry.file_type().is_ok_and(|kind| kind.is_file())
            {
                // One that can't be removed does no harm.
                let _ = remove_if_left(&entry.path());
            }
        }
    }

    fn fill(&self, file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<File> {
        if let Some(permissions) = &self.permissions {
            file.set_permissions(permissions.clone())?;
        }
        let mut writer = BufWriter::new(file);
        content(&mut writer)?;
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file)
    }
}

/// Whether this is the name of a file that is being written: `PREFIX.PID-NUMBER.part`.
fn is_part_of(name: &[u8], prefix: &[u8]) -> bool {
    let middle = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(ENDING.as_bytes()));
    let numbers = middle.and_then(|middle| middle.strip_prefix(b"."));
    let Some(numbers) = numbers else { return false };
    let mut numbers = numbers.split(|&byte| byte == b'-');
    let mut is_number = || numbers.next().is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit));
    is_number() && is_number() && numbers.next().is_none()
}

fn remove_if_left(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    if file.try_lock().is_ok() && is_at(&file, path)? {
        // Elsewhere an open file can't be removed.
        let _locked = cfg!(unix).then_some(file);
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Whether the file that was opened at a path is still there.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (opened.dev(), opened.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(not(unix))]
pub(crate) fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Makes the new name last through a loss of power, where the system lets a folder be opened for that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
