//! Attribute types and values.

use half::{bf16, f16};

use crate::error::{Error, Result};

/// One attribute of a plugin.
#[derive(Clone, Copy, Debug)]
pub struct AttributeSchema {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: AttributeType,
    /// Its default value, where it has one.
    pub default: Option<fn() -> AttributeValue>,
}

/// A Rust type that an attribute is held as: what [`AttributeSet`](super::AttributeSet)s are made of.
pub trait Attribute: Sized {
    /// The attribute type it holds.
    const TYPE: AttributeType;

    /// As a value of the schema's type.
    fn to_value(&self) -> AttributeValue;

    /// Back from a value.
    ///
    /// # Errors
    /// When the value has another type.
    fn from_value(value: &AttributeValue) -> Result<Self>;
}

macro_rules! attributes {
    ($($variant:ident($rust:ty) $name:literal $doc:literal;)*) => {
        /// The type of an attribute.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum AttributeType { $(#[doc = $doc] $variant,)* }

        /// The value of an attribute.
        #[derive(Clone, PartialEq, Debug)]
        #[non_exhaustive]
        pub enum AttributeValue { $(#[doc = $doc] $variant($rust),)* }

        impl AttributeType {
            /// As it is written in a `register` function.
            pub const fn name(self) -> &'static str {
                match self { $(AttributeType::$variant => $name,)* }
            }
        }

        impl AttributeType {
            /// Zero, false or empty.
            pub(crate) fn zero(self) -> AttributeValue {
                match self { $(AttributeType::$variant => AttributeValue::$variant(Default::default()),)* }
            }
        }

        impl AttributeValue {
            /// Its type.
            pub const fn ty(&self) -> AttributeType {
                match self { $(AttributeValue::$variant(_) => AttributeType::$variant,)* }
            }
        }

        /// As it would be written in Rust: `128`, `"reflect"`, `[1, 1, 1, 1]`.
        impl std::fmt::Display for AttributeValue {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $(AttributeValue::$variant(value) => std::fmt::Debug::fmt(value, f),)* }
            }
        }

        $(impl Attribute for $rust {
            const TYPE: AttributeType = AttributeType::$variant;

            fn to_value(&self) -> AttributeValue {
                AttributeValue::$variant(self.clone())
            }

            fn from_value(value: &AttributeValue) -> Result<Self> {
                match value {
                    AttributeValue::$variant(value) => Ok(value.clone()),
                    other => Err(Error::invalid(format_args!("expected {}, got {}", $name, other.ty().name()))),
                }
            }
        })*
    };
}

attributes! {
    Int32(i32) "i32" "32-bit integer.";
    Int64(i64) "i64" "64-bit integer.";
    Float32(f32) "f32" "Single-precision float.";
    Float64(f64) "f64" "Double-precision float.";
    Bool(bool) "bool" "Boolean.";
    Str(String) "&str" "Text.";
    Bytes(Vec<u8>) "&[u8]" "Bytes.";
    Int8s(Vec<i8>) "&[i8]" "8-bit integers.";
    Int16s(Vec<i16>) "&[i16]" "16-bit integers.";
    Int32s(Vec<i32>) "&[i32]" "32-bit integers.";
    Int64s(Vec<i64>) "&[i64]" "64-bit integers.";
    Float16s(Vec<f16>) "&[f16]" "Half-precision floats.";
    BFloat16s(Vec<bf16>) "&[bf16]" "bfloat16s.";
    Float32s(Vec<f32>) "&[f32]" "Single-precision floats.";
    Float64s(Vec<f64>) "&[f64]" "Double-precision floats.";
    Bools(Vec<bool>) "&[bool]" "Booleans.";
}
