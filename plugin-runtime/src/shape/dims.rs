//! Concrete dimensions, held inline.

use std::fmt;

/// The most dimensions a tensor can have.
pub const MAX_RANK: usize = 8;

/// Up to [`MAX_RANK`] extents; -1 stands for one that is not known. Copied freely, never allocates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Dims {
    extents: [i64; MAX_RANK],
    rank: u8,
}

impl Dims {
    /// The dimensions of a scalar.
    pub const SCALAR: Dims = Dims { extents: [0; MAX_RANK], rank: 0 };

    /// `None` above [`MAX_RANK`] dimensions.
    pub fn new(extents: &[i64]) -> Option<Dims> {
        let mut dims = Dims::SCALAR;
        dims.extents.get_mut(..extents.len())?.copy_from_slice(extents);
        dims.rank = extents.len() as u8;
        Some(dims)
    }

    /// The product of the extents, `None` on overflow or where an extent is negative. A zero extent makes it 0,
    /// however large the others are.
    pub fn numel(&self) -> Option<u64> {
        let (mut product, mut any_zero, mut too_large) = (1u64, false, false);
        for &extent in self.iter() {
            let extent = u64::try_from(extent).ok()?;
            let (next, overflows) = product.overflowing_mul(extent);
            product = next;
            any_zero |= extent == 0;
            too_large |= overflows;
        }
        match (any_zero, too_large) {
            (true, _) => Some(0),
            (false, true) => None,
            (false, false) => Some(product),
        }
    }
}

impl std::ops::Deref for Dims {
    type Target = [i64];
    #[inline]
    fn deref(&self) -> &[i64] {
        &self.extents[..usize::from(self.rank)]
    }
}

impl std::ops::DerefMut for Dims {
    #[inline]
    fn deref_mut(&mut self) -> &mut [i64] {
        &mut self.extents[..usize::from(self.rank)]
    }
}

/// `[2, 3, 4]`
impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
