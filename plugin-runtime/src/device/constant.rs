//! The constants of an engine.

use std::ops::Range;
use std::sync::Arc;

use super::map::FileBytes;
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::tensor::{DataType, HostBytes, HostTensor};

/// A constant of an engine, row-major: in memory of its own, or where it lies in the file that the engine came from.
#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Owned(HostTensor),
    InFile(ConstantInFile),
}

#[derive(Clone, Debug)]
pub(crate) struct ConstantInFile {
    file: Arc<FileBytes>,
    range: Range<usize>,
    dtype: DataType,
    dims: Dims,
    checksum: u32,
}

impl ConstantInFile {
    /// `checksum` is what the bytes should have: see [`Constant::verify`].
    pub(crate) fn new(
        file: Arc<FileBytes>,
        range: Range<usize>,
        (dtype, dims): (DataType, Dims),
        checksum: u32,
    ) -> Result<Self> {
        if !range.start.is_multiple_of(HostBytes::ALIGNMENT) || file.get(range.clone()).is_none() {
            return Err(Error::invalid(format_args!("bytes {range:?} of a file can't hold a constant")));
        }
        Ok(ConstantInFile { file, range, dtype, dims, checksum })
    }

    fn bytes(&self) -> &[u8] {
        self.file.get(self.range.clone()).unwrap_or_default()
    }
}

impl Constant {
    pub(crate) fn dtype(&self) -> DataType {
        match self {
            Constant::Owned(tensor) => tensor.dtype(),
            Constant::InFile(constant) => constant.dtype,
        }
    }

    pub(crate) fn shape(&self) -> Dims {
        match self {
            Constant::Owned(tensor) => tensor.extents(),
            Constant::InFile(constant) => constant.dims,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Constant::Owned(tensor) => tensor.bytes(),
            Constant::InFile(constant) => constant.bytes(),
        }
    }

    /// The checksum that a file says; for a constant that came from none, that of its bytes.
    pub(crate) fn checksum(&self) -> u32 {
        match self {
            Constant::Owned(tensor) => crc32fast::hash(tensor.bytes()),
            Constant::InFile(constant) => constant.checksum,
        }
    }

    /// Whether the bytes are those that were saved. Reads them all.
    pub(crate) fn verify(&self) -> Result<()> {
        let Constant::InFile(constant) = self else { return Ok(()) };
        let (expected, found) = (constant.checksum, crc32fast::hash(constant.bytes()));
        if found == expected {
            return Ok(());
        }
        Err(Error::invalid(format_args!("it is damaged: its checksum is {found:08x}, but {expected:08x} was saved")))
    }
}
