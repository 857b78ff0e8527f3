//! Element types.

use half::{bf16, f16};

use crate::error::{Error, Result};
use crate::suggest::{no_such, same_text};

/// The type of a tensor's elements. Names in text are the field's own: `FP32`, `INT64`, ...
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DataType {
    /// IEEE 754 single precision (`FP32`).
    Float32,
    /// IEEE 754 half precision (`FP16`).
    Float16,
    /// bfloat16 (`BF16`).
    BFloat16,
    /// 8-bit float, 4 exponent and 3 mantissa bits (`FP8`).
    Float8,
    /// Signed 64-bit integer (`INT64`).
    Int64,
    /// Signed 32-bit integer (`INT32`).
    Int32,
    /// Signed 8-bit integer (`INT8`).
    Int8,
    /// Unsigned 8-bit integer (`UINT8`).
    UInt8,
    /// Signed 4-bit integer, two to a byte, the earlier element in the low half (`INT4`).
    Int4,
    /// A byte that is 0 or 1 (`BOOL`).
    Bool,
}

/// Which conversions make sense between two types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DataClass {
    /// FP32, FP16, BF16, FP8.
    Float,
    /// INT64, INT32, INT8, UINT8, INT4.
    Integer,
    /// BOOL.
    Bool,
}

impl DataType {
    /// Every type, in the order of declaration.
    pub const ALL: [DataType; 10] = [
        DataType::Float32,
        DataType::Float16,
        DataType::BFloat16,
        DataType::Float8,
        DataType::Int64,
        DataType::Int32,
        DataType::Int8,
        DataType::UInt8,
        DataType::Int4,
        DataType::Bool,
    ];

    /// The name used in combination strings and messages, e.g. `FP32`.
    pub const fn name(self) -> &'static str {
        match self {
            DataType::Float32 => "FP32",
            DataType::Float16 => "FP16",
            DataType::BFloat16 => "BF16",
            DataType::Float8 => "FP8",
            DataType::Int64 => "INT64",
            DataType::Int32 => "INT32",
            DataType::Int8 => "INT8",
            DataType::UInt8 => "UINT8",
            DataType::Int4 => "INT4",
            DataType::Bool => "BOOL",
        }
    }

    /// The Rust type that its elements are viewed as, see [`Element`]: `f32`, `bf16`, `u8` for `BOOL`.
    pub const fn rust_name(self) -> &'static str {
        match self {
            DataType::Float32 => f32::NAME,
            DataType::Float16 => f16::NAME,
            DataType::BFloat16 => bf16::NAME,
            DataType::Int64 => i64::NAME,
            DataType::Int32 => i32::NAME,
            DataType::Int8 => i8::NAME,
            DataType::Float8 | DataType::UInt8 | DataType::Int4 | DataType::Bool => u8::NAME,
        }
    }

    /// The type of that name, for constants.
    pub(crate) const fn from_name(name: &str) -> Option<DataType> {
        let mut i = 0;
        while i < DataType::ALL.len() {
            if same_text(DataType::ALL[i].name(), name) {
                return Some(DataType::ALL[i]);
            }
            i += 1;
        }
        None
    }

    /// Size of one element in bits: 4 for INT4, else a multiple of 8.
    pub const fn bits(self) -> u32 {
        match self {
            DataType::Int64 => 64,
            DataType::Float32 | DataType::Int32 => 32,
            DataType::Float16 | DataType::BFloat16 => 16,
            DataType::Float8 | DataType::Int8 | DataType::UInt8 | DataType::Bool => 8,
            DataType::Int4 => 4,
        }
    }

    /// Bytes that `elements` of this type occupy, or `None` above `u64::MAX`.
    pub const fn bytes_for(self, elements: u64) -> Option<u64> {
        match self {
            DataType::Int4 => Some(elements.div_ceil(2)),
            _ => elements.checked_mul((self.bits() / 8) as u64),
        }
    }

    /// Whether this is a float, an integer or a boolean.
    pub const fn class(self) -> DataClass {
        match self {
            DataType::Float32 | DataType::Float16 | DataType::BFloat16 | DataType::Float8 => DataClass::Float,
            DataType::Bool => DataClass::Bool,
            _ => DataClass::Integer,
        }
    }
}

impl std::fmt::Display for DataType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads what `Display` writes: names in capitals.
impl std::str::FromStr for DataType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = DataType::ALL.map(DataType::name);
        DataType::from_name(name).ok_or_else(|| Error::invalid(no_such("type", name, known)))
    }
}

mod sealed {
    pub trait Sealed {}
}

/// Rust types that a tensor's bytes can be viewed as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't an element type of tensors",
    label = "write `f32`, `f16`, `bf16`, `i64`, `i32`, `i8` or `u8`"
)]
pub trait Element: bytemuck::Pod + Send + Sync + sealed::Sealed {
    /// The name in messages.
    const NAME: &'static str;

    /// The type a new tensor of such elements has.
    const DTYPE: DataType;

    /// Whether a tensor of `dtype` may be viewed as a slice of this type.
    fn views(dtype: DataType) -> bool;

    /// The value in single precision. Integers are rounded to the nearest.
    fn to_f32(self) -> f32;

    /// The nearest value to one in single precision. For integers, the fraction is dropped, what is beyond their range
    /// becomes its end, and NaN 0.
    fn from_f32(value: f32) -> Self;
}

macro_rules! element {
    (@first $first:ident $(| $other:ident)*) => { DataType::$first };
    ($($rust:ident: $($dtype:ident)|+, $to:expr, $from:expr;)*) => {$(
        impl sealed::Sealed for $rust {}
        impl Element for $rust {
            const NAME: &'static str = stringify!($rust);
            const DTYPE: DataType = element!(@first $($dtype)|+);
            fn views(dtype: DataType) -> bool {
                matches!(dtype, $(DataType::$dtype)|+)
            }
            #[inline]
            fn to_f32(self) -> f32 {
                $to(self)
            }
            #[inline]
            fn from_f32(value: f32) -> Self {
                $from(value)
            }
        }
    )*};
}

element! {
    f32: Float32, std::convert::identity, std::convert::identity;
    f16: Float16, f16::to_f32, f16::from_f32;
    bf16: BFloat16, bf16::to_f32, bf16::from_f32;
    i64: Int64, |value| value as f32, |value| value as i64;
    i32: Int32, |value| value as f32, |value| value as i32;
    i8: Int8, f32::from, |value| value as i8;
    u8: UInt8 | Bool | Int4 | Float8, f32::from, |value| value as u8;
}

/// Evaluates a `Result` with `T` as the type that a tensor of a type is viewed as.
///
/// ```
/// use plugin_runtime::prelude::*;
///
/// fn negate(x: Tensor, y: TensorMut) -> Result<()> {
///     dispatch!(x.dtype(), T in [f32, f16, bf16] => {
///         for (y, x) in y.into_slice::<T>()?.iter_mut().zip(x.as_slice::<T>()?) {
///             *y = T::from_f32(-x.to_f32());
///         }
///         Ok(())
///     })
/// }
/// ```
///
/// For a type that isn't listed it is an error that says so.
#[macro_export]
macro_rules! dispatch {
    ($($tokens:tt)*) => {
        $crate::__private::dispatch!([$crate] $($tokens)*)
    };
}

/// The length of the array by which `dispatch!` reaches a type of its list.
#[doc(hidden)]
pub const fn is_element<T: Element>() -> usize {
    0
}

/// A type of the list of `dispatch!`, reached by [`is_element`].
#[doc(hidden)]
pub trait Chosen<T> {
    /// The type itself.
    type Element;
}

impl<T> Chosen<T> for [(); 0] {
    type Element = T;
}

/// The error of `dispatch!` for a type that isn't listed.
#[doc(hidden)]
#[cold]
pub fn no_such_element(dtype: DataType, listed: &[&str]) -> Error {
    let listed = listed.join(", ");
    Error::plugin(format_args!(
        "{dtype} isn't among the types written here: {listed}; list only these in autotune, or add it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn elements_convert_to_single_precision_and_back() {
        fn there_and_back<T: Element>(value: f32) -> f32 {
            T::from_f32(value).to_f32()
        }
        for value in [0.0, 1.0, 2.0, 127.0] {
            let all = [there_and_back::<f32>, there_and_back::<f16>, there_and_back::<bf16>, there_and_back::<i64>];
            let more = [there_and_back::<i32>, there_and_back::<i8>, there_and_back::<u8>];
            assert!(all.iter().chain(&more).all(|convert| convert(value) == value), "{value}");
        }
        assert_eq!([there_and_back::<i8>(300.7), there_and_back::<i8>(-1.9)], [127.0, -1.0]);
        assert_eq!([there_and_back::<u8>(-3.0), there_and_back::<i32>(f32::NAN)], [0.0, 0.0]);
        assert_eq!(there_and_back::<f16>(1.0 + 1.0 / 4096.0), 1.0, "to the nearest");
        assert_eq!(there_and_back::<bf16>(1.01), 1.0078125);
    }

    #[test]
    fn a_body_is_chosen_by_type() {
        fn bytes(dtype: DataType) -> crate::Result<usize> {
            crate::dispatch!(dtype, T in [f32, f16, u8] => Ok(size_of::<T>()))
        }
        assert_eq!(bytes(DataType::Float32).unwrap(), 4);
        assert_eq!(bytes(DataType::Float16).unwrap(), 2);
        assert_eq!(bytes(DataType::Bool).unwrap(), 1, "as it is viewed");
        let error = bytes(DataType::Int64).unwrap_err().to_string();
        assert_eq!(
            error,
            "INT64 isn't among the types written here: f32, f16, u8; list only these in autotune, or add it"
        );
    }

    #[test]
    fn names_are_read_back() {
        for dtype in DataType::ALL {
            assert_eq!(dtype.to_string().parse::<DataType>().unwrap(), dtype);
        }
        let error = |name: &str| name.parse::<DataType>().unwrap_err();
        assert_eq!(
            error("fp23").to_string(),
            "no type `fp23`; did you mean `FP32`?; expected one of `FP32`, `FP16`, `BF16`, `FP8`, `INT64`, `INT32`, `INT8`, \
             `UINT8`, `INT4`, `BOOL`"
        );
        for name in ["", "fp32", " FP32", "CHW4"] {
            assert_eq!(error(name).kind(), ErrorKind::Invalid, "{name}");
        }
    }
}
