//! The elements of a tensor in a model: in one of the typed fields, or as raw bytes.

use half::{bf16, f16};

use super::element_type::{self as types, code};
use super::proto::{DataLocation, TensorProto};
use crate::error::{Error, Result};
use crate::shape::{Dims, MAX_RANK};
use crate::tensor::{DataType, HostTensor};
use crate::wording::counted;

/// The field that holds a tensor's elements.
#[derive(Clone, Copy)]
enum Data<'t> {
    Nowhere,
    Raw(&'t [u8]),
    Float(&'t [f32]),
    Int32(&'t [i32]),
    Int64(&'t [i64]),
    Double(&'t [f64]),
    UInt64(&'t [u64]),
}

impl Data<'_> {
    fn field(self) -> &'static str {
        match self {
            Data::Nowhere => "no field",
            Data::Raw(_) => "raw_data",
            Data::Float(_) => "float_data",
            Data::Int32(_) => "int32_data",
            Data::Int64(_) => "int64_data",
            Data::Double(_) => "double_data",
            Data::UInt64(_) => "uint64_data",
        }
    }
}

/// Elements as numbers, for attributes.
pub(super) enum Numbers {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

/// Whether the elements stand in a file of their own.
pub(super) fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::External as i32)
}

/// Element type and extents of a tensor that memory could hold, and how many bytes it takes.
pub(super) fn layout(tensor: &TensorProto) -> Result<(DataType, u64)> {
    let dtype = types::data_type(tensor.data_type.unwrap_or(0))?;
    let bytes = dtype.bytes_for(element_count(tensor)?);
    bytes.map(|bytes| (dtype, bytes)).ok_or_else(|| too_large(tensor))
}

/// A tensor whose data is in the model itself.
pub(super) fn host_tensor(tensor: &TensorProto) -> Result<HostTensor> {
    let (dtype, _) = layout(tensor)?;
    let dims = &tensor.dims;
    match (dtype, data(tensor)?) {
        (_, Data::Nowhere) => HostTensor::from_bytes(dtype, &[], dims),
        (_, Data::Raw(bytes)) => Ok(from_little_endian(HostTensor::from_bytes(dtype, bytes, dims)?)),
        (DataType::Float32, Data::Float(values)) => HostTensor::from_slice(values, dims),
        (DataType::Int64, Data::Int64(values)) => HostTensor::from_slice(values, dims),
        (DataType::Int32, Data::Int32(values)) => HostTensor::from_slice(values, dims),
        (DataType::Float16 | DataType::BFloat16, Data::Int32(values)) => {
            let bits = narrowed(values, 0..=0xffff, |v| v as u16)?;
            HostTensor::from_bytes(dtype, bytemuck::cast_slice(&bits), dims)
        }
        (_, Data::Int32(values)) if dtype.bits() <= 8 => {
            let range = match dtype {
                DataType::Int8 => -128..=127,
                DataType::Bool => 0..=1,
                DataType::Int4 => -128..=255,
                _ => 0..=255,
            };
            let bytes = narrowed(values, range, |v| v as u8)?;
            Ok(normalized(HostTensor::from_bytes(dtype, &bytes, dims)?))
        }
        (_, other) => Err(wrong_field(tensor, other)),
    }
}

/// Swaps bytes that were read as little-endian, where this machine isn't.
pub(super) fn from_little_endian(mut tensor: HostTensor) -> HostTensor {
    let width = tensor.dtype().bits().div_ceil(8) as usize;
    if cfg!(target_endian = "big") && width > 1 {
        tensor.bytes_mut().chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    normalized(tensor)
}

/// Booleans become 0 or 1, and half a byte that isn't used becomes 0.
fn normalized(mut tensor: HostTensor) -> HostTensor {
    match tensor.dtype() {
        DataType::Bool => tensor.bytes_mut().iter_mut().for_each(|b| *b = u8::from(*b != 0)),
        DataType::Int4 if tensor.extents().numel().is_some_and(|n| n % 2 == 1) => {
            if let Some(last) = tensor.bytes_mut().last_mut() {
                *last &= 0x0f;
            }
        }
        _ => {}
    }
    tensor
}

/// The elements of a tensor of any type of integer, boolean or float that an attribute may have.
pub(super) fn numbers(tensor: &TensorProto) -> Result<Numbers> {
    use Numbers::{Floats, Ints};
    if is_external(tensor) {
        return Err(Error::invalid("its data is in another file, which only constants may have"));
    }
    let code = tensor.data_type.unwrap_or(0);
    let elements = element_count(tensor)?;
    let count = |given: usize| {
        if given as u64 == elements {
            return Ok(());
        }
        Err(Error::invalid(format_args!(
            "it has {} by its extents, but holds {given}",
            counted(elements as usize, "element")
        )))
    };
    let data = data(tensor)?;
    match data {
        Data::Raw(bytes) => raw_numbers(code, elements, bytes),
        Data::Nowhere => match code {
            types::FLOAT16 | types::BFLOAT16 | types::FLOAT | types::DOUBLE => count(0).map(|()| Floats(Vec::new())),
            _ => count(0).map(|()| Ints(Vec::new())),
        },
        Data::Float(values) if code == types::FLOAT => {
            count(values.len())?;
            Ok(Floats(values.iter().map(|&v| v.into()).collect()))
        }
        Data::Double(values) if code == types::DOUBLE => {
            count(values.len())?;
            Ok(Floats(values.to_vec()))
        }
        Data::Int64(values) if code == types::INT64 => {
            count(values.len())?;
            Ok(Ints(values.to_vec()))
        }
        Data::UInt64(values) if matches!(code, types::UINT32 | types::UINT64) => {
            count(values.len())?;
            let most = if code == types::UINT32 { u64::from(u32::MAX) } else { u64::MAX };
            match values.iter().find(|&&v| v > most) {
                Some(large) => Err(Error::invalid(format_args!("the element {large} isn't a {}", types::name(code)))),
                None => Ok(Ints(signed(values)?)),
            }
        }
        Data::Int32(values) => {
            count(values.len())?;
            int32_numbers(code, values)?.ok_or_else(|| wrong_field(tensor, data))
        }
        other => Err(wrong_field(tensor, other)),
    }
}

/// The elements of raw data, which is as long as the extents say.
fn raw_numbers(code: i32, elements: u64, bytes: &[u8]) -> Result<Numbers> {
    use Numbers::{Floats, Ints};
    let width = match code {
        types::BOOL | types::INT8 | types::UINT8 => 1,
        types::INT16 | types::UINT16 | types::FLOAT16 | types::BFLOAT16 => 2,
        types::INT32 | types::UINT32 | types::FLOAT => 4,
        types::INT64 | types::UINT64 | types::DOUBLE => 8,
        _ => return Err(not_for_attributes(code)),
    };
    if Some(bytes.len() as u64) != elements.checked_mul(width) {
        return Err(Error::invalid(format_args!(
            "{elements} elements of {} take {width} bytes each, but it holds {} bytes",
            types::name(code),
            bytes.len()
        )));
    }
    Ok(match code {
        types::BOOL => Ints(each(bytes, |[b]| i64::from(b != 0))),
        types::INT8 => Ints(each(bytes, |b| i8::from_le_bytes(b).into())),
        types::UINT8 => Ints(each(bytes, |[b]| b.into())),
        types::INT16 => Ints(each(bytes, |b| i16::from_le_bytes(b).into())),
        types::UINT16 => Ints(each(bytes, |b| u16::from_le_bytes(b).into())),
        types::INT32 => Ints(each(bytes, |b| i32::from_le_bytes(b).into())),
        types::UINT32 => Ints(each(bytes, |b| u32::from_le_bytes(b).into())),
        types::INT64 => Ints(each(bytes, i64::from_le_bytes)),
        types::UINT64 => Ints(signed(&each(bytes, u64::from_le_bytes))?),
        types::FLOAT16 => Floats(each(bytes, |b| f16::from_le_bytes(b).into())),
        types::BFLOAT16 => Floats(each(bytes, |b| bf16::from_le_bytes(b).into())),
        types::FLOAT => Floats(each(bytes, |b| f32::from_le_bytes(b).into())),
        _ => Floats(each(bytes, f64::from_le_bytes)),
    })
}

/// The elements of `int32_data`; `None` where a type's don't stand there.
fn int32_numbers(code: i32, values: &[i32]) -> Result<Option<Numbers>> {
    use Numbers::{Floats, Ints};
    Ok(Some(match code {
        types::BOOL => Ints(narrowed(values, 0..=1, i64::from)?),
        types::INT8 => Ints(narrowed(values, -128..=127, i64::from)?),
        types::UINT8 => Ints(narrowed(values, 0..=255, i64::from)?),
        types::INT16 => Ints(narrowed(values, -0x8000..=0x7fff, i64::from)?),
        types::UINT16 => Ints(narrowed(values, 0..=0xffff, i64::from)?),
        types::INT32 => Ints(values.iter().map(|&v| v.into()).collect()),
        types::FLOAT16 => Floats(narrowed(values, 0..=0xffff, |v| f16::from_bits(v as u16).into())?),
        types::BFLOAT16 => Floats(narrowed(values, 0..=0xffff, |v| bf16::from_bits(v as u16).into())?),
        types::FLOAT | types::DOUBLE | types::INT64 | types::UINT32 | types::UINT64 => return Ok(None),
        _ => return Err(not_for_attributes(code)),
    }))
}

fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&b| read(b)).collect()
}

fn signed(values: &[u64]) -> Result<Vec<i64>> {
    let signed = |&v: &u64| i64::try_from(v).map_err(|_| Error::invalid(format_args!("the element {v} isn't an i64")));
    values.iter().map(signed).collect()
}

fn narrowed<T>(values: &[i32], range: std::ops::RangeInclusive<i32>, to: impl Fn(i32) -> T) -> Result<Vec<T>> {
    let check = |(index, &value): (usize, &i32)| {
        if range.contains(&value) {
            return Ok(to(value));
        }
        let (least, most) = (range.start(), range.end());
        Err(Error::invalid(format_args!("element {index} of int32_data is {value}; {least} to {most} is possible")))
    };
    values.iter().enumerate().map(check).collect()
}

fn data(tensor: &TensorProto) -> Result<Data<'_>> {
    if tensor.segment.is_some() {
        return Err(Error::invalid("it is split into segments, which isn't supported"));
    }
    if !tensor.string_data.is_empty() {
        return Err(Error::invalid("it holds string_data, which isn't supported"));
    }
    let raw = tensor.raw_data.as_deref().unwrap_or_default();
    let mut given = [
        (!raw.is_empty(), Data::Raw(raw)),
        (!tensor.float_data.is_empty(), Data::Float(&tensor.float_data)),
        (!tensor.int32_data.is_empty(), Data::Int32(&tensor.int32_data)),
        (!tensor.int64_data.is_empty(), Data::Int64(&tensor.int64_data)),
        (!tensor.double_data.is_empty(), Data::Double(&tensor.double_data)),
        (!tensor.uint64_data.is_empty(), Data::UInt64(&tensor.uint64_data)),
    ]
    .into_iter()
    .filter_map(|(present, data)| present.then_some(data));
    match (given.next(), given.next()) {
        (None, _) => Ok(Data::Nowhere),
        (Some(data), None) => Ok(data),
        (Some(first), Some(second)) => {
            Err(Error::invalid(format_args!("it holds both {} and {}", first.field(), second.field())))
        }
    }
}

fn element_count(tensor: &TensorProto) -> Result<u64> {
    if tensor.dims.len() > MAX_RANK {
        return Err(Error::invalid(format_args!(
            "it has {} dimensions; at most {MAX_RANK} are possible",
            tensor.dims.len()
        )));
    }
    if let Some((axis, extent)) = tensor.dims.iter().enumerate().find(|(_, extent)| **extent < 0) {
        return Err(Error::invalid(format_args!("its dimension {axis} is {extent}")));
    }
    Dims::new(&tensor.dims).and_then(|dims| dims.numel()).ok_or_else(|| too_large(tensor))
}

fn too_large(tensor: &TensorProto) -> Error {
    Error::invalid(format_args!("its extents {:?} are more than memory can hold", tensor.dims))
}

fn wrong_field(tensor: &TensorProto, found: Data<'_>) -> Error {
    let wanted = match tensor.data_type.unwrap_or(0) {
        types::FLOAT => "float_data",
        types::DOUBLE => "double_data",
        types::INT64 => "int64_data",
        types::UINT32 | types::UINT64 => "uint64_data",
        _ => "int32_data",
    };
    let code = tensor.data_type.unwrap_or(0);
    Error::invalid(format_args!(
        "elements of {} stand in {wanted} or raw_data, but it holds {}",
        types::name(code),
        found.field()
    ))
}

fn not_for_attributes(code: i32) -> Error {
    Error::invalid(format_args!("a tensor of {} can't be an attribute's value", types::name(code)))
}

/// A tensor as it is written to a model.
pub(super) fn to_proto(name: &str, tensor: &HostTensor) -> TensorProto {
    let width = tensor.dtype().bits().div_ceil(8) as usize;
    let mut bytes = tensor.bytes().to_vec();
    if cfg!(target_endian = "big") && width > 1 {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    TensorProto {
        name: name.to_owned(),
        dims: tensor.shape().to_vec(),
        data_type: Some(code(tensor.dtype())),
        raw_data: Some(bytes.into()),
        ..TensorProto::default()
    }
}

#[cfg(test)]
mod tests;
