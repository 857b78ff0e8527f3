//! Files that are written whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file beside `path`, and gives it that name when all of it has reached the disk. Whatever goes wrong before,
/// what was at `path` stays. Where that is a link, the file that it leads to is replaced; permissions stay.
pub(crate) fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let refused = |reason| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    let present = match fs::metadata(path) {
        Ok(present) if !present.is_file() => return refused("something else than a file is there"),
        Ok(present) if present.permissions().readonly() => return refused("it is read-only"),
        present => present.ok(),
    };
    let target = if present.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    if target.file_name().is_none() {
        return refused("the path doesn't end in a file's name");
    }
    let folder = folder_of(&target);
    let (temporary, file) = create_beside(folder)?;
    let written = fill(file, present.map(|p| p.permissions()), content).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // What is reported is why it couldn't be written, not what became of the rest.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    sync_folder(folder);
    Ok(())
}

/// Finds out whether files can be made in the folder of `path`, which [`write`] needs.
pub(crate) fn check_folder(path: &Path) -> io::Result<()> {
    let (temporary, _) = create_beside(folder_of(path))?;
    fs::remove_file(temporary)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn create_beside(folder: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{}-{number}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (path, file)),
        }
    }
}

fn fill(
    file: File,
    permissions: Option<Permissions>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    let mut writer = BufWriter::new(file);
    content(&mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Makes the new name last through a loss of power, where the system lets a folder be opened for that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
