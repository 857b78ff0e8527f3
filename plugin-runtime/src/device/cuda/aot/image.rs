//! Images of AOT kernels: source, PTX or cubins.

use crate::device::cuda::Source;

/// An image of kernels: CUDA C++ that is compiled when an engine is built, or PTX or cubins compiled before.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum AotImage {
    /// CUDA C++, compiled when an engine is built, for each architecture that it is built for.
    Source(&'static Source),
    /// PTX, which the driver compiles when an engine is loaded. It runs on its own architecture and all later ones.
    Ptx(Vec<u8>),
    /// Machine code, one cubin per architecture.
    Cubins(Vec<Vec<u8>>),
}

impl From<&'static Source> for AotImage {
    fn from(source: &'static Source) -> Self {
        source.image.map_or(AotImage::Source(source), AotImage::from)
    }
}

impl From<Vec<u8>> for AotImage {
    /// A cubin where the bytes begin as one, else PTX.
    fn from(bytes: Vec<u8>) -> Self {
        const ELF: [u8; 4] = *b"\x7fELF";
        if bytes.starts_with(&ELF) { AotImage::Cubins(vec![bytes]) } else { AotImage::Ptx(bytes) }
    }
}

impl From<&[u8]> for AotImage {
    /// As of a `Vec<u8>`.
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<[u8; N]> for AotImage {
    /// As of a `Vec<u8>`.
    fn from(bytes: [u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<&[u8; N]> for AotImage {
    /// As of a `Vec<u8>`; for `include_bytes!`.
    fn from(bytes: &[u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<&str> for AotImage {
    /// PTX.
    fn from(ptx: &str) -> Self {
        AotImage::Ptx(ptx.as_bytes().to_vec())
    }
}

impl From<String> for AotImage {
    /// PTX.
    fn from(ptx: String) -> Self {
        AotImage::Ptx(ptx.into_bytes())
    }
}

impl From<Vec<Vec<u8>>> for AotImage {
    /// Cubins, one for each architecture.
    fn from(cubins: Vec<Vec<u8>>) -> Self {
        AotImage::Cubins(cubins)
    }
}
