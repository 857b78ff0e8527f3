//! Element types and layouts in the host's numbers.

use crate::error::{Error, Result};
use crate::tensor::{DataType, Format};

/// By the host's number.
const TYPES: [DataType; 10] = [
    DataType::Float32,
    DataType::Float16,
    DataType::Int8,
    DataType::Int32,
    DataType::Bool,
    DataType::UInt8,
    DataType::Float8,
    DataType::BFloat16,
    DataType::Int64,
    DataType::Int4,
];

/// By the host's number; those of its other processors are `None`.
const FORMATS: [Option<Format>; 13] = [
    Some(Format::Linear),
    Some(Format::Chw2),
    Some(Format::Hwc8),
    Some(Format::Chw4),
    Some(Format::Chw16),
    Some(Format::Chw32),
    Some(Format::Dhwc8),
    Some(Format::Cdhw32),
    Some(Format::Hwc),
    None,
    None,
    Some(Format::Hwc16),
    Some(Format::Dhwc),
];

/// # Errors
/// For a type that plugins can't have.
pub(super) fn data_type(number: i32) -> Result<DataType> {
    usize::try_from(number).ok().and_then(|number| TYPES.get(number)).copied().ok_or_else(|| {
        let name = match number {
            10 => " (FP4)",
            11 => " (E8M0)",
            _ => "",
        };
        Error::invalid(format_args!("element type {number}{name} isn't one that plugins can have"))
    })
}

/// A type in the host's numbers.
pub(super) fn type_number(dtype: DataType) -> Result<i32> {
    let number = TYPES.iter().position(|known| *known == dtype).and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| Error::invalid(format_args!("TensorRT has no {dtype}")))
}

/// A layout that both know; `None` for those that plugins can't have.
pub(super) fn format(number: i32) -> Option<Format> {
    usize::try_from(number).ok().and_then(|number| FORMATS.get(number)).copied().flatten()
}

/// A layout in the host's numbers.
pub(super) fn format_number(format: Format) -> Result<i32> {
    let number = FORMATS.iter().position(|known| *known == Some(format)).and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| Error::invalid(format_args!("TensorRT has no layout {format}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_and_layout_of_plugins_has_a_number() {
        for dtype in DataType::ALL {
            assert_eq!(data_type(type_number(dtype).unwrap()).unwrap(), dtype);
        }
        assert!(Format::ALL.iter().all(|wanted| format(format_number(*wanted).unwrap()) == Some(*wanted)));
        assert_eq!(
            [format(5), format(6), format(9), format(12)],
            [Some(Format::Chw32), Some(Format::Dhwc8), None, Some(Format::Dhwc)]
        );
    }

    #[test]
    fn other_numbers_are_refused() {
        assert_eq!(data_type(10).unwrap_err().to_string(), "element type 10 (FP4) isn't one that plugins can have");
        assert!([-1, 12, i32::MIN, i32::MAX].into_iter().all(|number| data_type(number).is_err()));
        assert!([-1, 13, i32::MIN, i32::MAX].into_iter().all(|number| format(number).is_none()));
    }
}
