//! What a plugin's function is called with: its inputs, then its attributes.

use std::ffi::c_void;
use std::ops::Range;

use super::abi::{Any, types};
use super::value::{self, Value};
use crate::device::Device;
use crate::device::dlpack::{
    CPU, CUDA, CUDA_HOST, CUDA_MANAGED, DLDevice, DLTensor, check_strides, device_name, from_dlpack,
};
use crate::error::{Error, Result};
use crate::host::KeyRoom;
use crate::host::attributes::{Attributes, one};
use crate::plugin::Plugin;
use crate::shape::Dims;
use crate::tensor::{DataType, Representation};
use crate::wording::counted;

/// The arguments of one call, as many as the plugin's function takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a> {
    plugin: &'static Plugin,
    inputs: &'a [Any],
    attributes: &'a [Any],
}

/// An input in its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    pub(super) extents: &'a [i64],
    pub(super) start: *const c_void,
}

impl<'a> Arguments<'a> {
    /// # Safety
    /// The values and what they point to live and stay as they are as long as this is used.
    ///
    /// # Errors
    /// When there are too many, or too few.
    #[expect(unsafe_code, reason = "takes values of the runtime on trust")]
    pub(super) unsafe fn new(plugin: &'static Plugin, all: &'a [Any]) -> Result<Arguments<'a>> {
        let (inputs, attributes) = (plugin.entry.inputs, plugin.entry.attributes);
        if all.len() < inputs.len() || all.len() > inputs.len() + attributes.len() {
            return Err(wrong_count(plugin, all.len()));
        }
        let (inputs, attributes) = all.split_at(inputs.len());
        Ok(Arguments { plugin, inputs, attributes })
    }

    /// The arrays.
    ///
    /// # Errors
    /// When one of the values isn't an array.
    #[inline]
    pub(super) fn array(&self, input: usize) -> Result<&'a DLTensor> {
        let any = &self.inputs[input];
        // SAFETY: whoever made this says that the values live.
        #[expect(unsafe_code, reason = "reads a value of the runtime")]
        match unsafe { Value::of(any) } {
            Value::Array(array) => Ok(array),
            other => Err(self.named(input, Error::invalid(format_args!("it is {}, not an array", other.describe())))),
        }
    }

    /// An input, which has to be contiguous.
    ///
    /// # Errors
    /// When it isn't, or no array can be such.
    #[inline]
    pub(super) fn input(&self, input: usize) -> Result<Input<'a>> {
        let array = self.array(input)?;
        // SAFETY: whoever made this says that the values live.
        #[expect(unsafe_code, reason = "reads an array of the runtime")]
        let (extents, strides) = unsafe {
            let extents = value::extents(array).map_err(|error| self.named(input, error))?;
            (extents, value::strides(array).map_err(|error| self.named(input, error))?)
        };
        if strides.is_some_and(|strides| !is_contiguous(extents, strides)) {
            let dims = Dims::new(extents).unwrap_or_default();
            check_strides(&dims, strides.unwrap_or_default()).map_err(|error| self.named(input, error))?;
        }
        let offset = usize::try_from(array.byte_offset).unwrap_or(0);
        Ok(Input { extents, start: array.data.cast_const().wrapping_byte_add(offset) })
    }

    /// The device that all inputs are on: its kind and number by DLPack. That of a plugin without inputs is the CPU.
    ///
    /// # Errors
    /// When two are on different ones.
    #[inline]
    pub(super) fn device(&self) -> Result<DLDevice> {
        let mut device = DLDevice { device_type: CPU, device_id: 0 };
        for input in 0..self.inputs.len() {
            let given = self.array(input)?.device;
            let own = match given.device_type {
                CPU | CUDA_HOST => DLDevice { device_type: CPU, device_id: 0 },
                CUDA_MANAGED => DLDevice { device_type: CUDA, ..given },
                _ => given,
            };
            if input > 0 && own != device {
                let names = self.plugin.entry.inputs;
                let (own, first) = (device_name(own), device_name(device));
                return Err(
                    self.named(input, Error::invalid(format_args!("it lies in {own}, but `{}` in {first}", names[0])))
                );
            }
            device = own;
        }
        Ok(device)
    }

    /// What a call is kept for: device, types, ranks and attributes, and where they matter the extents.
    ///
    /// # Errors
    /// When an input isn't an array.
    #[inline]
    pub(super) fn key(&self, device: DLDevice, extents_matter: bool) -> Result<KeyRoom> {
        let mut key = KeyRoom::new((device.device_type as u64) << 32 | u64::from(device.device_id.cast_unsigned()));
        for input in 0..self.inputs.len() {
            let array = self.array(input)?;
            let (dtype, rank) = (array.dtype, u64::from(array.ndim.cast_unsigned()));
            key.push(u64::from(dtype.code) | u64::from(dtype.bits) << 8 | u64::from(dtype.lanes) << 16 | rank << 32);
            if extents_matter {
                // SAFETY: whoever made this says that the values live.
                #[expect(unsafe_code, reason = "reads an array of the runtime")]
                let extents = unsafe { value::extents(array) }.unwrap_or_default();
                extents.iter().for_each(|extent| key.push(extent.cast_unsigned()));
            }
        }
        for any in self.attributes {
            // SAFETY: whoever made this says that the values live.
            #[expect(unsafe_code, reason = "reads values of the runtime")]
            unsafe {
                Value::of(any).add_to(&mut key);
            }
        }
        Ok(key)
    }

    /// Element types of the inputs.
    ///
    /// # Errors
    /// When there is no such type here.
    pub(super) fn dtypes(&self) -> Result<Vec<DataType>> {
        let dtype = |input| self.array(input).and_then(|array| from_dlpack(array.dtype));
        (0..self.inputs.len()).map(|input| dtype(input).map_err(|error| self.named(input, error))).collect()
    }

    /// The attributes that are given.
    ///
    /// # Errors
    /// When one is of a kind or has a value that the plugin doesn't take.
    pub(super) fn attributes(&self) -> Result<Attributes> {
        let mut values = Vec::new();
        for (schema, any) in self.plugin.entry.attributes.iter().zip(self.attributes) {
            // SAFETY: whoever made this says that the values live.
            #[expect(unsafe_code, reason = "reads a value of the runtime")]
            let given = unsafe { Value::of(any).given() };
            let at = || format!("attribute `{}` of `{}`", schema.name, self.plugin.label());
            if let Some(given) = given.map_err(|error| error.within(at()))? {
                values.push(one(self.plugin, schema.name, &given)?);
            }
        }
        Ok(values)
    }

    /// Refuses inputs that lie in memory which this call writes.
    ///
    /// # Errors
    /// When another input shares memory with the one that is updated in place.
    pub(super) fn check_apart(&self, updated: usize) -> Result<()> {
        let range = |input: usize| -> Result<Range<usize>> {
            let Input { extents, start } = self.input(input)?;
            let dims = Dims::new(extents).unwrap_or_default();
            let bytes = from_dlpack(self.array(input)?.dtype).and_then(|ty| Representation::linear(ty).bytes(&dims))?;
            Ok(start.addr()..start.addr().saturating_add(bytes))
        };
        let own = range(updated)?;
        for other in (0..self.inputs.len()).filter(|other| *other != updated) {
            let its = range(other)?;
            if own.start < its.end && its.start < own.end {
                let name = self.plugin.entry.inputs[updated];
                return Err(self.named(
                    other,
                    Error::invalid(format_args!("it shares memory with `{name}`, which is updated in place")),
                ));
            }
        }
        Ok(())
    }

    /// Says of an error that it is an input's.
    #[cold]
    pub(super) fn named(&self, input: usize, error: Error) -> Error {
        let name = self.plugin.entry.inputs.get(input).copied().unwrap_or_default();
        error.within(format_args!("input `{name}` of `{}`", self.plugin.label()))
    }
}

/// Whether strides are those of a row-major array. Those of extents 0 and 1 don't matter.
#[inline]
fn is_contiguous(extents: &[i64], strides: &[i64]) -> bool {
    let mut compact = 1i64;
    for (&extent, &stride) in extents.iter().zip(strides).rev() {
        if extent > 1 && stride != compact {
            return extents.contains(&0);
        }
        compact = compact.saturating_mul(extent.max(1));
    }
    true
}

#[cold]
fn wrong_count(plugin: &'static Plugin, given: usize) -> Error {
    let (inputs, attributes) = (plugin.entry.inputs, plugin.entry.attributes);
    let attributes: Vec<&str> = attributes.iter().map(|attribute| attribute.name).collect();
    let and = match attributes.as_slice() {
        [] => "no attributes".to_owned(),
        names => format!("then {}: {}", counted(names.len(), "attribute"), names.join(", ")),
    };
    Error::invalid(format_args!(
        "`{}` is called with {}, but takes {}: {}; {and}",
        plugin.label(),
        counted(given, "value"),
        counted(inputs.len(), "input"),
        inputs.join(", ")
    ))
}

/// The device of the runtime that DLPack means.
///
/// # Errors
/// When it isn't there.
pub(super) fn device_of(device: DLDevice) -> Result<Device> {
    match (device.device_type, usize::try_from(device.device_id)) {
        (CPU, _) => Ok(Device::cpu()),
        (CUDA, Ok(ordinal)) => Device::cuda(ordinal),
        _ => Err(Error::invalid(format_args!("arrays lie in {}, where no plugin runs", device_name(device)))),
    }
}

/// A text argument; `None` where it is left out.
///
/// # Safety
/// As [`Value::of`].
///
/// # Errors
/// When it is something else, or isn't UTF-8.
#[expect(unsafe_code, reason = "takes a value of the runtime on trust")]
pub(super) unsafe fn text<'a>(any: Option<&'a Any>, name: &str) -> Result<Option<&'a str>> {
    // SAFETY: as the caller says.
    match any.map(|any| unsafe { Value::of(any) }) {
        None | Some(Value::Missing) => Ok(None),
        Some(Value::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Error::invalid(format_args!("`{name}` isn't UTF-8"))),
        },
        Some(other) => Err(Error::invalid(format_args!("`{name}` is {}, not a str", other.describe()))),
    }
}

/// An integer or boolean argument; `None` where it is left out.
///
/// # Errors
/// When it is something else.
pub(super) fn int(any: Option<&Any>, name: &str) -> Result<Option<i64>> {
    match any {
        None => Ok(None),
        Some(any) if any.type_index == types::NONE => Ok(None),
        // SAFETY: the type says what it is.
        #[expect(unsafe_code, reason = "reads what it is by its type")]
        Some(any) if matches!(any.type_index, types::INT | types::BOOL) => Ok(Some(unsafe { any.payload.int })),
        Some(any) => Err(Error::invalid(format_args!("`{name}` is {any:?}, not a number"))),
    }
}
