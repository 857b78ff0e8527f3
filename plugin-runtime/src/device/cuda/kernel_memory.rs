//! What kernels are given for the slices that they are declared with.

use super::kernel::{Argument, KernelArgument};
use crate::error::{Error, Result};
use crate::tensor::{DataType, DeviceSlice, DeviceSliceMut, Element, Tensor, TensorMut, Workspace};

/// In place of an element type: any of those that a kernel is declared for.
#[derive(Debug)]
pub enum AnyElement {}

/// Memory that a kernel is given: an address, so many elements, their type.
#[derive(Clone, Copy, Debug)]
pub struct KernelMemory {
    address: u64,
    len: usize,
    dtype: DataType,
}

impl KernelMemory {
    /// How many elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Their type.
    #[inline]
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    #[inline]
    fn of<T: Element>(address: u64, len: usize) -> Self {
        KernelMemory { address, len, dtype: T::DTYPE }
    }

    /// Of bytes of a type.
    #[inline]
    fn of_bytes(address: u64, bytes: usize, dtype: DataType) -> Self {
        KernelMemory { address, len: bytes * 8 / dtype.bits() as usize, dtype }
    }
}

impl KernelArgument for KernelMemory {
    const BYTES: usize = size_of::<u64>();

    #[inline]
    fn argument(&self) -> Argument<'_> {
        Argument::of(&self.address)
    }
}

/// One type that scratch memory is taken for: it has none of its own.
#[diagnostic::on_unimplemented(
    message = "scratch memory has no element type, and this kernel is declared for several",
    label = "say which it has here, `workspace.into_device_slice::<f32>()?`, or at the parameter, `DeviceSliceMut<f32>`"
)]
pub trait ScratchElement: Element {}

#[diagnostic::do_not_recommend]
impl<T: Element> ScratchElement for T {}

mod sealed {
    pub trait Sealed {}
}

/// What a launch takes for a parameter that is declared `DeviceSlice<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't what a kernel reads as `DeviceSlice<{T}>`",
    label = "give it a `Tensor` or a `DeviceSlice<{T}>`; to read what another kernel wrote, `&` of what it was written to"
)]
pub trait KernelInput<T>: sealed::Sealed {
    /// The memory, checked.
    ///
    /// # Errors
    /// When it is in host memory, of another type, or updated in place through an output.
    fn input(&self) -> Result<KernelMemory>;
}

/// What a launch takes for a parameter that is declared `DeviceSliceMut<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't what a kernel writes as `DeviceSliceMut<{T}>`",
    label = "give it a `TensorMut`, a `Workspace` or a `DeviceSliceMut<{T}>`, or `&mut` of one that is used again"
)]
pub trait KernelOutput<T>: sealed::Sealed {
    /// The memory, checked.
    ///
    /// # Errors
    /// When it is in host memory, or of another type.
    fn output(&self) -> Result<KernelMemory>;
}

impl sealed::Sealed for Tensor<'_> {}
impl sealed::Sealed for TensorMut<'_> {}
impl sealed::Sealed for Workspace<'_> {}
impl<T> sealed::Sealed for DeviceSlice<'_, T> {}
impl<T> sealed::Sealed for DeviceSliceMut<'_, T> {}
impl<S: sealed::Sealed> sealed::Sealed for &S {}
impl<S: sealed::Sealed> sealed::Sealed for &mut S {}

impl<T: Element> KernelInput<T> for Tensor<'_> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        let slice = self.device_slice::<T>()?;
        Ok(KernelMemory::of::<T>(slice.address(), slice.len()))
    }
}

impl KernelInput<AnyElement> for Tensor<'_> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        let bytes = self.device_bytes()?;
        Ok(KernelMemory::of_bytes(bytes.address(), bytes.len(), self.dtype()))
    }
}

impl<T: Element> KernelInput<T> for DeviceSlice<'_, T> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        Ok(KernelMemory::of::<T>(self.address(), self.len()))
    }
}

impl<T: Element> KernelInput<AnyElement> for DeviceSlice<'_, T> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        Ok(KernelMemory::of::<T>(self.address(), self.len()))
    }
}

impl<T: ScratchElement> KernelInput<T> for &Workspace<'_> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        (**self).memory::<T>()
    }
}

impl<T: Element> KernelInput<T> for &TensorMut<'_> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        (**self).memory::<T>()
    }
}

impl KernelInput<AnyElement> for &TensorMut<'_> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        (**self).any_memory()
    }
}

impl<T: Element> KernelInput<T> for &DeviceSliceMut<'_, T> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        Ok(KernelMemory::of::<T>(self.address(), self.len()))
    }
}

impl<T: Element> KernelInput<AnyElement> for &DeviceSliceMut<'_, T> {
    #[inline]
    fn input(&self) -> Result<KernelMemory> {
        Ok(KernelMemory::of::<T>(self.address(), self.len()))
    }
}

macro_rules! written {
    ($($reference:tt)*) => {
        impl<T: Element> KernelOutput<T> for $($reference)* TensorMut<'_> {
            #[inline]
            fn output(&self) -> Result<KernelMemory> {
                self.memory::<T>()
            }
        }

        impl KernelOutput<AnyElement> for $($reference)* TensorMut<'_> {
            #[inline]
            fn output(&self) -> Result<KernelMemory> {
                self.any_memory()
            }
        }

        impl<T: ScratchElement> KernelOutput<T> for $($reference)* Workspace<'_> {
            #[inline]
            fn output(&self) -> Result<KernelMemory> {
                self.memory::<T>()
            }
        }

        impl<T: Element> KernelOutput<T> for $($reference)* DeviceSliceMut<'_, T> {
            #[inline]
            fn output(&self) -> Result<KernelMemory> {
                Ok(KernelMemory::of::<T>(self.address(), self.len()))
            }
        }

        impl<T: Element> KernelOutput<AnyElement> for $($reference)* DeviceSliceMut<'_, T> {
            #[inline]
            fn output(&self) -> Result<KernelMemory> {
                Ok(KernelMemory::of::<T>(self.address(), self.len()))
            }
        }
    };
}

written!();
written!(&mut);

impl TensorMut<'_> {
    fn memory<T: Element>(&self) -> Result<KernelMemory> {
        let (address, bytes) = self.device_memory::<T>()?;
        Ok(KernelMemory::of::<T>(address, bytes / size_of::<T>()))
    }

    fn any_memory(&self) -> Result<KernelMemory> {
        let (address, bytes) = self.any_device_memory()?;
        Ok(KernelMemory::of_bytes(address, bytes, self.dtype()))
    }
}

impl Workspace<'_> {
    fn memory<T: Element>(&self) -> Result<KernelMemory> {
        let (address, bytes) = self.device_memory()?;
        Ok(KernelMemory::of::<T>(address, bytes / size_of::<T>()))
    }
}

/// Adds kernel and parameter to an error.
///
/// # Errors
/// What came.
#[doc(hidden)]
#[inline]
pub fn argument_of(kernel: &str, parameter: &str, memory: Result<KernelMemory>) -> Result<KernelMemory> {
    memory.map_err(|error| error.within(format_args!("kernel `{kernel}`, parameter `{parameter}`")))
}

/// A length as a kernel takes it.
///
/// # Errors
/// When it doesn't fit.
#[doc(hidden)]
#[inline]
pub fn length_of<N: TryFrom<usize>>(parameter: &str, memory: &KernelMemory) -> Result<N> {
    N::try_from(memory.len).map_err(|_| {
        let (len, bits) = (memory.len, size_of::<N>() * 8);
        Error::plugin(format_args!("`{parameter}` is to be {len}, and has {bits} bits only: declare it `i64`"))
    })
}

/// Whether a tensor of a type may be viewed so.
type Views = fn(DataType) -> bool;

/// Which of a kernel's functions is for the types of its arguments.
///
/// # Errors
/// When they are of several types, or of one that the kernel isn't declared for.
#[doc(hidden)]
#[inline]
pub fn chosen_instance(kernel: &str, types: &[(&str, Views)], arguments: &[(&str, DataType)]) -> Result<usize> {
    let chosen = arguments.first().and_then(|(_, dtype)| types.iter().position(|(_, views)| views(*dtype)));
    match chosen {
        Some(chosen) if arguments.iter().all(|(_, dtype)| types[chosen].1(*dtype)) => Ok(chosen),
        _ => Err(no_instance(kernel, types, arguments)),
    }
}

#[cold]
fn no_instance(kernel: &str, types: &[(&str, Views)], arguments: &[(&str, DataType)]) -> Error {
    let given: Vec<String> = arguments.iter().map(|(name, dtype)| format!("`{name}` is {dtype}")).collect();
    let known: Vec<&str> = types.iter().map(|(name, _)| *name).collect();
    let (given, known) = (given.join(", "), known.join(", "));
    let is_one = arguments.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let advice = if is_one { "give it one of these types, or add this one" } else { "all have to be of one type" };
    Error::plugin(format_args!("kernel `{kernel}` is declared for [{known}], and {given}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    const TYPES: [(&str, Views); 2] = [("f32", f32::views), ("f16", f16::views)];

    #[test]
    fn the_type_of_the_arguments_chooses() {
        let chosen = |arguments: &[(&str, DataType)]| chosen_instance("scale", &TYPES, arguments);
        assert_eq!(chosen(&[("x", DataType::Float32), ("y", DataType::Float32)]).unwrap(), 0);
        assert_eq!(chosen(&[("x", DataType::Float16)]).unwrap(), 1);
        assert_eq!(
            chosen(&[("x", DataType::Float32), ("y", DataType::Float16)]).unwrap_err().to_string(),
            "kernel `scale` is declared for [f32, f16], and `x` is FP32, `y` is FP16: all have to be of one type"
        );
        assert_eq!(
            chosen(&[("x", DataType::Int8)]).unwrap_err().to_string(),
            "kernel `scale` is declared for [f32, f16], and `x` is INT8: give it one of these types, or add this one"
        );
    }

    #[test]
    fn lengths_fit_or_are_refused() {
        let memory = |len| KernelMemory { address: 0, len, dtype: DataType::Float32 };
        assert_eq!(length_of::<i32>("n", &memory(7)).unwrap(), 7);
        let error = length_of::<i32>("n", &memory(1 << 31)).unwrap_err().to_string();
        assert_eq!(error, "`n` is to be 2147483648, and has 32 bits only: declare it `i64`");
        assert_eq!(length_of::<i64>("n", &memory(1 << 31)).unwrap(), 1 << 31);
    }

    #[test]
    fn four_bit_elements_are_counted() {
        assert_eq!(KernelMemory::of_bytes(0, 3, DataType::Int4).len(), 6);
        assert_eq!(KernelMemory::of_bytes(0, 12, DataType::Float32).len(), 3);
    }
}
