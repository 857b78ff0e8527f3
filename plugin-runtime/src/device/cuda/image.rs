//! Compiled kernels, as the driver loads them.

use std::sync::Arc;

/// What an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// Machine code for one architecture.
    Cubin,
    /// NVIDIA's portable assembly, which the driver compiles.
    Ptx,
    /// Several of them.
    Fatbin,
}

/// Compiled kernels. PTX ends in NUL, as the driver demands.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    bytes: Arc<[u8]>,
    kind: ImageKind,
}

impl Image {
    pub(crate) fn cubin(bytes: &[u8]) -> Image {
        Image { bytes: bytes.into(), kind: ImageKind::Cubin }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn kind(&self) -> ImageKind {
        self.kind
    }
}
