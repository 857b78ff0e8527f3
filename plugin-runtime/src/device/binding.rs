//! What callers give an engine to read and write.

use std::ptr::NonNull;
use std::sync::Arc;

use crate::error::{ElementTypeError, Error, Result};
use crate::tensor::{DataType, Element, HostTensor};

/// What a caller gives for one input or output of an engine, in the engine's order: inputs, then outputs.
#[derive(Debug)]
pub struct Binding<'a>(Bound<'a>);

#[derive(Debug)]
enum Bound<'a> {
    Read(&'a [u8], ElementCheck),
    Write(&'a mut [u8], ElementCheck),
    InPlace(&'a mut [u8], ElementCheck),
    Aliased,
}

#[derive(Clone, Copy, Debug)]
struct ElementCheck {
    views: fn(DataType) -> bool,
    name: &'static str,
}

impl ElementCheck {
    fn of<T: Element>() -> Self {
        ElementCheck { views: T::views, name: T::NAME }
    }
}

/// How an engine uses a binding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BindingUse {
    Read,
    Write,
    /// Read, and updated in place.
    Update,
    /// In the memory of the binding of this index.
    Aliases(usize),
}

/// What a binding must be.
#[derive(Clone, Debug)]
pub(crate) struct BindingRule {
    pub(crate) name: Arc<str>,
    pub(crate) dtype: DataType,
    pub(crate) usage: BindingUse,
    /// How much it must hold.
    pub(crate) bytes: usize,
}

impl<'a> Binding<'a> {
    /// An input, which is only read.
    pub fn input<T: Element>(data: &'a [T]) -> Self {
        Binding(Bound::Read(bytemuck::cast_slice(data), ElementCheck::of::<T>()))
    }

    /// An output.
    pub fn output<T: Element>(data: &'a mut [T]) -> Self {
        Binding(Bound::Write(bytemuck::cast_slice_mut(data), ElementCheck::of::<T>()))
    }

    /// An input that a plugin updates in place.
    pub fn in_place<T: Element>(data: &'a mut [T]) -> Self {
        Binding(Bound::InPlace(bytemuck::cast_slice_mut(data), ElementCheck::of::<T>()))
    }

    /// An output that lies in the memory of an input given as [`Binding::in_place`].
    pub fn aliased() -> Self {
        Binding(Bound::Aliased)
    }

    /// An input, which is only read.
    pub fn input_tensor(tensor: &'a HostTensor) -> Self {
        Binding(Bound::Read(tensor.bytes(), ElementCheck { views: |_| true, name: tensor.dtype().name() }))
    }

    pub(crate) fn output_bytes(bytes: &'a mut [u8]) -> Self {
        Binding(Bound::Write(bytes, ElementCheck { views: |_| true, name: "bytes" }))
    }

    pub(crate) fn in_place_bytes(bytes: &'a mut [u8]) -> Self {
        Binding(Bound::InPlace(bytes, ElementCheck { views: |_| true, name: "bytes" }))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct BasePointer {
    pub(super) start: NonNull<u8>,
    pub(super) len: usize,
    pub(super) writable: bool,
}

impl BasePointer {
    pub(super) const NONE: BasePointer = BasePointer { start: NonNull::dangling(), len: 0, writable: false };

    pub(super) fn read(bytes: &[u8]) -> Self {
        BasePointer { start: NonNull::from(bytes).cast(), len: bytes.len(), writable: false }
    }

    pub(super) fn write(bytes: &mut [u8]) -> Self {
        BasePointer { start: NonNull::from(&mut *bytes).cast(), len: bytes.len(), writable: true }
    }
}

impl Binding<'_> {
    pub(super) fn base(&mut self, rule: &BindingRule, rules: &[BindingRule]) -> Result<BasePointer> {
        let (base, check) = match (&mut self.0, rule.usage) {
            (Bound::Read(bytes, check), BindingUse::Read) => (BasePointer::read(bytes), *check),
            (Bound::InPlace(bytes, check), BindingUse::Read | BindingUse::Update) => {
                (BasePointer::write(bytes), *check)
            }
            (Bound::Write(bytes, check), BindingUse::Write) => (BasePointer::write(bytes), *check),
            (Bound::Aliased, BindingUse::Aliases(_)) => return Ok(BasePointer::NONE),
            (given, expected) => {
                return Err(Error::invalid(format_args!(
                    "`{}` {}; it was bound as {}",
                    rule.name,
                    expected.describe(rules),
                    given.describe()
                )));
            }
        };
        if !(check.views)(rule.dtype) {
            return Err(
                ElementTypeError { tensor: rule.name.to_string(), dtype: rule.dtype, requested: check.name }.into()
            );
        }
        if base.len < rule.bytes {
            return Err(Error::invalid(format_args!(
                "`{}` needs {} bytes of {} at the present shapes, but {} were bound",
                rule.name, rule.bytes, rule.dtype, base.len
            )));
        }
        Ok(base)
    }
}

impl Bound<'_> {
    fn describe(&self) -> &'static str {
        match self {
            Bound::Read(..) => "Binding::input",
            Bound::Write(..) => "Binding::output",
            Bound::InPlace(..) => "Binding::in_place",
            Bound::Aliased => "Binding::aliased",
        }
    }
}

impl BindingUse {
    fn describe(self, rules: &[BindingRule]) -> String {
        match self {
            BindingUse::Read => "is an input: write Binding::input(&data)".into(),
            BindingUse::Write => "is an output: write Binding::output(&mut data)".into(),
            BindingUse::Update => {
                "is an input that a plugin updates in place: write Binding::in_place(&mut data)".into()
            }
            BindingUse::Aliases(index) => format!(
                "lies in the memory of `{}`: write Binding::aliased()",
                rules.get(index).map_or("another binding", |r| &r.name)
            ),
        }
    }
}
