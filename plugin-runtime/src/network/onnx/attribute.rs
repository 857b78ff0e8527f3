//! Attributes of nodes to attributes of plugins, and back.

use std::borrow::Cow;
use std::fmt::Display;

use half::{bf16, f16};

use super::element_type::{DOUBLE, UINT8};
use super::elements::{Numbers, numbers};
use super::proto::{AttributeKind, AttributeProto, TensorProto};
use super::text::quoted;
use crate::error::{Error, Result};
use crate::plugin::{AttributeType, AttributeValue};
use crate::wording::counted;

/// The value of a node's attribute, whichever way it is written.
pub(crate) enum Given<'a> {
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
    Ints(Cow<'a, [i64]>),
    Floats(Vec<f64>),
}

impl Given<'_> {
    fn describe(&self) -> String {
        match self {
            Given::Int(value) => format!("the integer {value}"),
            Given::Float(value) => format!("the float {value:?}"),
            Given::Text(_) => "a string".into(),
            Given::Ints(values) => format!("a list of {}", counted(values.len(), "integer")),
            Given::Floats(values) => format!("a list of {}", counted(values.len(), "float")),
        }
    }
}

/// Reads an attribute that may be a plugin's.
pub(super) fn given(attribute: &AttributeProto) -> Result<Given<'_>> {
    let empty = || Error::invalid(format_args!("it is marked {}, but holds none", kind_name(attribute.r#type)));
    match AttributeKind::try_from(attribute.r#type) {
        Ok(AttributeKind::Int) => scalar(attribute, attribute.i).map(Given::Int),
        Ok(AttributeKind::Float) => scalar(attribute, attribute.f).map(|f| Given::Float(f.into())),
        Ok(AttributeKind::Text) => scalar(attribute, attribute.s.as_deref()).map(Given::Text),
        Ok(AttributeKind::Ints) => Ok(Given::Ints((&attribute.ints).into())),
        Ok(AttributeKind::Floats) => Ok(Given::Floats(attribute.floats.iter().map(|&f| f.into()).collect())),
        Ok(AttributeKind::Tensor) => of_tensor(attribute.t.as_deref().ok_or_else(empty)?),
        Ok(AttributeKind::Undefined) => Err(Error::invalid("it has no type")),
        _ => Err(Error::invalid(format_args!("it is {}, which a plugin can't take", kind_name(attribute.r#type)))),
    }
}

/// The value of an attribute that is marked as a single one. Writers of proto3 leave out zeros and empty strings.
///
/// # Errors
/// When it holds a value of another kind in its place.
pub(super) fn scalar<T: Default>(attribute: &AttributeProto, value: Option<T>) -> Result<T> {
    let others = [
        (attribute.i.is_some(), "an INT"),
        (attribute.f.is_some(), "a FLOAT"),
        (attribute.s.is_some(), "a STRING"),
        (attribute.t.is_some(), "a TENSOR"),
        (!attribute.ints.is_empty(), "INTS"),
        (!attribute.floats.is_empty(), "FLOATS"),
        (!attribute.strings.is_empty(), "STRINGS"),
    ];
    match (value, others.iter().find(|(is_there, _)| *is_there)) {
        (Some(value), _) => Ok(value),
        (None, None) => Ok(T::default()),
        (None, Some((_, other))) => {
            Err(Error::invalid(format_args!("it is marked {}, but holds {other}", kind_name(attribute.r#type))))
        }
    }
}

fn of_tensor(tensor: &TensorProto) -> Result<Given<'_>> {
    let numbers = numbers(tensor)?;
    match (tensor.dims.len(), numbers) {
        (0, Numbers::Ints(values)) => {
            values.first().map(|&v| Given::Int(v)).ok_or_else(|| Error::invalid("its tensor is empty"))
        }
        (0, Numbers::Floats(values)) => {
            values.first().map(|&v| Given::Float(v)).ok_or_else(|| Error::invalid("its tensor is empty"))
        }
        (1, Numbers::Ints(values)) => Ok(Given::Ints(values.into())),
        (1, Numbers::Floats(values)) => Ok(Given::Floats(values)),
        (rank, _) => {
            Err(Error::invalid(format_args!("its tensor has {rank} dimensions; a list has 1, a single value none")))
        }
    }
}

pub(super) fn kind_name(kind: i32) -> String {
    let named = AttributeKind::try_from(kind).map(|kind| match kind {
        AttributeKind::Undefined => "UNDEFINED",
        AttributeKind::Float => "FLOAT",
        AttributeKind::Int => "INT",
        AttributeKind::Text => "STRING",
        AttributeKind::Tensor => "TENSOR",
        AttributeKind::Graph => "GRAPH",
        AttributeKind::SparseTensor => "SPARSE_TENSOR",
        AttributeKind::TypeProto => "TYPE_PROTO",
        AttributeKind::Floats => "FLOATS",
        AttributeKind::Ints => "INTS",
        AttributeKind::Strings => "STRINGS",
        AttributeKind::Tensors => "TENSORS",
        AttributeKind::Graphs => "GRAPHS",
        AttributeKind::SparseTensors => "SPARSE_TENSORS",
        AttributeKind::TypeProtos => "TYPE_PROTOS",
    });
    named.map_or_else(|_| format!("of type {kind}, which ONNX doesn't define"), str::to_owned)
}

/// As the type that the plugin registered.
pub(crate) fn converted(given: &Given<'_>, wanted: AttributeType) -> Result<AttributeValue> {
    converted_from(given, wanted, accepted)
}

/// The same for a host that has words of its own for what an attribute takes.
pub(crate) fn converted_from(given: &Given<'_>, wanted: AttributeType, accepted: Accepted) -> Result<AttributeValue> {
    use AttributeType as Type;
    use AttributeValue as Value;
    Ok(match (wanted, given) {
        (Type::Int32, Given::Int(v)) => Value::Int32(integer(*v, "i32", &"it")?),
        (Type::Int64, Given::Int(v)) => Value::Int64(*v),
        (Type::Bool, Given::Int(v)) => Value::Bool(boolean(*v, &"it")?),
        (Type::Float32, Given::Float(v)) => Value::Float32(single(*v, &"it")?),
        (Type::Float32, Given::Int(v)) => Value::Float32(whole(*v, &"it")?),
        (Type::Float64, Given::Float(v)) => Value::Float64(*v),
        (Type::Float64, Given::Int(v)) => Value::Float64(whole(*v, &"it")?),
        (Type::Str, Given::Text(bytes)) => Value::Str(utf8(bytes)?.to_owned()),
        (Type::Bytes, Given::Text(bytes)) => Value::Bytes(bytes.to_vec()),
        (Type::Bytes, Given::Ints(v)) => Value::Bytes(integers(v, "u8")?),
        (Type::Int8s, Given::Ints(v)) => Value::Int8s(integers(v, "i8")?),
        (Type::Int16s, Given::Ints(v)) => Value::Int16s(integers(v, "i16")?),
        (Type::Int32s, Given::Ints(v)) => Value::Int32s(integers(v, "i32")?),
        (Type::Int64s, Given::Ints(v)) => Value::Int64s(v.to_vec()),
        (Type::Bools, Given::Ints(v)) => Value::Bools(list(v, boolean)?),
        (Type::Float16s, Given::Floats(v)) => {
            Value::Float16s(list(v, |v, at| finite(v, f16::from_f64(v), f16::is_finite, "f16", at))?)
        }
        (Type::BFloat16s, Given::Floats(v)) => {
            Value::BFloat16s(list(v, |v, at| finite(v, bf16::from_f64(v), bf16::is_finite, "bf16", at))?)
        }
        (Type::Float32s, Given::Floats(v)) => Value::Float32s(list(v, single)?),
        (Type::Float64s, Given::Floats(v)) => Value::Float64s(v.clone()),
        (Type::Float16s, Given::Ints(v)) => Value::Float16s(list(v, whole)?),
        (Type::BFloat16s, Given::Ints(v)) => Value::BFloat16s(list(v, whole)?),
        (Type::Float32s, Given::Ints(v)) => Value::Float32s(list(v, whole)?),
        (Type::Float64s, Given::Ints(v)) => Value::Float64s(list(v, whole)?),
        _ => {
            return Err(Error::invalid(format_args!(
                "it is {}; `{}` takes {}",
                given.describe(),
                wanted.name(),
                accepted(wanted)
            )));
        }
    })
}

/// What a type of attribute takes, in words.
pub(crate) type Accepted = fn(AttributeType) -> &'static str;

fn accepted(wanted: AttributeType) -> &'static str {
    use AttributeType as Type;
    match wanted {
        Type::Int32 | Type::Int64 => "INT",
        Type::Bool => "INT, 0 or 1",
        Type::Float32 | Type::Float64 => "FLOAT, or an INT that it holds exactly",
        Type::Str => "STRING",
        Type::Bytes => "STRING, INTS of 0 to 255, or a 1-D TENSOR of UINT8",
        Type::Bools => "INTS of 0 or 1, or a 1-D TENSOR of BOOL",
        Type::Int8s | Type::Int16s | Type::Int32s | Type::Int64s => "INTS, or a 1-D TENSOR of integers",
        Type::Float16s | Type::BFloat16s | Type::Float32s | Type::Float64s => {
            "FLOATS, or INTS that it holds exactly, or a 1-D TENSOR of either"
        }
    }
}

fn list<S: Copy, T>(values: &[S], convert: impl Fn(S, &dyn Display) -> Result<T>) -> Result<Vec<T>> {
    let each = |(index, &value): (usize, &S)| convert(value, &std::fmt::from_fn(|f| write!(f, "element {index}")));
    values.iter().enumerate().map(each).collect()
}

fn integers<T: TryFrom<i64>>(values: &[i64], name: &str) -> Result<Vec<T>> {
    list(values, |value, at| integer(value, name, at))
}

fn integer<T: TryFrom<i64>>(value: i64, name: &str, at: &dyn Display) -> Result<T> {
    value.try_into().map_err(|_| Error::invalid(format_args!("{at} is {value}, which isn't in the range of {name}")))
}

fn boolean(value: i64, at: &dyn Display) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::invalid(format_args!("{at} is {value}; a boolean is 0 or 1"))),
    }
}

/// A type of floats.
trait Float: Copy {
    const NAME: &'static str;
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
}

macro_rules! floats {
    ($($ty:ty: $from:expr, $to:expr;)*) => {
        $(impl Float for $ty {
            const NAME: &'static str = stringify!($ty);

            fn from_f64(value: f64) -> Self {
                $from(value)
            }

            fn to_f64(self) -> f64 {
                $to(self)
            }
        })*
    };
}

floats! {
    f16: f16::from_f64, f16::to_f64;
    bf16: bf16::from_f64, bf16::to_f64;
    f32: |v| v as f32, f64::from;
    f64: std::convert::identity, std::convert::identity;
}

/// An integer as a float, where that is exact.
fn whole<T: Float>(value: i64, at: &dyn Display) -> Result<T> {
    let float = T::from_f64(value as f64);
    // An i128 holds every finite value that comes of an i64, and differs from it where one is infinite.
    if float.to_f64() as i128 == i128::from(value) {
        return Ok(float);
    }
    Err(Error::invalid(format_args!("{at} is the integer {value}, which {} doesn't hold exactly", T::NAME)))
}

fn single(value: f64, at: &dyn Display) -> Result<f32> {
    finite(value, value as f32, f32::is_finite, "f32", at)
}

fn finite<T: Copy>(value: f64, narrow: T, is_finite: fn(T) -> bool, name: &str, at: &dyn Display) -> Result<T> {
    if value.is_finite() && !is_finite(narrow) {
        return Err(Error::invalid(format_args!("{at} is {value:e}, which is too large for {name}")));
    }
    Ok(narrow)
}

/// Text, which a STRING needn't be.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let start = quoted(&String::from_utf8_lossy(&bytes[..e.valid_up_to().min(64)])).to_string();
        Error::invalid(format_args!("it isn't UTF-8 after {} bytes, {start}", e.valid_up_to()))
    })
}

/// As a model holds it. Doubles that singles can't hold are tensors, since attributes have no doubles; so are bytes.
pub(super) fn to_proto(name: &str, value: &AttributeValue) -> AttributeProto {
    match value {
        AttributeValue::Int32(v) => int(name, (*v).into()),
        AttributeValue::Int64(v) => int(name, *v),
        AttributeValue::Bool(v) => int(name, (*v).into()),
        AttributeValue::Float32(v) => float(name, *v),
        AttributeValue::Float64(v) => match exact(*v) {
            Some(v) => float(name, v),
            None => doubles(name, &[*v], &[]),
        },
        AttributeValue::Str(v) => string(name, v),
        AttributeValue::Bytes(v) => tensor(name, UINT8, &[v.len() as i64], v.clone()),
        AttributeValue::Int8s(v) => ints(name, v),
        AttributeValue::Int16s(v) => ints(name, v),
        AttributeValue::Int32s(v) => ints(name, v),
        AttributeValue::Int64s(v) => ints(name, v),
        AttributeValue::Bools(v) => ints(name, v),
        AttributeValue::Float16s(v) => floats(name, v.iter().map(|v| v.to_f32()).collect()),
        AttributeValue::BFloat16s(v) => floats(name, v.iter().map(|v| v.to_f32()).collect()),
        AttributeValue::Float32s(v) => floats(name, v.clone()),
        AttributeValue::Float64s(v) => match v.iter().map(|&v| exact(v)).collect() {
            Some(singles) => floats(name, singles),
            None => doubles(name, v, &[v.len() as i64]),
        },
    }
}

fn exact(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (f64::from(narrow).to_bits() == value.to_bits()).then_some(narrow)
}

fn attribute(name: &str, kind: AttributeKind) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: kind as i32, ..AttributeProto::default() }
}

pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeKind::Int) }
}

pub(super) fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec().into()), ..attribute(name, AttributeKind::Text) }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeKind::Float) }
}

fn ints<T: Copy + Into<i64>>(name: &str, values: &[T]) -> AttributeProto {
    let ints = values.iter().map(|&v| v.into()).collect();
    AttributeProto { ints, ..attribute(name, AttributeKind::Ints) }
}

fn floats(name: &str, floats: Vec<f32>) -> AttributeProto {
    AttributeProto { floats, ..attribute(name, AttributeKind::Floats) }
}

fn doubles(name: &str, values: &[f64], dims: &[i64]) -> AttributeProto {
    tensor(name, DOUBLE, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn tensor(name: &str, data_type: i32, dims: &[i64], bytes: Vec<u8>) -> AttributeProto {
    let (dims, data_type, raw_data) = (dims.to_vec(), Some(data_type), Some(bytes.into()));
    let tensor = TensorProto { name: name.to_owned(), dims, data_type, raw_data, ..TensorProto::default() };
    AttributeProto { t: Some(Box::new(tensor)), ..attribute(name, AttributeKind::Tensor) }
}

#[cfg(test)]
mod tests;
