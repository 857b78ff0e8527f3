//! For both directions: codes of types and layouts, counts, and places in errors.

use crate::error::{Error, Result};
use crate::tensor::{DataType, Format};

pub(super) fn dtype_code(dtype: DataType) -> u32 {
    match dtype {
        DataType::Float32 => 1,
        DataType::Float16 => 2,
        DataType::BFloat16 => 3,
        DataType::Float8 => 4,
        DataType::Int64 => 5,
        DataType::Int32 => 6,
        DataType::Int8 => 7,
        DataType::UInt8 => 8,
        DataType::Int4 => 9,
        DataType::Bool => 10,
    }
}

pub(super) fn format_code(format: Format) -> u32 {
    match format {
        Format::Linear => 1,
        Format::Chw2 => 2,
        Format::Chw4 => 3,
        Format::Chw16 => 4,
        Format::Chw32 => 5,
        Format::Hwc => 6,
        Format::Hwc8 => 7,
        Format::Hwc16 => 8,
        Format::Dhwc => 9,
        Format::Dhwc8 => 10,
        Format::Cdhw32 => 11,
    }
}

pub(super) fn dtype(code: u32) -> Result<DataType, String> {
    let known = DataType::ALL.into_iter().find(|dtype| dtype_code(*dtype) == code);
    known.ok_or_else(|| format!("{code} is no element type; they are 1 to {}", DataType::ALL.len()))
}

pub(super) fn format(code: u32) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format_code(*format) == code);
    known.ok_or_else(|| format!("{code} is no layout; they are 1 to {}", Format::ALL.len()))
}

pub(super) fn count(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::invalid(format_args!("{number} is more than a file can count")))
}

/// An index counted from 1, and 0 for none.
pub(super) fn index_or_0(index: Option<usize>) -> Result<u32> {
    index.map_or(Ok(0), |index| count(index.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_layouts_are_read_back() {
        assert_eq!(DataType::ALL.map(|known| dtype(dtype_code(known))), DataType::ALL.map(Ok));
        assert_eq!(Format::ALL.map(|known| format(format_code(known))), Format::ALL.map(Ok));
        assert!(dtype(0).is_err() && format(0).is_err());
    }
}
