//! Memory layouts.

use super::arrangement::Arrangement;
use crate::error::{Error, Result};
use crate::shape::ShapeExpr;
use crate::suggest::{no_such, same_text};

/// How a tensor's elements lie in memory. Dimensions are counted from the last: `.., C, H, W`, or `.., C, D, H, W` for
/// the layouts with a depth; all dimensions before the channels are like a batch. Padding elements are zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Format {
    /// Row-major, the last dimension contiguous.
    #[default]
    Linear,
    /// Channels in vectors of 2: `[N][C/2][H][W][2]`, the last vector padded.
    Chw2,
    /// Channels in vectors of 4: `[N][C/4][H][W][4]`, the last vector padded.
    Chw4,
    /// Channels in vectors of 16: `[N][C/16][H][W][16]`, the last vector padded.
    Chw16,
    /// Channels in vectors of 32: `[N][C/32][H][W][32]`, the last vector padded.
    Chw32,
    /// Channels last: `[N][H][W][C]`.
    Hwc,
    /// Channels last, padded to a multiple of 8: `[N][H][W][C + padding]`.
    Hwc8,
    /// Channels last, padded to a multiple of 16: `[N][H][W][C + padding]`.
    Hwc16,
    /// Channels last behind depth, height and width: `[N][D][H][W][C]`.
    Dhwc,
    /// The same, channels padded to a multiple of 8: `[N][D][H][W][C + padding]`.
    Dhwc8,
    /// Channels in vectors of 32, with a depth: `[N][C/32][D][H][W][32]`, the last vector padded.
    Cdhw32,
}

impl Format {
    /// Every layout, in the order of declaration.
    pub const ALL: [Format; 11] = [
        Format::Linear,
        Format::Chw2,
        Format::Chw4,
        Format::Chw16,
        Format::Chw32,
        Format::Hwc,
        Format::Hwc8,
        Format::Hwc16,
        Format::Dhwc,
        Format::Dhwc8,
        Format::Cdhw32,
    ];

    /// The layout of that name, for constants.
    pub(crate) const fn from_name(name: &str) -> Option<Format> {
        let mut i = 0;
        while i < Format::ALL.len() {
            if same_text(Format::ALL[i].name(), name) {
                return Some(Format::ALL[i]);
            }
            i += 1;
        }
        None
    }

    /// The name used in combination strings and messages, e.g. `CHW4`.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Linear => "LINEAR",
            Format::Chw2 => "CHW2",
            Format::Chw4 => "CHW4",
            Format::Chw16 => "CHW16",
            Format::Chw32 => "CHW32",
            Format::Hwc => "HWC",
            Format::Hwc8 => "HWC8",
            Format::Hwc16 => "HWC16",
            Format::Dhwc => "DHWC",
            Format::Dhwc8 => "DHWC8",
            Format::Cdhw32 => "CDHW32",
        }
    }

    /// The channels are padded to a multiple of this; 1 where there is no padding.
    pub const fn channel_multiple(self) -> u32 {
        match self {
            Format::Linear | Format::Hwc | Format::Dhwc => 1,
            Format::Chw2 => 2,
            Format::Chw4 => 4,
            Format::Hwc8 | Format::Dhwc8 => 8,
            Format::Chw16 | Format::Hwc16 => 16,
            Format::Chw32 | Format::Cdhw32 => 32,
        }
    }

    /// How many dimensions follow the channels: height and width, and the depth where the layout has one. `None` for
    /// LINEAR, which has no channels.
    pub const fn spatial_dims(self) -> Option<usize> {
        match self {
            Format::Linear => None,
            Format::Dhwc | Format::Dhwc8 | Format::Cdhw32 => Some(3),
            _ => Some(2),
        }
    }

    /// Whether all channels of one place stand side by side, rather than in vectors.
    const fn is_channels_last(self) -> bool {
        matches!(self, Format::Hwc | Format::Hwc8 | Format::Hwc16 | Format::Dhwc | Format::Dhwc8)
    }

    /// Whether a tensor of this rank can have this layout.
    pub const fn supports(self, rank: usize) -> bool {
        match self.spatial_dims() {
            None => true,
            Some(spatial) => rank > spatial,
        }
    }

    /// How many elements a tensor of these extents occupies, padding included. `None` where an extent is negative, the
    /// layout needs more dimensions, or the number is above `u64::MAX`.
    pub fn storage_elements(self, dims: &[i64]) -> Option<u64> {
        if !self.supports(dims.len()) || dims.iter().any(|&d| d < 0) {
            return None;
        }
        if dims.contains(&0) {
            return Some(0);
        }
        let channel_axis = self.spatial_dims().map(|spatial| dims.len() - 1 - spatial);
        dims.iter().enumerate().try_fold(1u64, |n, (axis, &extent)| {
            let extent = u64::try_from(extent).ok()?;
            let padded = if channel_axis == Some(axis) {
                extent.checked_next_multiple_of(u64::from(self.channel_multiple()))?
            } else {
                extent
            };
            n.checked_mul(padded)
        })
    }

    /// [`Format::storage_elements`] of symbolic extents. `None` where the layout needs more dimensions.
    pub fn storage_expr(self, dims: &[ShapeExpr]) -> Option<ShapeExpr> {
        if !self.supports(dims.len()) {
            return None;
        }
        let channel_axis = self.spatial_dims().map(|spatial| dims.len() - 1 - spatial);
        let multiple = self.channel_multiple();
        Some(dims.iter().enumerate().fold(ShapeExpr::constant(1), |elements, (axis, extent)| {
            if channel_axis == Some(axis) { elements * extent.ceil_div(multiple) * multiple } else { elements * extent }
        }))
    }

    /// Where each element of a tensor of these extents lies. `None` as [`Format::storage_elements`], and where the number
    /// of elements is above `usize::MAX`.
    pub fn arrange(self, dims: &[i64]) -> Option<Arrangement> {
        self.arrange_like(dims, self.spatial_dims().unwrap_or(0))
    }

    /// The same, where LINEAR is seen as having `spatial_dims` dimensions behind its channels.
    pub(crate) fn arrange_like(self, dims: &[i64], spatial_dims: usize) -> Option<Arrangement> {
        usize::try_from(self.storage_elements(dims)?).ok()?;
        let spatial_dims = self.spatial_dims().unwrap_or(spatial_dims);
        let multiple = usize::try_from(self.channel_multiple()).ok()?;
        Arrangement::of_channels(dims, spatial_dims, multiple, self.is_channels_last())
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads what `Display` writes: names in capitals.
impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Format::ALL.map(Format::name);
        Format::from_name(name).ok_or_else(|| Error::invalid(no_such("layout", name, known)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
        for name in ["chw4", "", "CHW", "FP32"] {
            let error = name.parse::<Format>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("no layout `{name}`")), "{error}");
            assert!(error.ends_with("`DHWC8`, `CDHW32`"), "{error}");
        }
    }

    #[test]
    fn storage_counts_padding() {
        let dims = [2, 33, 5, 3, 7];
        let places = 2 * 33 * 3 * 7;
        let deep_places = 2 * 5 * 3 * 7;
        let wanted = [
            (Format::Linear, places * 5),
            (Format::Chw2, places * 6),
            (Format::Chw4, places * 8),
            (Format::Chw16, places * 16),
            (Format::Chw32, places * 32),
            (Format::Hwc, places * 5),
            (Format::Hwc8, places * 8),
            (Format::Hwc16, places * 16),
            (Format::Dhwc, deep_places * 33),
            (Format::Dhwc8, deep_places * 40),
            (Format::Cdhw32, deep_places * 64),
        ];
        for (format, elements) in wanted {
            assert_eq!(format.storage_elements(&dims), Some(elements), "{format}");
            assert_eq!(format.arrange(&dims).map(|a| a.storage() as u64), Some(elements), "{format}");
            let symbolic = format.storage_expr(&dims.map(ShapeExpr::constant)).and_then(|n| n.constant_value());
            assert_eq!(symbolic, Some(elements as i64), "{format}");
        }
    }

    #[test]
    fn storage_that_makes_no_sense_is_none() {
        for format in Format::ALL {
            let least = format.spatial_dims().map_or(0, |spatial| spatial + 1);
            assert!(format.supports(least) && (least == 0 || !format.supports(least - 1)));
            assert_eq!(
                format.storage_elements(&vec![1; least]),
                Some(u64::from(format.channel_multiple())),
                "{format}"
            );
            if least > 0 {
                assert_eq!(format.storage_elements(&vec![1; least - 1]), None);
                assert_eq!(format.storage_expr(&vec![ShapeExpr::constant(1); least - 1]), None);
                assert_eq!(format.arrange(&vec![1; least - 1]), None);
            }
            assert_eq!(format.storage_elements(&[2, 2, -1, 2, 2]), None);
            assert_eq!(format.storage_elements(&[i64::MAX, i64::MAX, 0, i64::MAX]), Some(0));
            assert_eq!(format.storage_elements(&[i64::MAX, i64::MAX, 1, 1]), None);
            assert_eq!(format.storage_elements(&[1, 4, i64::MAX, 1, 3]), None);
            assert_eq!(format.arrange(&[3, i64::MAX, 0, 2]).map(|a| a.storage()), Some(0));
        }
    }
}
