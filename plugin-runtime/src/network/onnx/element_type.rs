//! ONNX's element types, by their numbers.

use crate::error::{Error, Result};
use crate::tensor::DataType;

pub(super) const FLOAT: i32 = 1;
pub(super) const UINT8: i32 = 2;
pub(super) const INT8: i32 = 3;
pub(super) const UINT16: i32 = 4;
pub(super) const INT16: i32 = 5;
pub(super) const INT32: i32 = 6;
pub(super) const INT64: i32 = 7;
pub(super) const BOOL: i32 = 9;
pub(super) const FLOAT16: i32 = 10;
pub(super) const DOUBLE: i32 = 11;
pub(super) const UINT32: i32 = 12;
pub(super) const UINT64: i32 = 13;
pub(super) const BFLOAT16: i32 = 16;
pub(super) const FLOAT8E4M3FN: i32 = 17;
pub(super) const INT4: i32 = 22;

/// A type's name stands at its number.
const NAMES: [&str; 29] = [
    "UNDEFINED",
    "FLOAT",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "BOOL",
    "FLOAT16",
    "DOUBLE",
    "UINT32",
    "UINT64",
    "COMPLEX64",
    "COMPLEX128",
    "BFLOAT16",
    "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ",
    "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ",
    "UINT4",
    "INT4",
    "FLOAT4E2M1",
    "FLOAT8E8M0",
    "UINT2",
    "INT2",
    "FLOAT6E2M3",
    "FLOAT6E3M2",
];

pub(crate) const fn code(dtype: DataType) -> i32 {
    match dtype {
        DataType::Float32 => FLOAT,
        DataType::Float16 => FLOAT16,
        DataType::BFloat16 => BFLOAT16,
        DataType::Float8 => FLOAT8E4M3FN,
        DataType::Int64 => INT64,
        DataType::Int32 => INT32,
        DataType::Int8 => INT8,
        DataType::UInt8 => UINT8,
        DataType::Int4 => INT4,
        DataType::Bool => BOOL,
    }
}

/// As ONNX calls it.
pub(crate) fn name(code: i32) -> String {
    let known = usize::try_from(code).ok().and_then(|c| NAMES.get(c));
    known.map_or_else(|| format!("element type {code}, which ONNX doesn't define"), |name| (*name).to_owned())
}

pub(crate) fn data_type(code: i32) -> Result<DataType> {
    DataType::ALL.into_iter().find(|&dtype| self::code(dtype) == code).ok_or_else(|| {
        let supported: Vec<String> = DataType::ALL.into_iter().map(|dtype| name(self::code(dtype))).collect();
        Error::invalid(format_args!("{} isn't supported; these are: {}", name(code), supported.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_data_type_has_its_number_and_name() {
        let names = ["FLOAT", "FLOAT16", "BFLOAT16", "FLOAT8E4M3FN", "INT64", "INT32", "INT8", "UINT8", "INT4", "BOOL"];
        for (dtype, expected) in DataType::ALL.into_iter().zip(names) {
            assert_eq!((name(code(dtype)).as_str(), data_type(code(dtype)).unwrap()), (expected, dtype));
        }
        assert_eq!((name(DOUBLE), name(UINT64)), ("DOUBLE".into(), "UINT64".into()));
        for (code, expected) in [(8, "STRING"), (21, "UINT4"), (0, "UNDEFINED"), (99, "element type 99"), (-1, "-1")] {
            let message = data_type(code).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("FLOAT8E4M3FN"), "{message}");
        }
    }
}
