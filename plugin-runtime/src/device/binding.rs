//! Bindings: the memory of an engine's inputs and outputs.

use std::ffi::c_void;
use std::num::NonZero;
use std::ptr::NonNull;
use std::sync::Arc;

use super::cuda::{CudaStream, DeviceTensor};
use super::{Device, DeviceKind};

use crate::error::{Error, Result};
use crate::tensor::{DataType, Element, ElementTypeError, HostTensor};

/// Alignment of foreign memory, in bytes: what the widest loads of a GPU need.
pub const FOREIGN_ALIGNMENT: usize = align_of::<Aligned>();

#[repr(align(16))]
struct Aligned;

/// The memory of one input or output of an engine. Bindings come in the engine's order: inputs, then outputs.
#[derive(Debug)]
pub struct Binding<'a>(Bound<'a>);

#[derive(Debug)]
enum Bound<'a> {
    Read(&'a [u8], ElementCheck),
    Write(&'a mut [u8], ElementCheck),
    InPlace(&'a mut [u8], ElementCheck),
    DeviceRead(&'a DeviceTensor),
    DeviceWrite(&'a mut DeviceTensor),
    DeviceInPlace(&'a mut DeviceTensor),
    /// Foreign memory, on the device that the engine runs on.
    Foreign(Foreign),
    Aliased,
}

/// Foreign memory: address, length and element type.
#[derive(Clone, Copy, Debug)]
struct Foreign {
    address: usize,
    bytes: usize,
    dtype: DataType,
    role: Role,
}

/// Whether a run reads, writes or updates foreign memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    Reads,
    Writes,
    Updates,
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

/// The name, element type, use and size that a binding must have.
#[derive(Clone, Debug)]
pub(crate) struct BindingRule {
    pub(crate) name: Arc<str>,
    pub(crate) dtype: DataType,
    pub(crate) usage: BindingUse,
    /// The least bytes that it must hold.
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

    /// An input in a GPU's memory, which is only read. It may be changed or dropped as soon as the run is enqueued: that
    /// happens after the run, whatever the stream.
    pub fn device_input(tensor: &'a DeviceTensor) -> Self {
        Binding(Bound::DeviceRead(tensor))
    }

    /// An output in a GPU's memory. It may be read, changed or dropped as soon as the run is enqueued: that happens after
    /// the run, whatever the stream.
    pub fn device_output(tensor: &'a mut DeviceTensor) -> Self {
        Binding(Bound::DeviceWrite(tensor))
    }

    /// An input in a GPU's memory that a plugin updates in place; otherwise as [`Binding::device_output`].
    pub fn device_in_place(tensor: &'a mut DeviceTensor) -> Self {
        Binding(Bound::DeviceInPlace(tensor))
    }

    /// An input in foreign memory, which is only read: on a GPU an address that the GPU sees, on the CPU one of the
    /// host. The address is a multiple of [`FOREIGN_ALIGNMENT`]. Where two such bindings overlap and one is written,
    /// the run is refused.
    ///
    /// # Safety
    /// `bytes` bytes at `address` can be read by the device that the engine runs on, hold elements of `dtype`, and stay
    /// there, unchanged, until the run is done: where it is captured into a graph, until the graph is gone.
    #[expect(unsafe_code, reason = "takes an address on trust")]
    pub unsafe fn foreign_input(address: *const c_void, bytes: usize, dtype: DataType) -> Binding<'static> {
        Binding::foreign(address.expose_provenance(), bytes, dtype, Role::Reads)
    }

    /// An output in foreign memory; otherwise as [`Binding::foreign_input`].
    ///
    /// # Safety
    /// As for [`Binding::foreign_input`]; nothing else uses the bytes until the run is done.
    #[expect(unsafe_code, reason = "takes an address on trust")]
    pub unsafe fn foreign_output(address: *mut c_void, bytes: usize, dtype: DataType) -> Binding<'static> {
        Binding::foreign(address.expose_provenance(), bytes, dtype, Role::Writes)
    }

    /// An input in foreign memory that a plugin updates in place; the output that lies there is bound as
    /// [`Binding::aliased`]. Otherwise as [`Binding::foreign_input`].
    ///
    /// # Safety
    /// As for [`Binding::foreign_output`].
    #[expect(unsafe_code, reason = "takes an address on trust")]
    pub unsafe fn foreign_in_place(address: *mut c_void, bytes: usize, dtype: DataType) -> Binding<'static> {
        Binding::foreign(address.expose_provenance(), bytes, dtype, Role::Updates)
    }

    fn foreign(address: usize, bytes: usize, dtype: DataType, role: Role) -> Binding<'static> {
        Binding(Bound::Foreign(Foreign { address, bytes, dtype, role }))
    }

    pub(crate) fn output_bytes(bytes: &'a mut [u8]) -> Self {
        Binding(Bound::Write(bytes, ElementCheck { views: |_| true, name: "bytes" }))
    }

    pub(crate) fn in_place_bytes(bytes: &'a mut [u8]) -> Self {
        Binding(Bound::InPlace(bytes, ElementCheck { views: |_| true, name: "bytes" }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BasePointer {
    /// On a GPU an address in its memory, which the host never follows.
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

    /// Memory of somebody else on the host.
    #[inline]
    pub(super) fn foreign(address: usize, len: usize, writable: bool) -> Self {
        // Of no bytes the address may be anything; slices of them are aligned all the same.
        let start = NonNull::new(std::ptr::with_exposed_provenance_mut(address)).filter(|_| len > 0);
        BasePointer { start: start.unwrap_or(NonNull::<Aligned>::dangling().cast()), len, writable }
    }

    /// Memory of a device.
    #[inline]
    pub(super) fn device(address: u64, len: usize, writable: bool) -> Self {
        // Of no bytes the address may be anything, null too; views of them have to be aligned all the same.
        let start = NonZero::new(address as usize).filter(|_| len > 0).map(NonNull::without_provenance);
        BasePointer { start: start.unwrap_or(NonNull::<Aligned>::dangling().cast()), len, writable }
    }
}

impl Binding<'_> {
    /// Checks the binding, sets `base` to its address, and orders `stream` after other work that uses it. `device` is
    /// where the engine runs; a GPU has a stream. Returns whether another binding may lie in the same memory.
    #[inline]
    pub(super) fn place(
        &mut self,
        device: &Device,
        rule: &BindingRule,
        rules: &[BindingRule],
        base: &mut BasePointer,
        stream: Option<&CudaStream>,
    ) -> Result<bool> {
        let shared = match (&mut self.0, rule.usage) {
            (Bound::DeviceRead(tensor), BindingUse::Read) => {
                on_device(tensor, false, device, rule, base)?;
                stream.map_or(Ok(()), |stream| tensor.use_for_reading(stream))?;
                tensor.is_lent()
            }
            (Bound::DeviceInPlace(tensor), BindingUse::Read | BindingUse::Update)
            | (Bound::DeviceWrite(tensor), BindingUse::Write) => {
                on_device(tensor, true, device, rule, base)?;
                stream.map_or(Ok(()), |stream| tensor.use_for_writing(stream))?;
                tensor.is_lent()
            }
            _ => self.place_elsewhere(device, rule, rules, base)?,
        };
        if base.len < rule.bytes { Err(too_small(base.len, rule)) } else { Ok(shared) }
    }

    /// As [`Binding::place`], of what isn't in a tensor of the device.
    #[inline(never)]
    fn place_elsewhere(
        &mut self,
        device: &Device,
        rule: &BindingRule,
        rules: &[BindingRule],
        base: &mut BasePointer,
    ) -> Result<bool> {
        match (&mut self.0, rule.usage) {
            (Bound::Read(bytes, check), BindingUse::Read) => {
                *base = BasePointer::read(bytes);
                on_host(check, device, rule)?;
            }
            (Bound::InPlace(bytes, check), BindingUse::Read | BindingUse::Update)
            | (Bound::Write(bytes, check), BindingUse::Write) => {
                *base = BasePointer::write(bytes);
                on_host(check, device, rule)?;
            }
            (Bound::Foreign(foreign), usage) if foreign.suits(usage) => {
                foreign.check(rule)?;
                *base = foreign.place(device);
                return Ok(true);
            }
            (Bound::Aliased, BindingUse::Aliases(_)) => *base = BasePointer::NONE,
            (given, expected) => return Err(unexpected(given, expected, device, rule, rules)),
        }
        Ok(false)
    }
}

impl Foreign {
    fn suits(&self, usage: BindingUse) -> bool {
        matches!(
            (self.role, usage),
            (Role::Reads, BindingUse::Read)
                | (Role::Writes, BindingUse::Write)
                | (Role::Updates, BindingUse::Read | BindingUse::Update)
        )
    }

    fn check(&self, rule: &BindingRule) -> Result<()> {
        if self.dtype != rule.dtype {
            return Err(other_type(self.dtype.name(), rule));
        }
        if self.bytes > 0 && (self.address == 0 || !self.address.is_multiple_of(FOREIGN_ALIGNMENT)) {
            return Err(Error::invalid(format_args!(
                "`{}` is at {:#x}, which isn't a multiple of {FOREIGN_ALIGNMENT}: copy it to where it is",
                rule.name, self.address
            )));
        }
        if self.address.checked_add(self.bytes).is_none() {
            return Err(Error::invalid(format_args!("`{}` is longer than there are addresses", rule.name)));
        }
        Ok(())
    }

    fn place(&self, device: &Device) -> BasePointer {
        let writable = self.role != Role::Reads;
        match device.gpu() {
            Some(_) => BasePointer::device(self.address as u64, self.bytes, writable),
            None => BasePointer::foreign(self.address, self.bytes, writable),
        }
    }
}

/// Refuses bindings that overlap, of which one is written.
///
/// # Errors
/// Names both, with their addresses.
#[cold]
pub(super) fn check_overlaps(bases: &[BasePointer], rules: &[BindingRule]) -> Result<()> {
    let range = |base: &BasePointer| base.start.addr().get()..base.start.addr().get().saturating_add(base.len);
    for (index, (base, rule)) in bases.iter().zip(rules).enumerate() {
        for (earlier, of_earlier) in bases[..index].iter().zip(rules) {
            let (a, b) = (range(earlier), range(base));
            let overlap = !a.is_empty() && !b.is_empty() && a.start < b.end && b.start < a.end;
            if overlap && (base.writable || earlier.writable) {
                return Err(Error::invalid(format_args!(
                    "`{}` at {:#x}..{:#x} and `{}` at {:#x}..{:#x} overlap, and one of them is written: give each memory of \
                     its own, or where a plugin updates an input in place, bind the output as Binding::aliased()",
                    of_earlier.name, a.start, a.end, rule.name, b.start, b.end
                )));
            }
        }
    }
    Ok(())
}

#[cold]
fn unexpected(
    given: &Bound<'_>,
    expected: BindingUse,
    device: &Device,
    rule: &BindingRule,
    rules: &[BindingRule],
) -> Error {
    Error::invalid(format_args!(
        "`{}` {}; it was bound as {}",
        rule.name,
        expected.describe(device.kind(), rules),
        given.describe()
    ))
}

#[cold]
fn too_small(len: usize, rule: &BindingRule) -> Error {
    Error::invalid(format_args!(
        "`{}` needs {} bytes of {} at the present shapes, but {len} were bound",
        rule.name, rule.bytes, rule.dtype
    ))
}

#[inline]
fn on_host(check: &ElementCheck, device: &Device, rule: &BindingRule) -> Result<()> {
    if device.gpu().is_some() {
        return Err(not_on_device(device, rule));
    }
    if !(check.views)(rule.dtype) {
        return Err(other_type(check.name, rule));
    }
    Ok(())
}

#[inline]
fn on_device(
    tensor: &DeviceTensor,
    writable: bool,
    device: &Device,
    rule: &BindingRule,
    base: &mut BasePointer,
) -> Result<()> {
    if tensor.device() != device {
        return Err(elsewhere(tensor, device, rule));
    }
    if tensor.dtype() != rule.dtype {
        return Err(other_type(tensor.dtype().name(), rule));
    }
    if writable && tensor.is_read_only() {
        return Err(read_only(rule));
    }
    *base = BasePointer::device(tensor.address(), tensor.byte_len(), writable);
    Ok(())
}

#[cold]
fn not_on_device(device: &Device, rule: &BindingRule) -> Error {
    Error::invalid(format_args!(
        "`{}` is in host memory, but the engine runs on `{device}`: copy it to a DeviceTensor, and bind that with \
         Binding::device_input, device_output or device_in_place",
        rule.name
    ))
}

#[cold]
fn elsewhere(tensor: &DeviceTensor, device: &Device, rule: &BindingRule) -> Error {
    Error::invalid(format_args!(
        "`{}` is in the memory of `{}`, but the engine runs on `{device}`",
        rule.name,
        tensor.device()
    ))
}

#[cold]
fn read_only(rule: &BindingRule) -> Error {
    Error::invalid(format_args!("`{}` is bound to be written, but lent read-only: copy it first", rule.name))
}

#[cold]
fn other_type(requested: &'static str, rule: &BindingRule) -> Error {
    ElementTypeError { tensor: rule.name.to_string(), dtype: rule.dtype, requested }.into()
}

impl Bound<'_> {
    fn describe(&self) -> &'static str {
        match self {
            Bound::Read(..) => "Binding::input",
            Bound::Write(..) => "Binding::output",
            Bound::InPlace(..) => "Binding::in_place",
            Bound::DeviceRead(_) => "Binding::device_input",
            Bound::DeviceWrite(_) => "Binding::device_output",
            Bound::DeviceInPlace(_) => "Binding::device_in_place",
            Bound::Foreign(foreign) => match foreign.role {
                Role::Reads => "Binding::foreign_input",
                Role::Writes => "Binding::foreign_output",
                Role::Updates => "Binding::foreign_in_place",
            },
            Bound::Aliased => "Binding::aliased",
        }
    }
}

impl BindingUse {
    fn describe(self, device: DeviceKind, rules: &[BindingRule]) -> String {
        let prefix = if device == DeviceKind::Cuda { "device_" } else { "" };
        match self {
            BindingUse::Read => format!("is an input: write Binding::{prefix}input(&data)"),
            BindingUse::Write => format!("is an output: write Binding::{prefix}output(&mut data)"),
            BindingUse::Update => {
                format!("is an input that a plugin updates in place: write Binding::{prefix}in_place(&mut data)")
            }
            BindingUse::Aliases(index) => format!(
                "lies in the memory of `{}`: write Binding::aliased()",
                rules.get(index).map_or("another binding", |r| &r.name)
            ),
        }
    }
}
