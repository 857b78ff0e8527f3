//! What an operator is called with.

use std::ffi::c_void;
use std::ptr;
use std::slice;

use super::abi::Torch;
use super::operators::{Host, Operator};
use super::schema::Kind;
use super::tensor::{Place, Tensor, TensorRef, handle, word};
use crate::device::{Device, FOREIGN_ALIGNMENT};
use crate::error::{Error, Result};
use crate::host::attributes::one;
use crate::host::settings::{self, extents_matter};
use crate::host::{Described, Few, KeyRoom};
use crate::network::onnx::Given;
use crate::plugin::AttributeValue;
use crate::tensor::DataType;

/// The arguments of one call, which are given back when this is dropped.
#[derive(Debug)]
pub(super) struct Arguments<'t> {
    torch: &'t Torch,
    operator: &'t Operator,
    /// Handles of tensors.
    inputs: Few<u64>,
    /// Words by kind; `None` stands for the default.
    attributes: Few<Option<u64>>,
    /// Inputs in place of which a copy is used.
    replaced: Vec<(usize, Tensor<'t>)>,
}

impl<'t> Arguments<'t> {
    /// Takes over what is on a stack.
    ///
    /// # Safety
    /// The words are the arguments that the operator's schema says, and the callee's to give back.
    #[inline]
    #[expect(unsafe_code, reason = "takes the words of a stack on trust")]
    pub(super) unsafe fn take(torch: &'t Torch, operator: &'t Operator, words: &[u64]) -> Arguments<'t> {
        let (tensors, rest) = words.split_at(operator.plugin.entry.inputs.len().min(words.len()));
        let mut inputs = Few::new(tensors.len(), 0);
        inputs.as_mut().copy_from_slice(tensors);
        let arguments = &operator.schema.attributes;
        let mut attributes = Few::new(arguments.len(), None);
        for ((slot, argument), &given) in attributes.as_mut().iter_mut().zip(arguments).zip(rest) {
            // SAFETY: as the caller says: an optional is null or a pointer to its word.
            *slot = if argument.is_optional { unsafe { unwrapped(torch, given) } } else { Some(given) };
        }
        Arguments { torch, operator, inputs, attributes, replaced: Vec::new() }
    }

    #[inline]
    pub(super) fn input(&self, index: usize) -> TensorRef<'t> {
        // SAFETY: the tensors live as long as this.
        #[expect(unsafe_code, reason = "owns the handles")]
        unsafe {
            TensorRef::new(self.torch, handle(self.inputs.as_ref().get(index).copied().unwrap_or_default()))
        }
    }

    #[inline]
    pub(super) fn inputs(&self) -> impl Iterator<Item = TensorRef<'t>> {
        (0..self.inputs.as_ref().len()).map(|index| self.input(index))
    }

    /// Where all inputs lie.
    ///
    /// # Errors
    /// When they lie on several devices.
    #[inline]
    pub(super) fn place(&self) -> Result<Place> {
        let mut places = self.inputs().map(TensorRef::place);
        let Some(first) = places.next().transpose()? else { return Ok(Place { kind: self.torch.cpu, index: 0 }) };
        match places.find(|place| place.as_ref().ok() != Some(&first)) {
            None => Ok(first),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => Err(Error::invalid("its inputs lie on several devices: move them to one")),
        }
    }

    /// All that a call is kept by.
    ///
    /// # Errors
    /// When PyTorch doesn't tell.
    #[inline]
    pub(super) fn key(&self, place: Place) -> Result<KeyRoom> {
        let mut key = KeyRoom::new(settings::generation());
        key.push((place.kind as u64) << 32 | u64::from(place.index.cast_unsigned()));
        for input in self.inputs() {
            key.push(input.dtype()? as u64);
            if extents_matter() {
                let extents = input.extents()?;
                key.push(extents.len() as u64);
                extents.iter().for_each(|extent| key.push(extent.cast_unsigned()));
            }
        }
        for (argument, word) in self.operator.schema.attributes.iter().zip(self.attributes.as_ref()) {
            let Some(word) = *word else {
                key.push(0);
                continue;
            };
            if argument.is_optional {
                key.push(1);
            }
            match argument.kind {
                Kind::Int | Kind::Float => key.push(word),
                Kind::Bool => key.push(word & 0xff),
                Kind::Text => key.push_bytes(text(self.torch, word)?),
                Kind::Ints | Kind::Floats | Kind::Bools => {
                    let len = list_len(self.torch, word)?;
                    key.push(len as u64);
                    for index in 0..len {
                        key.push(argument.kind.item(list_item(self.torch, word, index)?));
                    }
                }
            }
        }
        Ok(key)
    }

    /// What a call is made of.
    ///
    /// # Errors
    /// When the device isn't there, or a type or an attribute isn't one of the plugin's.
    #[cold]
    pub(super) fn describe(&self, host: &Host, place: Place) -> Result<Described> {
        let plugin = self.operator.plugin;
        let device = match place.kind {
            kind if kind == self.torch.cpu => Device::cpu(),
            kind if kind == self.torch.cuda => Device::cuda(usize::try_from(place.index).unwrap_or_default())?,
            other => {
                return Err(Error::invalid(format_args!(
                    "its inputs lie on a device of type {other} in PyTorch's numbers; plugins run on cpu and cuda"
                )));
            }
        };
        let types = self.inputs().zip(plugin.entry.inputs).map(|(input, name)| {
            let dtype = host.types.data_type(input.dtype()?);
            dtype.map_err(|error| error.within(format_args!("input `{name}`")))
        });
        let types = types.collect::<Result<Vec<DataType>>>()?;
        let extents = self.inputs().map(|input| Ok(input.extents()?.to_vec()));
        Ok(Described {
            name: self.operator.label.as_str().into(),
            plugin,
            device,
            types,
            attributes: self.attributes()?,
            extents: extents_matter().then(|| extents.collect::<Result<_>>()).transpose()?,
            tactics: settings::tactics()?,
        })
    }

    fn attributes(&self) -> Result<Vec<(&'static str, AttributeValue)>> {
        let mut values = Vec::new();
        for (argument, word) in self.operator.schema.attributes.iter().zip(self.attributes.as_ref()) {
            let Some(word) = *word else { continue };
            let items = || -> Result<Vec<u64>> {
                let items = 0..list_len(self.torch, word)?;
                items.map(|index| Ok(argument.kind.item(list_item(self.torch, word, index)?))).collect()
            };
            let given = match argument.kind {
                Kind::Int => Given::Int(word.cast_signed()),
                Kind::Bool => Given::Int((word & 0xff).cast_signed()),
                Kind::Float => Given::Float(f64::from_bits(word)),
                Kind::Text => Given::Text(text(self.torch, word)?),
                Kind::Ints | Kind::Bools => Given::Ints(items()?.into_iter().map(u64::cast_signed).collect()),
                Kind::Floats => Given::Floats(items()?.into_iter().map(f64::from_bits).collect()),
            };
            values.push(one(self.operator.plugin, argument.name, &given)?);
        }
        Ok(values)
    }

    /// Puts a copy in the place of each input that isn't row-major, or starts where a plugin can't use it.
    ///
    /// # Errors
    /// When there is no memory for it.
    #[inline]
    pub(super) fn make_dense(&mut self) -> Result<()> {
        for index in 0..self.inputs.as_ref().len() {
            let input = self.input(index);
            if !input.is_contiguous()? || !input.data()?.addr().is_multiple_of(FOREIGN_ALIGNMENT) {
                let original = std::mem::replace(&mut self.inputs.as_mut()[index], word(input.copied()?.into_raw()));
                // SAFETY: the handle was among the arguments, and isn't any more.
                #[expect(unsafe_code, reason = "owns a handle")]
                self.replaced.push((index, unsafe { Tensor::owned(self.torch, handle(original)) }));
            }
        }
        Ok(())
    }

    /// Copies back what was updated in a copy.
    ///
    /// # Errors
    /// When PyTorch can't write to the input, for instance as several of its elements are one.
    #[inline]
    pub(super) fn write_back(&self) -> Result<()> {
        for (index, original) in &self.replaced {
            if self.operator.schema.aliases.contains(&Some(*index)) {
                original.view().assign(self.input(*index))?;
            }
        }
        Ok(())
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        let functions = &self.torch.functions;
        // SAFETY: each is the callee's to give back, and isn't used again.
        #[expect(unsafe_code, reason = "calls PyTorch")]
        unsafe {
            for &input in self.inputs.as_ref() {
                (functions.aoti_torch_delete_tensor_object)(handle(input));
            }
            for (argument, word) in self.operator.schema.attributes.iter().zip(self.attributes.as_ref()) {
                let Some(word) = *word else { continue };
                match argument.kind {
                    Kind::Int | Kind::Float | Kind::Bool => 0,
                    Kind::Text => (functions.torch_delete_string)(handle(word)),
                    Kind::Ints | Kind::Floats | Kind::Bools => (functions.torch_delete_list)(handle(word)),
                };
            }
        }
    }
}

/// The word that an optional holds.
///
/// # Safety
/// It is null or a pointer to a word, which is the callee's to give back.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
unsafe fn unwrapped(torch: &Torch, given: u64) -> Option<u64> {
    let place: *mut u64 = ptr::with_exposed_provenance_mut(given as usize);
    if place.is_null() {
        return None;
    }
    // SAFETY: as the caller says; before 2.13 it is C++'s to delete.
    unsafe {
        let word = place.read();
        match (torch.functions.torch_delete_stable_ivalue, torch.functions._ZdlPv) {
            (Some(delete), _) => drop(delete(place)),
            (None, Some(delete)) => delete(place.cast::<c_void>()),
            (None, None) => {}
        }
        Some(word)
    }
}

#[inline]
fn list_len(torch: &Torch, list: u64) -> Result<usize> {
    let mut len = 0;
    // SAFETY: the list is an argument; the answer is a local.
    #[expect(unsafe_code, reason = "calls PyTorch")]
    let code = unsafe { (torch.functions.torch_list_size)(handle(list), &raw mut len) };
    torch.done(code, "tell the length of a list")?;
    Ok(len)
}

#[inline]
fn list_item(torch: &Torch, list: u64, index: usize) -> Result<u64> {
    let mut item = 0;
    // SAFETY: the list is an argument; the answer is a local.
    #[expect(unsafe_code, reason = "calls PyTorch")]
    let code = unsafe { (torch.functions.torch_list_get_item)(handle(list), index, &raw mut item) };
    torch.done(code, "read a list")?;
    Ok(item)
}

/// The bytes of a text, which stay where they are as long as the argument.
#[inline]
fn text(torch: &Torch, string: u64) -> Result<&[u8]> {
    let (mut len, mut start) = (0, ptr::null());
    // SAFETY: the string is an argument; the answers are locals.
    #[expect(unsafe_code, reason = "calls PyTorch")]
    let codes = unsafe {
        (
            (torch.functions.torch_string_length)(handle(string), &raw mut len),
            (torch.functions.torch_string_c_str)(handle(string), &raw mut start),
        )
    };
    torch.done(codes.0 | codes.1, "read a text")?;
    if start.is_null() {
        return Ok(&[]);
    }
    // SAFETY: PyTorch says that so many bytes are there.
    #[expect(unsafe_code, reason = "reads memory of PyTorch")]
    Ok(unsafe { slice::from_raw_parts(start.cast(), len) })
}
