//! Files as memory.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::Result;
use crate::tensor::HostBytes;

/// The bytes of a file, the first of them aligned to at least [`HostBytes::ALIGNMENT`].
#[derive(Debug)]
pub(crate) enum FileBytes {
    /// Read where they lie; pages come into memory as they are touched.
    Mapped(memmap2::Mmap),
    /// In memory of their own.
    Copied(HostBytes),
}

impl FileBytes {
    /// Maps an ordinary file. Nobody may write to it or cut it short while this lives; to replace it by another file
    /// of the same name does no harm.
    pub(crate) fn map(path: &Path) -> io::Result<Self> {
        let ordinary = |data: fs::Metadata| match data.is_file() {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it isn't an ordinary file")),
        };
        // Asked before it is opened: to open a pipe would wait for its other end.
        ordinary(fs::metadata(path)?)?;
        let file = File::open(path)?;
        ordinary(file.metadata()?)?;
        // SAFETY: the map is only read. That the file isn't changed in place meanwhile can't be enforced: it is asked of
        // callers, here and where engines are loaded, and files that this crate saves are replaced as a whole.
        #[expect(unsafe_code, reason = "a file can be changed by others while it is mapped")]
        let map = unsafe { memmap2::Mmap::map(&file) }?;
        Ok(FileBytes::Mapped(map))
    }

    /// A copy of bytes.
    pub(crate) fn copy(bytes: &[u8]) -> Result<Self> {
        let mut copy = HostBytes::zeroed(bytes.len())?;
        copy.copy_from_slice(bytes);
        Ok(FileBytes::Copied(copy))
    }
}

impl std::ops::Deref for FileBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(map) => map,
            FileBytes::Copied(bytes) => bytes,
        }
    }
}
