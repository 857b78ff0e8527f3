//! Memory layouts.

use super::dtype::same_text;

/// How a tensor's elements lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Format {
    /// Row-major, the last dimension contiguous.
    #[default]
    Linear,
    /// Channels in vectors of 2.
    Chw2,
    /// Channels in vectors of 4.
    Chw4,
    /// Channels in vectors of 16.
    Chw16,
    /// Channels in vectors of 32.
    Chw32,
    /// Channels last.
    Hwc,
    /// Channels last, padded to a multiple of 8.
    Hwc8,
    /// Channels last, padded to a multiple of 16.
    Hwc16,
    /// Channels last behind depth, height and width.
    Dhwc,
    /// The same, channels padded to a multiple of 8.
    Dhwc8,
    /// Channels in vectors of 32, with a depth dimension.
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

    /// The layout of that name, which is written in capitals.
    pub const fn from_name(name: &str) -> Option<Format> {
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
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
impl Format {
    pub(crate) fn supports(self, _rank: usize) -> bool {
        true
    }
    pub(crate) fn storage_elements(self, dims: &[i64]) -> Option<u64> {
        crate::shape::Dims::new(dims)?.numel()
    }
}
