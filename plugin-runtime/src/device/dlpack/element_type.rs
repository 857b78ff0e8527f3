//! DLPack's element types.

use super::abi::DLDataType;
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// Each type with its code and bits.
const TYPES: [(DataType, u8, u8); 9] = [
    (DataType::Float32, 2, 32),
    (DataType::Float16, 2, 16),
    (DataType::BFloat16, 4, 16),
    (DataType::Float8, 10, 8),
    (DataType::Int64, 0, 64),
    (DataType::Int32, 0, 32),
    (DataType::Int8, 0, 8),
    (DataType::UInt8, 1, 8),
    (DataType::Bool, 6, 8),
];

/// The names of codes. To those before `float8_e3m4` the bits are added.
const NAMES: [&str; 18] = [
    "int",
    "uint",
    "float",
    "opaque",
    "bfloat",
    "complex",
    "bool",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float4_e2m1fn",
];

/// The codes whose names need the bits.
const NEED_BITS: usize = 7;

/// # Errors
/// When there is no such type here: says which it is.
pub(crate) fn from_dlpack(dtype: DLDataType) -> Result<DataType> {
    let known = TYPES.iter().find(|(_, code, bits)| (*code, *bits, 1) == (dtype.code, dtype.bits, dtype.lanes));
    known
        .map(|(known, ..)| *known)
        .ok_or_else(|| Error::invalid(format_args!("its elements are {}; taken are {}", name(dtype), names_of_types())))
}

/// # Errors
/// When DLPack has no such type.
pub(crate) fn to_dlpack(dtype: DataType) -> Result<DLDataType> {
    let known = TYPES.iter().find(|(known, ..)| *known == dtype);
    known.map(|&(_, code, bits)| DLDataType { code, bits, lanes: 1 }).ok_or_else(|| {
        Error::invalid(format_args!("{dtype} can't be given through DLPack; what can is {}", names_of_types()))
    })
}

fn names_of_types() -> String {
    TYPES.map(|(dtype, ..)| dtype.name()).join(", ")
}

fn name(dtype: DLDataType) -> String {
    let DLDataType { code, bits, lanes } = dtype;
    let of_one = match NAMES.get(usize::from(code)) {
        Some(name) if usize::from(code) < NEED_BITS => format!("{name}{bits}"),
        Some(name) => format!("{name} in {bits} bits"),
        None => format!("of type code {code} in {bits} bits"),
    };
    if lanes == 1 { of_one } else { format!("{lanes} times {of_one}") }
}
