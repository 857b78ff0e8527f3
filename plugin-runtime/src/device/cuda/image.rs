//! Compiled kernels, as the driver loads them.
//!
//! Images come from strangers too, within engine files: whatever is in one, reading it gives an answer or nothing.

mod cubin;
mod ptx;

use std::sync::Arc;

use super::{Architecture, Instance, KernelEntry, Source};
use crate::error::{Error, Result};
use crate::suggest::did_you_mean;

const FATBIN_MAGIC: [u8; 4] = 0xBA55_ED50_u32.to_le_bytes();

/// The kind of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageKind {
    /// Machine code for one architecture.
    Cubin,
    /// NVIDIA's portable assembly, which the driver compiles.
    Ptx,
    /// Several of these.
    Fatbin,
}

/// Compiled kernels.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    bytes: Arc<[u8]>,
    kind: ImageKind,
}

/// A kernel's name, and the sizes of its parameters in bytes, where the image tells.
pub(crate) type KernelSizes<'i> = (&'i str, Option<Vec<usize>>);

impl Image {
    /// Detects the kind of an image by its first bytes.
    ///
    /// # Errors
    /// When they are no image of any kind.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Image> {
        let kind = kind_of(bytes)?;
        let bytes = match kind {
            // The driver reads it up to a NUL.
            ImageKind::Ptx if bytes.last() != Some(&0) => [bytes, &[0]].concat().into(),
            _ => bytes.into(),
        };
        Ok(Image { bytes, kind })
    }

    /// As the driver takes them: PTX ends in NUL.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn kind(&self) -> ImageKind {
        self.kind
    }

    /// The architecture of a cubin; `None` for other kinds.
    pub(crate) fn architecture(&self) -> Option<Architecture> {
        (self.kind == ImageKind::Cubin).then(|| cubin::Cubin::read(&self.bytes)?.architecture())?
    }

    /// The kernels in it, where the image tells.
    pub(crate) fn kernel_names(&self) -> Option<Vec<&str>> {
        match self.kind {
            ImageKind::Cubin => Some(cubin::Cubin::read(&self.bytes)?.kernel_names()),
            ImageKind::Ptx => Some(ptx::entries(&self.bytes)?.into_iter().map(|entry| entry.name).collect()),
            ImageKind::Fatbin => None,
        }
    }

    /// The sizes of a kernel's parameters in bytes, where the image tells.
    pub(crate) fn parameters(&self, kernel: &str) -> Option<Vec<usize>> {
        match self.kind {
            ImageKind::Cubin => cubin::Cubin::read(&self.bytes)?.parameters(kernel),
            ImageKind::Ptx => ptx::entries(&self.bytes)?.into_iter().find(|entry| entry.name == kernel)?.parameters,
            ImageKind::Fatbin => None,
        }
    }

    /// All kernels in it, each with the sizes of its parameters in bytes, as far as the image tells.
    pub(crate) fn kernels(&self) -> Option<Vec<KernelSizes<'_>>> {
        match self.kind {
            ImageKind::Cubin => {
                let cubin = cubin::Cubin::read(&self.bytes)?;
                Some(cubin.kernel_names().into_iter().map(|name| (name, cubin.parameters(name))).collect())
            }
            ImageKind::Ptx => Some(ptx::entries(&self.bytes)?.into_iter().map(|e| (e.name, e.parameters)).collect()),
            ImageKind::Fatbin => None,
        }
    }

    /// The symbols of the kernels that are made of a source's templates, as far as the image tells.
    pub(crate) fn symbols(&self, source: &Source) -> Vec<(&'static str, String)> {
        if source.instances.is_empty() {
            return Vec::new();
        }
        let names = self.kernel_names().unwrap_or_default();
        let symbol = |instance: &Instance| names.iter().find(|name| name.starts_with(instance.symbol));
        source.instances.iter().filter_map(|i| Some((i.name, (*symbol(i)?).to_owned()))).collect()
    }

    /// Compares a kernel's declaration with what is in the image, as far as the image tells.
    ///
    /// # Errors
    /// When the kernel isn't in it, or takes something else.
    pub(crate) fn check(&self, declared: &KernelEntry) -> Result<()> {
        let symbols = self.symbols(declared.source);
        let symbol = symbols.iter().find(|(name, _)| *name == declared.name);
        let symbol = symbol.map_or(declared.name, |(_, symbol)| symbol);
        if let Some(names) = self.kernel_names()
            && !names.contains(&symbol)
        {
            return Err(Error::invalid(format_args!(
                "CUDA source `{}` has no kernel `{}`, that is, `extern \"C\" __global__ void {}(..)`; it has {}{}",
                declared.source.path().display(),
                declared.name,
                declared.name,
                list(names.iter().map(|name| format!("`{name}`"))),
                did_you_mean(declared.name, names.iter().copied().take(MAX_COMPARED))
            )));
        }
        match self.parameters(symbol) {
            Some(found) if !declared.parameters.iter().map(|p| p.bytes).eq(found.iter().copied()) => {
                Err(declared.differs_from(&found))
            }
            _ => Ok(()),
        }
    }
}

/// Among this many, one that was meant is looked for.
const MAX_COMPARED: usize = 1000;
/// At most this many are named.
const MAX_LISTED: usize = 32;

fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let number = items.len();
    match items.take(MAX_LISTED).collect::<Vec<_>>().join(", ") {
        _ if number == 0 => "none".to_owned(),
        names if number > MAX_LISTED => format!("{names} and {} more", number - MAX_LISTED),
        names => names,
    }
}

fn kind_of(bytes: &[u8]) -> Result<ImageKind> {
    if bytes.starts_with(b"\x7fELF") {
        return match cubin::Cubin::read(bytes) {
            Some(_) => Ok(ImageKind::Cubin),
            None => Err(Error::invalid("an ELF file that is no whole cubin, given as a CUDA image")),
        };
    }
    if bytes.starts_with(&FATBIN_MAGIC) {
        return match fatbin_bytes(bytes) {
            Some(needed) if needed <= bytes.len() as u64 => Ok(ImageKind::Fatbin),
            _ => Err(Error::invalid("a fatbin whose end is missing, given as a CUDA image")),
        };
    }
    if ptx::is_ptx(bytes) {
        return Ok(ImageKind::Ptx);
    }
    Err(Error::invalid(format_args!(
        "{} bytes that are no CUDA image: a cubin begins with `\\x7fELF`, a fatbin with `\\x50\\xED\\x55\\xBA`, and PTX \
         is text that begins with `.version`; these begin with `{}`",
        bytes.len(),
        bytes[..bytes.len().min(8)].escape_ascii()
    )))
}

/// The length of a fatbin by its own header, header included.
fn fatbin_bytes(bytes: &[u8]) -> Option<u64> {
    let header = u16::from_le_bytes(bytes.get(6..)?.first_chunk().copied()?);
    let content = u64::from_le_bytes(bytes.get(8..)?.first_chunk().copied()?);
    content.checked_add(header.into())
}

#[cfg(test)]
mod tests;
