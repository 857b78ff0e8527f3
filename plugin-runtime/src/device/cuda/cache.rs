//! Compiled kernels, kept on disk.
//!
//! One file a program, in the folder that `PLUGIN_RUNTIME_CACHE` names (empty: nothing is kept), else
//! `$XDG_CACHE_HOME/plugin-runtime`, else `$HOME/.cache/plugin-runtime`. A file holds everything that its machine code
//! depends on, save the texts of headers outside the program, so that no other program ever gets it. Nothing is ever
//! removed: delete the folder when it has grown too large.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use super::nvrtc::Request;
use crate::whole_file;

/// The first bytes of every file; the digit is the format's version.
const MAGIC: &[u8; 8] = b"PRCUBIN1";
/// Larger files aren't read: no program is of that size.
const MAX_FILE_BYTES: u64 = 1 << 30;
const CHECKSUM_BYTES: usize = 4;

/// Where compiled kernels are kept.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// Everything that a program's machine code depends on.
pub(super) struct Key {
    bytes: Vec<u8>,
    file_name: String,
}

impl Key {
    /// The architecture is among the request's options.
    pub(super) fn new(request: &Request, compiler: (u32, u32)) -> Key {
        let mut settings = Vec::new();
        settings.extend(compiler.0.to_le_bytes());
        settings.extend(compiler.1.to_le_bytes());
        push_strings(&mut settings, request.options.iter().map(String::as_str));
        let mut code = Vec::new();
        push_strings(&mut code, [request.name, request.text].into_iter());
        push_strings(&mut code, request.headers.iter().flat_map(|header| [header.0, header.1]));

        let checksums = (crc32fast::hash(&code), crc32fast::hash(&settings));
        let file_name = format!("{:08x}{:08x}-{:x}.cubin", checksums.0, checksums.1, code.len());
        settings.append(&mut code);
        Key { bytes: settings, file_name }
    }
}

impl Cache {
    /// The cache that the environment names, if any.
    pub(super) fn from_environment(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Cache> {
        if let Some(folder) = variable("PLUGIN_RUNTIME_CACHE") {
            return (!folder.is_empty()).then(|| Cache { folder: folder.into() });
        }
        let base = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let home = || variable("HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let base = base.or_else(|| Some(home()?.join(".cache")))?;
        Some(Cache { folder: base.join("plugin-runtime") })
    }

    /// What was kept under this key. A file that is damaged, or another's, is as good as none.
    pub(super) fn load(&self, key: &Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        // Opening something else than a file could wait forever.
        let present = fs::metadata(&path).ok()?;
        if !present.is_file() || present.len() > MAX_FILE_BYTES {
            return None;
        }
        let mut content = Vec::new();
        File::open(&path).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut content).ok()?;
        image_in(content, &key.bytes)
    }

    /// Keeps what belongs to a key. Where that can't be written, nothing is kept.
    pub(super) fn store(&self, key: &Key, image: &[u8]) {
        let mut content = Vec::new();
        content.extend(MAGIC);
        content.extend(length_of(&key.bytes));
        content.extend(length_of(image));
        content.extend(&key.bytes);
        content.extend(image);
        content.extend(crc32fast::hash(&content).to_le_bytes());
        if fs::create_dir_all(&self.folder).is_ok() {
            // It is compiled again the next time.
            let _ = whole_file::write(&self.path(key), |file| file.write_all(&content));
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.file_name)
    }
}

fn image_in(mut content: Vec<u8>, key: &[u8]) -> Option<Vec<u8>> {
    let mut header = Vec::from(MAGIC);
    header.extend(length_of(key));
    let image_at = header.len() + size_of::<u64>() + key.len();
    let image_end = content.len().checked_sub(CHECKSUM_BYTES)?;
    let image = content.get(image_at..image_end)?;
    header.extend(length_of(image));
    header.extend(key);
    let checksum = crc32fast::hash(&content[..image_end]).to_le_bytes();
    if content[..image_at] != header || content[image_end..] != checksum {
        return None;
    }
    content.truncate(image_end);
    content.drain(..image_at);
    Some(content)
}

fn push_strings<'a>(bytes: &mut Vec<u8>, strings: impl Iterator<Item = &'a str>) {
    let at = bytes.len();
    bytes.extend(0u64.to_le_bytes());
    let mut count = 0u64;
    for string in strings {
        bytes.extend(length_of(string.as_bytes()));
        bytes.extend(string.as_bytes());
        count += 1;
    }
    bytes[at..at + size_of::<u64>()].copy_from_slice(&count.to_le_bytes());
}

fn length_of(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_le_bytes()
}

#[cfg(test)]
mod tests;
