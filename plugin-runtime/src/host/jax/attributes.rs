//! Attributes of a call.

use std::borrow::Cow;

use super::abi::{CallFrame, Item};
use crate::error::{Error, Result};
use crate::host::KeyRoom;
use crate::host::attributes::one;
use crate::network::onnx::Given;
use crate::plugin::{AttributeValue, Plugin, Registry};

/// The attribute that names the plugin.
const PLUGIN: &[u8] = b"plugin_runtime.plugin";
/// The one that holds its version.
const VERSION: &[u8] = b"plugin_runtime.version";

/// Where the plugin of a call is among those that are linked.
///
/// # Errors
/// When none is named, or it isn't linked.
#[inline]
pub(super) fn plugin(frame: &CallFrame) -> Result<usize> {
    let (mut id, mut version) = ("", 1);
    for (name, item) in frame.attributes.iter() {
        match (name, item) {
            (PLUGIN, Item::Text(text)) => id = std::str::from_utf8(text).unwrap_or_default(),
            (VERSION, _) => version = u32::try_from(integer(item).unwrap_or_default()).unwrap_or_default(),
            _ => {}
        }
    }
    let registry = Registry::global()?;
    let found =
        registry.plugins().binary_search_by(|plugin| (plugin.entry.id, plugin.entry.version).cmp(&(id, version)));
    found.map_err(|_| registry.get(id, version).map_or_else(Error::from, |_| Error::invalid("no such plugin")))
}

/// Adds all attributes to what a call is kept by.
#[inline]
pub(super) fn add_to(key: &mut KeyRoom, frame: &CallFrame) {
    for (name, item) in frame.attributes.iter() {
        key.push_bytes(name);
        match item {
            Item::Scalar(dtype, _) | Item::Array(dtype, ..) | Item::Other(dtype) => key.push(dtype as u64),
            Item::Text(_) => {}
        }
        key.push_bytes(bytes(item));
    }
}

/// The attributes that are the plugin's.
///
/// # Errors
/// When it has none of that name, or one is of a kind or has a value that it doesn't take.
pub(super) fn of_plugin(plugin: &Plugin, frame: &CallFrame) -> Result<Vec<(&'static str, AttributeValue)>> {
    let own = frame.attributes.iter().filter(|(name, _)| ![PLUGIN, VERSION].contains(name));
    own.map(|(name, item)| {
        let name = String::from_utf8_lossy(name);
        one(plugin, &name, &given(item).map_err(|error| error.within(format_args!("attribute `{name}`")))?)
    })
    .collect()
}

/// Elements by XLA's number of their type.
macro_rules! numbers {
    ($dtype:expr, $bytes:expr; $($code:literal $ty:ty as $wide:ident;)*) => {
        match $dtype {
            $($code => {
                let items = $bytes.as_chunks::<{ size_of::<$ty>() }>().0.iter();
                Ok(numbers!(@ $wide items.map(|bytes| <$ty>::from_ne_bytes(*bytes))))
            })*
            other => Err(Error::invalid(format_args!("its type, {other} in XLA's numbers, isn't one of attributes"))),
        }
    };
    (@ int $items:expr) => { Numbers::Ints($items.map(|item| i64::try_from(item).unwrap_or(i64::MAX)).collect()) };
    (@ float $items:expr) => { Numbers::Floats($items.map(f64::from).collect()) };
}

enum Numbers {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

fn numbers(dtype: i32, bytes: &[u8]) -> Result<Numbers> {
    numbers! { dtype, bytes;
        1 u8 as int; 2 i8 as int; 3 i16 as int; 4 i32 as int; 5 i64 as int;
        6 u8 as int; 7 u16 as int; 8 u32 as int; 9 u64 as int;
        11 f32 as float; 12 f64 as float;
    }
}

fn integer(item: Item<'_>) -> Option<i64> {
    let Item::Scalar(dtype, _) = item else { return None };
    match numbers(dtype, bytes(item)).ok()? {
        Numbers::Ints(values) => values.first().copied(),
        Numbers::Floats(_) => None,
    }
}

fn given(item: Item<'_>) -> Result<Given<'_>> {
    let empty = || Error::invalid("it holds nothing");
    Ok(match item {
        Item::Text(text) => Given::Text(text),
        Item::Scalar(dtype, _) => match numbers(dtype, bytes(item))? {
            Numbers::Ints(values) => Given::Int(*values.first().ok_or_else(empty)?),
            Numbers::Floats(values) => Given::Float(*values.first().ok_or_else(empty)?),
        },
        Item::Array(dtype, ..) => match numbers(dtype, bytes(item))? {
            Numbers::Ints(values) => Given::Ints(Cow::Owned(values)),
            Numbers::Floats(values) => Given::Floats(values),
        },
        Item::Other(kind) => {
            return Err(Error::invalid(format_args!(
                "it is of kind {kind} in XLA's numbers, which a plugin can't take"
            )));
        }
    })
}

/// Bytes of one element of XLA's type.
fn size(dtype: i32) -> usize {
    match dtype {
        1 | 2 | 6 => 1,
        3 | 7 | 10 | 16 => 2,
        4 | 8 | 11 => 4,
        5 | 9 | 12 => 8,
        _ => 0,
    }
}

/// What an attribute holds.
fn bytes(item: Item<'_>) -> &[u8] {
    let (start, len) = match item {
        Item::Text(text) => return text,
        Item::Scalar(dtype, start) => (start, size(dtype)),
        Item::Array(dtype, len, start) => (start, size(dtype).saturating_mul(len)),
        Item::Other(_) => return &[],
    };
    if start.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the runtime keeps as many elements there as it says, as long as the frame that the item is of.
    #[expect(unsafe_code, reason = "reads memory of the runtime")]
    unsafe {
        std::slice::from_raw_parts(start.cast(), len)
    }
}
