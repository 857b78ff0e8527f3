//! Tensors that own their data in host memory.

use super::ElementTypeError;
use super::{DataType, Element};
use crate::error::{Error, ErrorKind, Result};
use crate::shape::Dims;

/// Bytes aligned to [`HostBytes::ALIGNMENT`], or to a word where there are none.
#[derive(Default)]
pub(crate) struct HostBytes {
    /// With room before and after the bytes. Of memory aligned to no more than a word the system hands out zeros without
    /// writing them, so that pages which nobody touches take no memory.
    words: Vec<u64>,
    /// The first word of the bytes.
    first: usize,
    /// In bytes.
    len: usize,
}

const WORD: usize = size_of::<u64>();

impl HostBytes {
    /// A cache line.
    pub(crate) const ALIGNMENT: usize = 64;

    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Result<Self> {
        let words: Vec<u64> = bytemuck::try_zeroed_vec(Self::words(len)).map_err(|()| {
            Error::new(ErrorKind::OutOfMemory, format_args!("the host has no {len} bytes of memory left"))
        })?;
        Ok(HostBytes { first: Self::first(&words), words, len })
    }

    /// How many words have room for aligned bytes wherever they lie.
    fn words(len: usize) -> usize {
        if len == 0 { 0 } else { len.div_ceil(WORD) + Self::ALIGNMENT / WORD - 1 }
    }

    /// The first aligned word.
    fn first(words: &Vec<u64>) -> usize {
        if words.capacity() == 0 { 0 } else { (words.as_ptr().addr().wrapping_neg() % Self::ALIGNMENT) / WORD }
    }
}

impl Clone for HostBytes {
    fn clone(&self) -> Self {
        let mut words = Vec::with_capacity(Self::words(self.len));
        let first = Self::first(&words);
        words.resize(first, 0);
        words.extend_from_slice(&self.words[self.first..][..self.len.div_ceil(WORD)]);
        HostBytes { words, first, len: self.len }
    }
}

impl std::fmt::Debug for HostBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}

impl std::ops::Deref for HostBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words[self.first..])[..self.len]
    }
}

impl std::ops::DerefMut for HostBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words[self.first..])[..self.len]
    }
}

/// A tensor in host memory, row-major, that owns its data.
#[derive(Clone)]
pub struct HostTensor {
    dtype: DataType,
    dims: Dims,
    data: HostBytes,
}

impl HostTensor {
    /// A tensor of zeros.
    ///
    /// # Errors
    /// When the extents are more than 8, negative, or need more memory than there is.
    pub fn zeros(dtype: DataType, dims: &[i64]) -> Result<Self> {
        let (dims, len) = checked_size(dtype, dims)?;
        Ok(HostTensor { dtype, dims, data: HostBytes::zeroed(len)? })
    }

    /// A copy of `data`, with the element type that fits `T`; `u8` gives UINT8.
    ///
    /// # Errors
    /// As [`HostTensor::zeros`], or when the extents don't multiply to the number of elements.
    pub fn from_slice<T: Element>(data: &[T], dims: &[i64]) -> Result<Self> {
        HostTensor::from_bytes(T::DTYPE, bytemuck::cast_slice(data), dims)
    }

    /// A copy of the bytes of a row-major tensor.
    ///
    /// # Errors
    /// As [`HostTensor::zeros`], or when the extents don't give the number of bytes.
    pub fn from_bytes(dtype: DataType, bytes: &[u8], dims: &[i64]) -> Result<Self> {
        let (dims, len) = checked_size(dtype, dims)?;
        if len != bytes.len() {
            return Err(Error::invalid(format_args!(
                "{dtype} {dims} takes {len} bytes, but {} were given",
                bytes.len()
            )));
        }
        let mut tensor = HostTensor { dtype, dims, data: HostBytes::zeroed(len)? };
        tensor.data.copy_from_slice(bytes);
        Ok(tensor)
    }

    /// Element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// Extents in elements.
    pub fn shape(&self) -> &[i64] {
        &self.dims
    }

    pub(crate) fn extents(&self) -> Dims {
        self.dims
    }

    /// The data as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The data as bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The data as elements.
    ///
    /// # Errors
    /// When `T` isn't the element type.
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        self.check_type::<T>()?;
        Ok(bytemuck::cast_slice(&self.data))
    }

    /// The data as elements.
    ///
    /// # Errors
    /// When `T` isn't the element type.
    pub fn as_mut_slice<T: Element>(&mut self) -> Result<&mut [T]> {
        self.check_type::<T>()?;
        Ok(bytemuck::cast_slice_mut(&mut self.data))
    }

    /// The first elements, as a tensor of smaller extents.
    pub(crate) fn truncated(mut self, dims: Dims) -> Result<Self> {
        let (dims, len) = checked_size(self.dtype, &dims)?;
        if len > self.data.len {
            return Err(Error::invalid(format_args!("{} can't be cut to {dims}", self.dims)));
        }
        self.dims = dims;
        self.data.len = len;
        Ok(self)
    }

    fn check_type<T: Element>(&self) -> Result<()> {
        if T::views(self.dtype) {
            return Ok(());
        }
        Err(ElementTypeError { tensor: format!("{} {}", self.dtype, self.dims), dtype: self.dtype, requested: T::NAME }
            .into())
    }
}

fn checked_size(dtype: DataType, dims: &[i64]) -> Result<(Dims, usize)> {
    let fits = Dims::new(dims).and_then(|d| {
        let bytes = dtype.bytes_for(d.numel()?)?;
        Some((d, usize::try_from(bytes).ok().filter(|&b| b <= isize::MAX as usize - HostBytes::ALIGNMENT)?))
    });
    fits.ok_or_else(|| Error::invalid(format_args!("{dtype} {dims:?} isn't a shape that memory can hold")))
}

impl std::fmt::Debug for HostTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostTensor({} {}, {} bytes)", self.dtype, self.dims, self.data.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_zero_and_aligned_and_so_are_copies() {
        for len in (0..200).chain([4095, 4096, 4097, 1 << 20]) {
            let mut bytes = HostBytes::zeroed(len).unwrap();
            assert_eq!(bytes.len(), len);
            assert!(bytes.iter().all(|byte| *byte == 0));
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = index as u8;
            }
            let copies = [bytes.clone(), bytes.clone().clone()];
            for bytes in copies.iter().chain([&bytes]) {
                assert!(bytes.iter().enumerate().all(|(index, byte)| *byte == index as u8));
                assert!(len == 0 || bytes.as_ptr().addr().is_multiple_of(HostBytes::ALIGNMENT), "{len}");
            }
        }
        for too_many in [usize::MAX, isize::MAX as usize] {
            assert_eq!(HostBytes::zeroed(too_many).unwrap_err().kind(), ErrorKind::OutOfMemory);
        }
    }

    #[test]
    fn what_is_cut_off_is_not_copied() {
        let tensor = HostTensor::from_slice(&[1i64, 2, 3], &[3]).unwrap();
        let cut = tensor.truncated(Dims::new(&[1]).unwrap()).unwrap();
        assert_eq!(cut.clone().as_slice::<i64>().unwrap(), [1]);
        let none = cut.truncated(Dims::new(&[0]).unwrap()).unwrap();
        assert!(none.clone().as_slice::<i64>().unwrap().is_empty() && none.as_slice::<i64>().unwrap().is_empty());
        assert!(HostTensor::zeros(DataType::Int64, &[0]).unwrap().as_mut_slice::<i64>().unwrap().is_empty());
    }
}
