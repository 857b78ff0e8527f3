//! Attributes of plugins as fields of the host, both ways.

use std::ffi::{CStr, CString, c_void};

use half::{bf16, f16};

use super::abi::{Field, FieldCollection, field_type as ty};
use super::arguments::{impossible, slice};
use crate::error::{Error, Result};
use crate::network::Preference;
use crate::network::onnx::{Given, converted, insisted};
use crate::plugin::{AttributeType, AttributeValue, Plugin};

/// A plugin's attributes by name.
pub(super) type Attributes = Vec<(&'static str, AttributeValue)>;

/// The most elements of an attribute.
const MOST_ELEMENTS: i32 = 1 << 28;

/// The fields of a collection, by name.
///
/// # Safety
/// The collection and what it points to are there, as far as they aren't null.
///
/// # Errors
/// When a pointer is null, or a number can't be.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn fields<'a>(collection: *const FieldCollection) -> Result<Vec<(&'a CStr, &'a Field)>> {
    if collection.is_null() || !collection.is_aligned() {
        return Err(impossible("no fields, but a null pointer"));
    }
    // SAFETY: as the caller says; names end with 0.
    unsafe {
        let fields = slice((*collection).fields, (*collection).count, "fields")?;
        let named = |field: &'a Field| match field.name.is_null() {
            true => Err(impossible("a field without a name")),
            false => Ok((CStr::from_ptr(field.name), field)),
        };
        fields.iter().map(named).collect()
    }
}

/// Those of a plugin's attributes that are among the fields. `saved`: whether a plugin of ours wrote them, and not the
/// host's importer.
///
/// # Safety
/// Each field holds as many elements as it says.
///
/// # Errors
/// When one is of a kind or has a value that the plugin doesn't take: names it, and says what it takes.
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn of_plugin(plugin: &Plugin, fields: &[(&CStr, &Field)], saved: bool) -> Result<Attributes> {
    let mut values = Vec::new();
    for attribute in plugin.entry.attributes {
        let found = fields.iter().find(|(name, _)| name.to_bytes() == attribute.name.as_bytes());
        let Some((_, field)) = found else { continue };
        // SAFETY: as the caller says.
        let value = unsafe { given(field, attribute.ty, saved) }.and_then(|given| converted(&given, attribute.ty));
        let value = value.map_err(|error| error.within(format_args!("attribute `{}`", attribute.name)))?;
        values.push((attribute.name, value));
    }
    Ok(values)
}

/// The field that holds what is kept of shapes. No attribute is called so.
pub(super) const OUTLINE: &str = "plugin_runtime.outline";

/// What was kept of shapes, where something was.
///
/// # Safety
/// As [`of_plugin`].
///
/// # Errors
/// When the field holds something else.
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn outline(fields: &[(&CStr, &Field)]) -> Result<Option<Vec<u8>>> {
    let field = fields.iter().find(|(name, _)| name.to_bytes() == OUTLINE.as_bytes());
    let Some((_, field)) = field else { return Ok(None) };
    if field.ty != ty::INT8 {
        return Err(impossible(format_args!("the field `{OUTLINE}` as one of type {}", field.ty)));
    }
    // SAFETY: as the caller says.
    unsafe { elements::<u8>(field) }.map(Some)
}

/// What the fields `aot` and `aot_preferred` ask for, as the attributes of these names do in ONNX.
///
/// # Safety
/// As [`of_plugin`].
///
/// # Errors
/// When they aren't 0 or 1, or insist on what the plugin doesn't have.
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn preference(plugin: &Plugin, fields: &[(&CStr, &Field)]) -> Result<Preference> {
    let is_own = |name: &str| plugin.entry.attributes.iter().any(|attribute| attribute.name == name);
    let flag = |name: &str| -> Result<Option<bool>> {
        let field = fields.iter().find(|(found, _)| found.to_bytes() == name.as_bytes() && !is_own(name));
        let Some((_, field)) = field else { return Ok(None) };
        // SAFETY: as the caller says.
        let value =
            unsafe { given(field, AttributeType::Bool, true) }.and_then(|given| converted(&given, AttributeType::Bool));
        match value.map_err(|error| error.within(format_args!("attribute `{name}`")))? {
            AttributeValue::Bool(value) => Ok(Some(value)),
            _ => Ok(None),
        }
    };
    match (flag("aot")?, flag("aot_preferred")?) {
        (Some(aot), preferred) => insisted(plugin, aot, preferred.unwrap_or(false)),
        (None, _) => Ok(Preference::Unspecified),
    }
}

/// The fields that ask for a preference again.
pub(super) fn of_preference(preference: Preference) -> Vec<(&'static str, AttributeValue)> {
    let Some(aot) = preference.aot() else { return Vec::new() };
    let fields = [("aot", aot), ("aot_preferred", !preference.insists())];
    fields.into_iter().map(|(name, value)| (name, AttributeValue::Int32(value.into()))).collect()
}

/// What a field holds. One element is a single value where one is wanted, and else a list.
///
/// # Safety
/// It holds as many elements as it says.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn given(field: &Field, wanted: AttributeType, saved: bool) -> Result<Given<'_>> {
    if field.ty == ty::FLOAT16 && !saved && wanted != AttributeType::Float16s {
        return Err(Error::invalid(
            "it came as FLOAT16, which TensorRT's importer also makes of a TENSOR of INT64, UINT8 or BOOL, and then its \
             elements are lost: write INTS, FLOATS or a STRING",
        ));
    }
    // SAFETY: as the caller says.
    unsafe {
        match field.ty {
            ty::FLOAT16 => Ok(floats(elements::<f16>(field)?, wanted)),
            ty::BF16 => Ok(floats(elements::<bf16>(field)?, wanted)),
            ty::FLOAT32 => Ok(floats(elements::<f32>(field)?, wanted)),
            ty::FLOAT64 => Ok(floats(elements::<f64>(field)?, wanted)),
            ty::INT8 => Ok(ints(elements::<i8>(field)?, wanted)),
            ty::INT16 => Ok(ints(elements::<i16>(field)?, wanted)),
            ty::INT32 => Ok(ints(elements::<i32>(field)?, wanted)),
            ty::INT64 => Ok(ints(elements::<i64>(field)?, wanted)),
            ty::CHAR => Ok(Given::Text(text(field)?)),
            other => Err(Error::invalid(format_args!(
                "TensorRT gives it as a field of type {other}, which a plugin can't take"
            ))),
        }
    }
}

fn check(field: &Field) -> Result<usize> {
    if !(0..=MOST_ELEMENTS).contains(&field.count) || (field.count > 0 && field.data.is_null()) {
        return Err(impossible(format_args!("a field of {} elements at {:p}", field.count, field.data)));
    }
    Ok(field.count as usize)
}

/// # Safety
/// The field holds as many of them as it says.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn elements<T: Copy>(field: &Field) -> Result<Vec<T>> {
    let start = field.data.cast::<T>();
    // SAFETY: as the caller says; they may lie anywhere.
    Ok((0..check(field)?).map(|at| unsafe { start.add(at).read_unaligned() }).collect())
}

/// A text without the 0 that the importer puts behind it. Several texts, each with one, can't be told from one that holds it.
///
/// # Safety
/// The field holds as many bytes as it says.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn text(field: &Field) -> Result<&[u8]> {
    match check(field)? {
        0 => Ok(&[]),
        count => {
            // SAFETY: as the caller says.
            let text = unsafe { std::slice::from_raw_parts(field.data.cast::<u8>(), count) };
            Ok(text.strip_suffix(&[0]).unwrap_or(text))
        }
    }
}

fn is_single(wanted: AttributeType) -> bool {
    use AttributeType::{Bool, Bytes, Float32, Float64, Int32, Int64, Str};
    matches!(wanted, Int32 | Int64 | Float32 | Float64 | Bool | Str | Bytes)
}

fn ints<T: Into<i64>>(values: Vec<T>, wanted: AttributeType) -> Given<'static> {
    let values: Vec<i64> = values.into_iter().map(Into::into).collect();
    match values[..] {
        [only] if is_single(wanted) && wanted != AttributeType::Bytes => Given::Int(only),
        _ => Given::Ints(values.into()),
    }
}

fn floats<T: Into<f64>>(values: Vec<T>, wanted: AttributeType) -> Given<'static> {
    let values: Vec<f64> = values.into_iter().map(Into::into).collect();
    match values[..] {
        [only] if is_single(wanted) => Given::Float(only),
        _ => Given::Floats(values),
    }
}

/// Fields that live as long as this, and what they point to.
#[derive(Debug)]
pub(super) struct OwnFields {
    collection: FieldCollection,
    fields: Box<[Field]>,
    /// Names and elements.
    texts: Vec<CString>,
    data: Vec<Box<[u8]>>,
}

// SAFETY: it points to what it owns, which is only read.
#[expect(unsafe_code, reason = "pointers to what it owns")]
unsafe impl Send for OwnFields {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what it owns")]
unsafe impl Sync for OwnFields {}

impl OwnFields {
    /// Fields that hold these values, and what is kept of shapes.
    ///
    /// # Errors
    /// When a name holds a 0, or there are more elements than a field can count.
    pub(super) fn of_values<'v>(
        values: impl IntoIterator<Item = (&'v str, &'v AttributeValue)>,
        outline: Option<&[u8]>,
    ) -> Result<OwnFields> {
        let held = values.into_iter().map(|(name, value)| {
            let (ty, bytes, count) = bytes(value);
            (name, ty, bytes, count)
        });
        let outline = outline.map(|outline| (OUTLINE, ty::INT8, outline.to_vec(), outline.len()));
        OwnFields::new(held.chain(outline).collect())
    }

    /// Fields that name attributes, without values.
    ///
    /// # Errors
    /// When a name holds a 0.
    pub(super) fn of_names<'n>(names: impl IntoIterator<Item = (&'n str, AttributeType)>) -> Result<OwnFields> {
        OwnFields::new(names.into_iter().map(|(name, ty)| (name, field_type(ty), Vec::new(), 0)).collect())
    }

    fn new(held: Vec<(&str, i32, Vec<u8>, usize)>) -> Result<OwnFields> {
        let mut own = OwnFields {
            collection: FieldCollection { count: 0, fields: std::ptr::null() },
            fields: Box::default(),
            texts: Vec::new(),
            data: Vec::new(),
        };
        let mut fields = Vec::with_capacity(held.len());
        for (name, ty, bytes, count) in held {
            let name = CString::new(name).map_err(|_| Error::invalid("an attribute's name holds a 0"))?;
            let count = i32::try_from(count)
                .map_err(|_| Error::invalid(format_args!("{count} elements are too many for an attribute")))?;
            let bytes = bytes.into_boxed_slice();
            let data: *const c_void = if bytes.is_empty() { std::ptr::null() } else { bytes.as_ptr().cast() };
            fields.push(Field { name: name.as_ptr(), data, ty, count });
            own.texts.push(name);
            own.data.push(bytes);
        }
        own.fields = fields.into();
        own.collection.fields = own.fields.as_ptr();
        own.collection.count =
            i32::try_from(own.fields.len()).map_err(|_| Error::invalid("there are too many attributes"))?;
        Ok(own)
    }

    /// For the host to read as long as this lives, wherever it is moved: boxed, that is.
    pub(super) fn raw(&self) -> *const FieldCollection {
        &raw const self.collection
    }
}

fn field_type(attribute: AttributeType) -> i32 {
    match attribute {
        AttributeType::Int64 | AttributeType::Int64s => ty::INT64,
        AttributeType::Float32 | AttributeType::Float32s => ty::FLOAT32,
        AttributeType::Float64 | AttributeType::Float64s => ty::FLOAT64,
        AttributeType::Str | AttributeType::Bytes => ty::CHAR,
        AttributeType::Bool | AttributeType::Bools | AttributeType::Int8s => ty::INT8,
        AttributeType::Int16s => ty::INT16,
        AttributeType::Int32 | AttributeType::Int32s => ty::INT32,
        AttributeType::Float16s => ty::FLOAT16,
        AttributeType::BFloat16s => ty::BF16,
    }
}

/// A value as a field's type, its elements, and how many those are.
fn bytes(value: &AttributeValue) -> (i32, Vec<u8>, usize) {
    use bytemuck::cast_slice;
    let of = |bytes: &[u8], count: usize| (field_type(value.ty()), bytes.to_vec(), count);
    match value {
        AttributeValue::Int32(v) => of(&v.to_ne_bytes(), 1),
        AttributeValue::Int64(v) => of(&v.to_ne_bytes(), 1),
        AttributeValue::Float32(v) => of(&v.to_ne_bytes(), 1),
        AttributeValue::Float64(v) => of(&v.to_ne_bytes(), 1),
        AttributeValue::Bool(v) => of(&[u8::from(*v)], 1),
        AttributeValue::Str(v) => ended(v.as_bytes()),
        AttributeValue::Bytes(v) => ended(v),
        AttributeValue::Int8s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Int16s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Int32s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Int64s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Float16s(v) => of(cast_slice(v), v.len()),
        AttributeValue::BFloat16s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Float32s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Float64s(v) => of(cast_slice(v), v.len()),
        AttributeValue::Bools(v) => of(&v.iter().map(|v| u8::from(*v)).collect::<Vec<u8>>(), v.len()),
    }
}

/// Text as the importer gives it: with a 0 behind it.
fn ended(text: &[u8]) -> (i32, Vec<u8>, usize) {
    let mut bytes = text.to_vec();
    bytes.push(0);
    let count = bytes.len();
    (ty::CHAR, bytes, count)
}
