//! Changes of type and layout, as engines insert them between layers.

use plugin_runtime::device::Conversion;
use plugin_runtime::tensor::{DataType, Format};

use crate::runner::failure::Result;

/// Images, and volumes for the layouts that have a depth: as many elements of each.
const IMAGES: [i64; 4] = [16, 64, 128, 128];
const VOLUMES: [i64; 5] = [16, 64, 16, 32, 32];
const SMALL_IMAGES: [i64; 4] = [1, 3, 8, 8];
const SMALL_VOLUMES: [i64; 5] = [1, 3, 4, 4, 4];

/// A conversion to be timed.
pub(super) struct Named {
    /// `FP16 LINEAR to FP16 HWC8`
    pub(super) name: String,
    pub(super) dims: Vec<i64>,
    pub(super) conversion: Conversion,
}

/// All layouts of types of 4, 2 and 1 bytes, and all types, each from and to what a network usually has.
///
/// # Errors
/// None, as long as the extents suit the layouts.
pub(super) fn all(quick: bool) -> Result<Vec<Named>> {
    let (images, volumes) = if quick { (&SMALL_IMAGES, &SMALL_VOLUMES) } else { (&IMAGES, &VOLUMES) };
    let mut all = Vec::new();
    let mut both = |a: (DataType, Format), b: (DataType, Format), dims: &[i64]| -> Result<()> {
        for (from, to) in [(a, b), (b, a)] {
            let name = format!("{} {} to {} {}", from.0, from.1, to.0, to.1);
            all.push(Named { name, dims: dims.to_vec(), conversion: Conversion::new(from, to, dims)? });
        }
        Ok(())
    };
    for dtype in [DataType::Float32, DataType::Float16, DataType::Int8] {
        for format in Format::ALL.into_iter().filter(|&format| format != Format::Linear) {
            let deep = matches!(format, Format::Dhwc | Format::Dhwc8 | Format::Cdhw32);
            both((dtype, Format::Linear), (dtype, format), if deep { volumes } else { images })?;
        }
    }
    for dtype in DataType::ALL.into_iter().filter(|&dtype| dtype != DataType::Float32) {
        both((DataType::Float32, Format::Linear), (dtype, Format::Linear), images)?;
    }
    Ok(all)
}
