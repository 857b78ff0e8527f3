//! Element types in XLA's numbers.

use crate::error::{Error, Result};
use crate::tensor::DataType;

/// # Errors
/// For a type that plugins can't have.
#[inline]
pub(super) fn data_type(number: i32) -> Result<DataType> {
    Ok(match number {
        1 => DataType::Bool,
        2 => DataType::Int8,
        4 => DataType::Int32,
        5 => DataType::Int64,
        6 => DataType::UInt8,
        10 => DataType::Float16,
        11 => DataType::Float32,
        16 => DataType::BFloat16,
        20 => DataType::Float8,
        other => return Err(unknown(other)),
    })
}

#[cold]
fn unknown(number: i32) -> Error {
    let name = match number {
        3 => "int16",
        7 => "uint16",
        8 => "uint32",
        9 => "uint64",
        12 => "float64",
        15 => "complex64",
        18 => "complex128",
        19 => "float8_e5m2",
        21 => "int4",
        22 => "uint4",
        _ => return Error::invalid(format_args!("its element type, {number} in XLA's numbers, isn't one of plugins")),
    };
    let known = DataType::ALL.map(DataType::name);
    Error::invalid(format_args!("it is of {name}; plugins have {}", known.join(", ")))
}
