//! The linked plugins as JSON.

use half::{bf16, f16};

use super::json::Json;
use crate::device::DeviceKind;
use crate::error::Result;
use crate::host::taken;
use crate::plugin::{AttributeSchema, AttributeType, AttributeValue, Plugin, Registry};

/// All of them.
///
/// # Errors
/// When they contradict each other.
pub(super) fn plugins() -> Result<Json> {
    let plugins = Registry::global()?.plugins().iter().map(plugin);
    Ok(Json::Object(vec![("plugins", Json::list(plugins))]))
}

fn plugin(plugin: &'static Plugin) -> Json {
    let entry = &plugin.entry;
    let (namespace, name) = entry.id.split_once("::").unwrap_or(("", entry.id));
    let taken = taken(plugin);
    let runs_on =
        |kind: DeviceKind| plugin.impl_for(kind).is_some() || (kind == DeviceKind::Cuda && plugin.aot.is_some());
    let devices = [DeviceKind::Cpu, DeviceKind::Cuda].into_iter().filter(|kind| runs_on(*kind));
    Json::Object(vec![
        ("id", Json::text(entry.id)),
        ("namespace", Json::text(namespace)),
        ("name", Json::text(name)),
        ("version", Json::Int(entry.version.into())),
        ("doc", Json::text(entry.description)),
        ("inputs", Json::list(entry.inputs.iter().map(|name| Json::text(*name)))),
        ("attributes", Json::list(entry.attributes.iter().map(attribute))),
        ("outputs", Json::index(entry.outputs)),
        ("aliases", Json::list(taken.aliases.into_iter().map(|alias| Json::or_null(alias, Json::index)))),
        ("sizes", Json::list(taken.sizes.into_iter().map(Json::Bool))),
        ("answered", Json::Bool(taken.answered)),
        ("devices", Json::list(devices.map(|kind| Json::text(kind.name())))),
    ])
}

fn attribute(schema: &AttributeSchema) -> Json {
    let mut members = vec![
        ("name", Json::text(schema.name)),
        ("type", Json::text(schema.ty.name())),
        ("kind", Json::text(kind(schema.ty))),
    ];
    if let Some((min, max)) = range(schema.ty) {
        members.extend([("min", Json::Int(min)), ("max", Json::Int(max))]);
    }
    members.extend(schema.default.map(|default| ("default", value(&default()))));
    Json::Object(members)
}

fn kind(ty: AttributeType) -> &'static str {
    use AttributeType as Type;
    match ty {
        Type::Int32 | Type::Int64 => "int",
        Type::Float32 | Type::Float64 => "float",
        Type::Bool => "bool",
        Type::Str => "str",
        Type::Bytes => "bytes",
        Type::Int8s | Type::Int16s | Type::Int32s | Type::Int64s => "ints",
        Type::Float16s | Type::BFloat16s | Type::Float32s | Type::Float64s => "floats",
        Type::Bools => "bools",
    }
}

fn range(ty: AttributeType) -> Option<(i64, i64)> {
    use AttributeType as Type;
    match ty {
        Type::Int8s => Some((i8::MIN.into(), i8::MAX.into())),
        Type::Int16s => Some((i16::MIN.into(), i16::MAX.into())),
        Type::Int32 | Type::Int32s => Some((i32::MIN.into(), i32::MAX.into())),
        Type::Int64 | Type::Int64s => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

fn value(value: &AttributeValue) -> Json {
    use AttributeValue as Value;
    fn ints<T: Copy + Into<i64>>(values: &[T]) -> Json {
        Json::list(values.iter().map(|&value| Json::Int(value.into())))
    }
    match value {
        Value::Int32(v) => Json::Int((*v).into()),
        Value::Int64(v) => Json::Int(*v),
        Value::Float32(v) => Json::float(*v),
        Value::Float64(v) => Json::float(*v),
        Value::Bool(v) => Json::Bool(*v),
        Value::Str(v) => Json::text(v.as_str()),
        Value::Bytes(v) => ints(v),
        Value::Int8s(v) => ints(v),
        Value::Int16s(v) => ints(v),
        Value::Int32s(v) => ints(v),
        Value::Int64s(v) => ints(v),
        Value::Float16s(v) => Json::list(v.iter().copied().map(f16::to_f32).map(Json::float)),
        Value::BFloat16s(v) => Json::list(v.iter().copied().map(bf16::to_f32).map(Json::float)),
        Value::Float32s(v) => Json::list(v.iter().copied().map(Json::float)),
        Value::Float64s(v) => Json::list(v.iter().copied().map(Json::float)),
        Value::Bools(v) => Json::list(v.iter().copied().map(Json::Bool)),
    }
}
