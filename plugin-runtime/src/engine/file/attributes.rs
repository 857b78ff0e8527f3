//! Attributes: of all that a plugin has, an engine file keeps those that its impl names.

use bytemuck::{AnyBitPattern, NoUninit, cast_slice, pod_collect_to_vec};

use super::records::AttributeRecord;
use crate::plugin::{AttributeType, AttributeValue, ImplEntry, PluginEntry};

/// The attributes that an impl names, from one value per attribute of the plugin.
pub(super) fn save(
    plugin: &PluginEntry,
    implementation: &ImplEntry,
    values: &[AttributeValue],
) -> Result<Vec<AttributeRecord>, String> {
    let record = |name: &&str| {
        let position = plugin.attributes.iter().position(|schema| schema.name == *name);
        let value = position.and_then(|position| values.get(position));
        let value = value.ok_or_else(|| format!("its impl names the attribute `{name}`, which the plugin lacks"))?;
        Ok(AttributeRecord { name: (*name).into(), ty: code(value.ty()), value: to_bytes(value) })
    };
    implementation.attributes.iter().map(record).collect()
}

/// One value per attribute of the plugin: those that its impl names from the file, the others zero or empty.
pub(super) fn load(
    plugin: &PluginEntry,
    implementation: &ImplEntry,
    records: &[AttributeRecord],
) -> Result<Vec<AttributeValue>, String> {
    let saved = || records.iter().map(|record| &*record.name);
    if !saved().eq(implementation.attributes.iter().copied()) {
        return Err(format!(
            "the impl at {} uses the attributes {}, but {} were saved: build the engine again with this impl",
            implementation.location,
            listed(implementation.attributes.iter().copied()),
            listed(saved())
        ));
    }
    let value = |schema: &crate::plugin::AttributeSchema| {
        let Some(record) = records.iter().find(|record| record.name == schema.name) else {
            return Ok(schema.ty.zero());
        };
        if record.ty != code(schema.ty) {
            return Err(format!(
                "attribute `{}` is {}, but type {} was saved, not {}",
                schema.name,
                schema.ty.name(),
                record.ty,
                code(schema.ty)
            ));
        }
        from_bytes(schema.ty, &record.value).ok_or_else(|| {
            format!("{} bytes are no {} for attribute `{}`", record.value.len(), schema.ty.name(), schema.name)
        })
    };
    plugin.attributes.iter().map(value).collect()
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}

fn code(ty: AttributeType) -> u32 {
    match ty {
        AttributeType::Int32 => 1,
        AttributeType::Int64 => 2,
        AttributeType::Float32 => 3,
        AttributeType::Float64 => 4,
        AttributeType::Bool => 5,
        AttributeType::Str => 6,
        AttributeType::Bytes => 7,
        AttributeType::Int8s => 8,
        AttributeType::Int16s => 9,
        AttributeType::Int32s => 10,
        AttributeType::Int64s => 11,
        AttributeType::Float16s => 12,
        AttributeType::BFloat16s => 13,
        AttributeType::Float32s => 14,
        AttributeType::Float64s => 15,
        AttributeType::Bools => 16,
    }
}

fn to_bytes(value: &AttributeValue) -> Vec<u8> {
    match value {
        AttributeValue::Int32(value) => value.to_le_bytes().into(),
        AttributeValue::Int64(value) => value.to_le_bytes().into(),
        AttributeValue::Float32(value) => value.to_le_bytes().into(),
        AttributeValue::Float64(value) => value.to_le_bytes().into(),
        AttributeValue::Bool(value) => vec![u8::from(*value)],
        AttributeValue::Str(value) => value.as_bytes().into(),
        AttributeValue::Bytes(value) => value.clone(),
        AttributeValue::Int8s(values) => little_endian(values),
        AttributeValue::Int16s(values) => little_endian(values),
        AttributeValue::Int32s(values) => little_endian(values),
        AttributeValue::Int64s(values) => little_endian(values),
        AttributeValue::Float16s(values) => little_endian(values),
        AttributeValue::BFloat16s(values) => little_endian(values),
        AttributeValue::Float32s(values) => little_endian(values),
        AttributeValue::Float64s(values) => little_endian(values),
        AttributeValue::Bools(values) => values.iter().copied().map(u8::from).collect(),
    }
}

fn from_bytes(ty: AttributeType, bytes: &[u8]) -> Option<AttributeValue> {
    Some(match ty {
        AttributeType::Int32 => AttributeValue::Int32(i32::from_le_bytes(bytes.try_into().ok()?)),
        AttributeType::Int64 => AttributeValue::Int64(i64::from_le_bytes(bytes.try_into().ok()?)),
        AttributeType::Float32 => AttributeValue::Float32(f32::from_le_bytes(bytes.try_into().ok()?)),
        AttributeType::Float64 => AttributeValue::Float64(f64::from_le_bytes(bytes.try_into().ok()?)),
        AttributeType::Bool => AttributeValue::Bool(*bools(bytes)?.first().filter(|_| bytes.len() == 1)?),
        AttributeType::Str => AttributeValue::Str(str::from_utf8(bytes).ok()?.into()),
        AttributeType::Bytes => AttributeValue::Bytes(bytes.into()),
        AttributeType::Int8s => AttributeValue::Int8s(elements(bytes)?),
        AttributeType::Int16s => AttributeValue::Int16s(elements(bytes)?),
        AttributeType::Int32s => AttributeValue::Int32s(elements(bytes)?),
        AttributeType::Int64s => AttributeValue::Int64s(elements(bytes)?),
        AttributeType::Float16s => AttributeValue::Float16s(elements(bytes)?),
        AttributeType::BFloat16s => AttributeValue::BFloat16s(elements(bytes)?),
        AttributeType::Float32s => AttributeValue::Float32s(elements(bytes)?),
        AttributeType::Float64s => AttributeValue::Float64s(elements(bytes)?),
        AttributeType::Bools => AttributeValue::Bools(bools(bytes)?),
    })
}

/// Engine files are written and read on little-endian machines only.
fn little_endian<T: NoUninit>(values: &[T]) -> Vec<u8> {
    cast_slice(values).into()
}

fn elements<T: NoUninit + AnyBitPattern>(bytes: &[u8]) -> Option<Vec<T>> {
    bytes.len().is_multiple_of(size_of::<T>()).then(|| pod_collect_to_vec(bytes))
}

fn bools(bytes: &[u8]) -> Option<Vec<bool>> {
    let bool_of = |byte: &u8| match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    bytes.iter().map(bool_of).collect()
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    #[test]
    fn values_of_every_type_are_read_back_and_have_a_zero() {
        let values = [
            (AttributeValue::Int32(i32::MIN), AttributeValue::Int32(0)),
            (AttributeValue::Int64(-7), AttributeValue::Int64(0)),
            (AttributeValue::Float32(-0.5), AttributeValue::Float32(0.0)),
            (AttributeValue::Float64(f64::MAX), AttributeValue::Float64(0.0)),
            (AttributeValue::Bool(true), AttributeValue::Bool(false)),
            (AttributeValue::Str("wrap ü".into()), AttributeValue::Str(String::new())),
            (AttributeValue::Bytes(vec![0, 255]), AttributeValue::Bytes(vec![])),
            (AttributeValue::Int8s(vec![-1]), AttributeValue::Int8s(vec![])),
            (AttributeValue::Int16s(vec![-300, 300]), AttributeValue::Int16s(vec![])),
            (AttributeValue::Int32s(vec![1, 2, 3]), AttributeValue::Int32s(vec![])),
            (AttributeValue::Int64s(vec![i64::MAX]), AttributeValue::Int64s(vec![])),
            (AttributeValue::Float16s(vec![f16::MAX]), AttributeValue::Float16s(vec![])),
            (AttributeValue::BFloat16s(vec![bf16::MIN]), AttributeValue::BFloat16s(vec![])),
            (AttributeValue::Float32s(vec![0.1, 0.2]), AttributeValue::Float32s(vec![])),
            (AttributeValue::Float64s(vec![0.1]), AttributeValue::Float64s(vec![])),
            (AttributeValue::Bools(vec![true, false]), AttributeValue::Bools(vec![])),
        ];
        for (position, (value, nothing)) in values.iter().enumerate() {
            assert_eq!(code(value.ty()) as usize, position + 1);
            assert_eq!(from_bytes(value.ty(), &to_bytes(value)).as_ref(), Some(value));
            assert_eq!(value.ty().zero(), *nothing);
        }
        let wrong: [(AttributeType, &[u8]); 5] = [
            (AttributeType::Int32, &[0; 5]),
            (AttributeType::Bool, &[2]),
            (AttributeType::Bools, &[1, 2]),
            (AttributeType::Str, &[0xff]),
            (AttributeType::Int64s, &[0; 9]),
        ];
        assert!(wrong.iter().all(|(ty, bytes)| from_bytes(*ty, bytes).is_none()));
    }
}
