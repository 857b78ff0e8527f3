//! Element type, layout and scale: how a tensor's values are stored.

use super::{DataType, Format};
use crate::error::{Error, Result};
use crate::shape::Dims;
use crate::wording::counted;

/// How a tensor's values are stored.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Representation {
    /// Element type.
    pub(crate) dtype: DataType,
    /// Memory layout.
    pub(crate) format: Format,
    /// Quantisation scale: stored values of INT8 and FP8 are multiplied by it; 1 for other types.
    pub(crate) scale: f32,
}

impl Representation {
    /// A type and layout without a scale.
    pub(crate) fn new(dtype: DataType, format: Format) -> Self {
        Representation { dtype, format, scale: 1.0 }
    }

    /// Row-major data without a scale.
    pub(crate) fn linear(dtype: DataType) -> Self {
        Representation::new(dtype, Format::Linear)
    }

    /// Bytes that a tensor of these extents occupies, padding included.
    ///
    /// # Errors
    /// When an extent is negative, the layout needs more dimensions, or the number is too large.
    pub(crate) fn bytes(&self, dims: &Dims) -> Result<usize> {
        if !self.format.supports(dims.len()) {
            return Err(Error::invalid(format_args!(
                "{dims} has {}, but {} needs at least {}",
                counted(dims.len(), "dimension"),
                self.format,
                self.format.spatial_dims().unwrap_or(0) + 1
            )));
        }
        let bytes = self.format.storage_elements(dims).and_then(|n| self.dtype.bytes_for(n));
        bytes.and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= isize::MAX as usize).ok_or_else(|| {
            let problem = match dims.iter().any(|&extent| extent < 0) {
                true => "has a negative extent",
                false => "needs more memory than can be addressed",
            };
            Error::invalid(format_args!("{} {dims} {} {problem}", self.dtype, self.format))
        })
    }

    pub(crate) fn check_scale(&self) -> Result<()> {
        let quantised = matches!(self.dtype, DataType::Int8 | DataType::Float8);
        if quantised && !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(Error::invalid(format_args!(
                "the scale of {} data is {}, but has to be positive and finite",
                self.dtype, self.scale
            )));
        }
        if !quantised && self.scale != 1.0 {
            return Err(Error::invalid(format_args!(
                "{} data has a scale of {}; only INT8 and FP8 have one, write 1",
                self.dtype, self.scale
            )));
        }
        Ok(())
    }
}
