//! Device memory as an impl sees it: typed, with known bounds.

use std::marker::PhantomData;
use std::ops::Range;

use super::Element;
use crate::error::{Error, Result};

/// Elements in a GPU's memory, to be read by kernels. The host can't follow the address.
#[derive(Debug)]
pub struct DeviceSlice<'a, T> {
    address: u64,
    len: usize,
    elements: PhantomData<&'a [T]>,
}

impl<T> Clone for DeviceSlice<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for DeviceSlice<'_, T> {}

/// Elements in a GPU's memory, to be written by kernels. The host can't follow the address.
#[derive(Debug)]
pub struct DeviceSliceMut<'a, T> {
    address: u64,
    len: usize,
    elements: PhantomData<&'a mut [T]>,
}

macro_rules! bounds {
    () => {
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

        /// Device address of the first element.
        #[inline]
        pub fn address(&self) -> u64 {
            self.address
        }
    };
}

impl<T> DeviceSlice<'_, T> {
    pub(crate) fn address_ref(&self) -> &u64 {
        &self.address
    }
}

impl<T> DeviceSliceMut<'_, T> {
    pub(crate) fn address_ref(&self) -> &u64 {
        &self.address
    }
}

impl<'a, T: Element> DeviceSlice<'a, T> {
    #[inline]
    pub(crate) fn new(address: u64, bytes: usize) -> Result<Self> {
        Ok(DeviceSlice { address, len: elements::<T>(address, bytes)?, elements: PhantomData })
    }

    /// No elements, at address 0: what a kernel is given as a null pointer.
    pub const fn null() -> Self {
        DeviceSlice { address: 0, len: 0, elements: PhantomData }
    }

    bounds!();

    /// Some of the elements.
    ///
    /// # Errors
    /// When there aren't as many.
    pub fn slice(self, range: Range<usize>) -> Result<DeviceSlice<'a, T>> {
        if range.start > range.end || range.end > self.len {
            return Err(beyond(&range, self.len));
        }
        let address = self.address + (range.start * size_of::<T>()) as u64;
        Ok(DeviceSlice { address, len: range.end - range.start, elements: PhantomData })
    }

    /// The same bytes as elements of another type; bytes at the end that don't make one are left out.
    ///
    /// # Errors
    /// When the address isn't a multiple of that type's alignment.
    pub fn cast<U: Element>(self) -> Result<DeviceSlice<'a, U>> {
        DeviceSlice::new(self.address, self.len * size_of::<T>())
    }
}

impl<'a, T: Element> DeviceSliceMut<'a, T> {
    #[inline]
    pub(crate) fn new(address: u64, bytes: usize) -> Result<Self> {
        Ok(DeviceSliceMut { address, len: elements::<T>(address, bytes)?, elements: PhantomData })
    }

    bounds!();

    /// The same elements, for one of several kernels.
    #[inline]
    pub fn reborrow(&mut self) -> DeviceSliceMut<'_, T> {
        DeviceSliceMut { address: self.address, len: self.len, elements: PhantomData }
    }

    /// The same elements, to be read.
    #[inline]
    pub fn as_slice(&self) -> DeviceSlice<'_, T> {
        DeviceSlice { address: self.address, len: self.len, elements: PhantomData }
    }

    /// The elements before `mid`, and those from it on.
    ///
    /// # Errors
    /// When there aren't `mid` elements.
    pub fn split_at(self, mid: usize) -> Result<(DeviceSliceMut<'a, T>, DeviceSliceMut<'a, T>)> {
        if mid > self.len {
            return Err(beyond(&(0..mid), self.len));
        }
        let rest = self.address + (mid * size_of::<T>()) as u64;
        Ok((
            DeviceSliceMut { address: self.address, len: mid, elements: PhantomData },
            DeviceSliceMut { address: rest, len: self.len - mid, elements: PhantomData },
        ))
    }

    /// The same bytes as elements of another type; bytes at the end that don't make one are left out.
    ///
    /// # Errors
    /// When the address isn't a multiple of that type's alignment.
    pub fn cast<U: Element>(self) -> Result<DeviceSliceMut<'a, U>> {
        DeviceSliceMut::new(self.address, self.len * size_of::<T>())
    }
}

#[inline]
fn elements<T>(address: u64, bytes: usize) -> Result<usize> {
    if address.is_multiple_of(align_of::<T>() as u64) {
        return Ok(bytes / size_of::<T>());
    }
    Err(misaligned(address, std::any::type_name::<T>(), align_of::<T>()))
}

#[cold]
fn misaligned(address: u64, name: &str, alignment: usize) -> Error {
    Error::plugin(format_args!(
        "device memory at {address:#x} can't be viewed as {name}: it isn't a multiple of {alignment} bytes"
    ))
}

#[cold]
fn beyond(range: &Range<usize>, len: usize) -> Error {
    Error::plugin(format_args!("elements {range:?} of {len} on the device were asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_within_bounds() {
        let all = DeviceSlice::<f32>::new(256, 40).unwrap();
        assert_eq!((all.len(), all.is_empty(), all.address()), (10, false, 256));
        let part = all.slice(3..10).unwrap();
        assert_eq!((part.len(), part.address()), (7, 268));
        #[expect(clippy::reversed_empty_ranges, reason = "it has to be refused")]
        let reversed = all.slice(4..3);
        assert!(all.slice(3..11).is_err() && reversed.is_err());
        assert_eq!(all.cast::<u8>().unwrap().len(), 40);
        assert!(part.cast::<i64>().is_err(), "268 isn't a multiple of 8");
        let (left, right) = DeviceSliceMut::<u8>::new(256, 10).unwrap().split_at(4).unwrap();
        assert_eq!((left.len(), right.len(), right.address()), (4, 6, 260));
        assert!(left.split_at(5).is_err());
    }
}
