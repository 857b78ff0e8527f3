//! Compiled kernels, kept on disk.
//!
//! One file per program, in the folder that `PLUGIN_RUNTIME_CACHE` names (empty: nothing is kept), else
//! `$XDG_CACHE_HOME/plugin-runtime`, else `$HOME/.cache/plugin-runtime`. A file holds everything that its machine code
//! depends on, save the texts of headers outside the program, so that no other program ever gets it. Nothing is ever
//! removed: delete the folder when it has grown too large.
//!
//! Where there is a compiler, its version and the folders of its headers count; they are remembered in a file, so that it isn't
//! loaded for code that is kept already. Where there is none, code that any
//! version made of the program is used, the newest first.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::nvrtc::{Request, Version};
use crate::whole_file;

/// The first bytes of every file; the digit is the format's version.
const MAGIC: &[u8; 8] = b"PRCUBIN1";
/// Larger files aren't read: no program is of that size.
const MAX_FILE_BYTES: u64 = 1 << 30;
const CHECKSUM_BYTES: usize = 4;

/// The beginning of an option that names a folder of headers.
pub(super) const INCLUDE_PATH: &str = "--include-path=";

/// The folder of compiled kernels.
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
    pub(super) fn new(request: &Request, compiler: Version) -> Key {
        let mut settings = Vec::new();
        settings.extend(compiler.0.to_le_bytes());
        settings.extend(compiler.1.to_le_bytes());
        push_strings(&mut settings, request.options.iter().map(String::as_str));
        let mut code = code_of(request);
        let checksums = (crc32fast::hash(&code), crc32fast::hash(&settings));
        let file_name = format!("{:08x}{:08x}{}", checksums.0, checksums.1, ending_of(&code));
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

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The machine code under this key. A damaged file, or another key's, counts as none.
    pub(super) fn load(&self, key: &Key) -> Option<Vec<u8>> {
        image_in(read(&self.path(key))?, &key.bytes)
    }

    /// The machine code of a program by any version of the compiler, with whatever folders of headers; of several the
    /// newest's.
    pub(super) fn load_of_any_compiler(&self, request: &Request) -> Option<Vec<u8>> {
        let code = code_of(request);
        let (beginning, ending) = (format!("{:08x}", crc32fast::hash(&code)), ending_of(&code));
        let wanted: Vec<&str> = request.options.iter().map(String::as_str).filter(is_setting).collect();
        let mut found: Option<(Version, Vec<u8>)> = None;
        for file in fs::read_dir(&self.folder).ok()?.flatten() {
            let name = file.file_name();
            if !name.to_str().is_some_and(|name| name.starts_with(&beginning) && name.ends_with(&ending)) {
                continue;
            }
            let Some(content) = read(&file.path()) else { continue };
            let Some((version, key)) = key_in(&content, &code, &wanted) else { continue };
            if found.as_ref().is_none_or(|(newest, _)| version > *newest)
                && let Some(image) = image_in(content.clone(), &key)
            {
                found = Some((version, image));
            }
        }
        found.map(|(_, image)| image)
    }

    /// Stores machine code under a key; does nothing where it can't be written.
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

fn read(path: &Path) -> Option<Vec<u8>> {
    // Opening something else than a file could wait forever.
    let present = fs::metadata(path).ok()?;
    if !present.is_file() || present.len() > MAX_FILE_BYTES {
        return None;
    }
    let mut content = Vec::new();
    File::open(path).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut content).ok()?;
    Some(content)
}

/// The part of a key that doesn't depend on the compiler and its options.
fn code_of(request: &Request) -> Vec<u8> {
    let mut code = Vec::new();
    push_strings(&mut code, [request.name, request.text].into_iter());
    push_strings(&mut code, request.headers.iter().flat_map(|header| [header.0, header.1]));
    code
}

/// The end of the names of all files that hold this code.
fn ending_of(code: &[u8]) -> String {
    format!("-{:x}.cubin", code.len())
}

/// Whether an option says something else than where headers are.
fn is_setting(option: &&str) -> bool {
    !option.starts_with(INCLUDE_PATH)
}

/// The compiler's version and the key of a file, if that holds this code, compiled with these settings.
fn key_in(content: &[u8], code: &[u8], wanted: &[&str]) -> Option<(Version, Vec<u8>)> {
    let rest = content.strip_prefix(MAGIC)?;
    let (key_len, rest) = rest.split_first_chunk::<8>()?;
    let (_image_len, rest) = rest.split_first_chunk::<8>()?;
    let key = rest.get(..usize::try_from(u64::from_le_bytes(*key_len)).ok()?)?;
    let settings = key.strip_suffix(code)?;
    let (major, settings) = settings.split_first_chunk::<4>()?;
    let (minor, settings) = settings.split_first_chunk::<4>()?;
    let (count, mut settings) = settings.split_first_chunk::<8>()?;
    let mut wanted = wanted.iter();
    for _ in 0..u64::from_le_bytes(*count) {
        let (len, rest) = settings.split_first_chunk::<8>()?;
        let (option, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
        settings = rest;
        let option = std::str::from_utf8(option).ok()?;
        if is_setting(&option) && wanted.next() != Some(&option) {
            return None;
        }
    }
    let whole = settings.is_empty() && wanted.next().is_none();
    whole.then(|| ((u32::from_le_bytes(*major), u32::from_le_bytes(*minor)), key.to_vec()))
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
