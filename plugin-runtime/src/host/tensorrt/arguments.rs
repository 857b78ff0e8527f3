//! What a host hands over, looked at before it is used.

use std::ffi::{CStr, c_char};

use super::abi::{Dims, DimsExprs, MAX_DIMS, TensorDesc};
use super::types::{data_type, format};
use crate::error::{Error, Result};
use crate::network::Dim;
use crate::tensor::{DataType, Format};

/// More than any plugin has of anything.
const MOST: usize = 1 << 16;

/// What a host says is so many of something.
///
/// # Safety
/// A pointer that isn't null is to as many, which nobody changes meanwhile.
///
/// # Errors
/// When the number can't be, or the pointer is null or misplaced.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
#[inline]
pub(super) unsafe fn slice<'a, T>(start: *const T, count: i32, what: &str) -> Result<&'a [T]> {
    match checked(start, count, what)? {
        0 => Ok(&[]),
        // SAFETY: as the caller says.
        count => Ok(unsafe { std::slice::from_raw_parts(start, count) }),
    }
}

/// The same of what is to be written.
///
/// # Safety
/// As [`slice`]; and nobody else uses them meanwhile.
///
/// # Errors
/// As [`slice`].
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn slice_mut<'a, T>(start: *mut T, count: i32, what: &str) -> Result<&'a mut [T]> {
    match checked(start.cast_const(), count, what)? {
        0 => Ok(&mut []),
        // SAFETY: as the caller says.
        count => Ok(unsafe { std::slice::from_raw_parts_mut(start, count) }),
    }
}

#[inline]
fn checked<T>(start: *const T, count: i32, what: &str) -> Result<usize> {
    let number = usize::try_from(count).ok().filter(|count| *count <= MOST);
    match number {
        Some(0) => Ok(0),
        Some(number) if !start.is_null() && start.is_aligned() => Ok(number),
        _ => Err(unusable(number.is_some(), start.is_null(), what)),
    }
}

#[cold]
fn unusable(can_be: bool, is_null: bool, what: &str) -> Error {
    match (can_be, is_null) {
        (false, _) => impossible(format_args!("a number of {what} that can't be")),
        (true, true) => impossible(format_args!("no {what}, but a null pointer")),
        (true, false) => impossible(format_args!("{what} at an address where they can't be")),
    }
}

#[cold]
pub(super) fn impossible(what: impl std::fmt::Display) -> Error {
    Error::invalid(format_args!("TensorRT gave {what}"))
}

/// A text of the host; `None` for a null pointer.
///
/// # Safety
/// A pointer that isn't null is to a text that ends with 0.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn text(start: *const c_char) -> Option<String> {
    // SAFETY: as the caller says.
    (!start.is_null()).then(|| unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned())
}

fn rank(count: i32) -> Result<usize> {
    let rank = usize::try_from(count).ok().filter(|rank| *rank <= MAX_DIMS);
    rank.ok_or_else(|| impossible(format_args!("a tensor of {count} dimensions")))
}

impl TensorDesc {
    /// Whether the other says the same, of a rank that can be.
    #[inline]
    pub(super) fn is_as(&self, other: &TensorDesc) -> bool {
        fn extents(desc: &TensorDesc) -> Option<&[i64]> {
            desc.dims.extents.get(..desc.dims.count as usize)
        }
        self.dims.count == other.dims.count
            && self.dtype == other.dtype
            && self.format == other.format
            && self.scale.to_bits() == other.scale.to_bits()
            && matches!((extents(self), extents(other)), (Some(ours), Some(theirs)) if ours == theirs)
    }
}

impl Dims {
    /// # Errors
    /// When there are more than a tensor can have, or fewer than none.
    #[inline]
    pub(super) fn extents(&self) -> Result<&[i64]> {
        Ok(&self.extents[..rank(self.count)?])
    }

    /// The same as a network's input has them: -1 is dynamic.
    pub(super) fn dims(&self) -> Result<Vec<Dim>> {
        let dim = |extent: &i64| match *extent {
            -1 => Ok(Dim::Dynamic),
            extent if extent < 0 => Err(impossible(format_args!("an extent of {extent}"))),
            extent => Ok(Dim::Fixed(extent)),
        };
        self.extents()?.iter().map(dim).collect()
    }
}

impl DimsExprs {
    /// # Errors
    /// As [`Dims::extents`].
    pub(super) fn rank(&self) -> Result<usize> {
        rank(self.count)
    }
}

impl TensorDesc {
    /// # Errors
    /// For a type or layout that plugins can't have.
    #[inline]
    pub(super) fn laid_out(&self) -> Result<(DataType, Format)> {
        let format = format(self.format)
            .ok_or_else(|| Error::invalid(format_args!("layout {} isn't one that plugins can have", self.format)))?;
        Ok((data_type(self.dtype)?, format))
    }
}

/// Descs of a plugin's inputs and outputs, as many as it has of each.
///
/// # Safety
/// As [`slice`].
///
/// # Errors
/// As [`slice`], or when there are more or fewer.
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn descs<'a, D>(
    (inputs, input_count): (*const D, i32),
    (outputs, output_count): (*const D, i32),
    wanted: (usize, usize),
) -> Result<(&'a [D], &'a [D])> {
    // SAFETY: as the caller says.
    let (inputs, outputs) =
        unsafe { (slice(inputs, input_count, "inputs")?, slice(outputs, output_count, "outputs")?) };
    if (inputs.len(), outputs.len()) != wanted {
        return Err(impossible(format_args!(
            "{} inputs and {} outputs to a plugin with {} and {}",
            inputs.len(),
            outputs.len(),
            wanted.0,
            wanted.1
        )));
    }
    Ok((inputs, outputs))
}

/// Types and layouts of the inputs, then of the outputs.
pub(super) fn laid_out<'d>(descs: impl IntoIterator<Item = &'d TensorDesc>) -> Result<(Vec<DataType>, Vec<Format>)> {
    descs.into_iter().map(TensorDesc::laid_out).collect()
}

/// Dimensions of each input.
pub(super) fn dims<'d>(inputs: impl IntoIterator<Item = &'d TensorDesc>) -> Result<Vec<Vec<Dim>>> {
    inputs.into_iter().map(|input| input.dims.dims()).collect()
}
