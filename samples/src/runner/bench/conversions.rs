//! Changes of type and layout, as engines insert them between layers.

use plugin_runtime::device::Conversion;
use plugin_runtime::tensor::{DataType, Format, HostTensor};

use crate::runner::data::{self, Fill};
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
    from: (DataType, Format),
}

impl Named {
    /// Values to convert, made up from a seed. They are written: of memory that never was, the system hands out one page
    /// of zeros again and again, which the caches hold.
    ///
    /// # Errors
    /// When there isn't enough memory.
    pub(super) fn source(&self, seed: u64) -> Result<HostTensor> {
        let values = data::made_up(DataType::Float32, &self.dims, seed, Fill::Values)?;
        let make = Conversion::new((DataType::Float32, Format::Linear), self.from, &self.dims)?;
        let mut source = bytes(make.bytes().1)?;
        make.run(values.bytes(), source.bytes_mut())?;
        Ok(source)
    }

    /// Room for what comes of it.
    ///
    /// # Errors
    /// When there isn't enough memory.
    pub(super) fn target(&self) -> Result<HostTensor> {
        bytes(self.conversion.bytes().1)
    }
}

fn bytes(count: usize) -> Result<HostTensor> {
    Ok(HostTensor::zeros(DataType::UInt8, &[i64::try_from(count).unwrap_or(i64::MAX)])?)
}

/// All layouts of types of 4, 2 and 1 bytes, and all types, each from and to what a network usually has; INT4 and
/// other types, and layouts of two kinds.
///
/// # Errors
/// None, as long as the extents suit the layouts.
pub(super) fn all(quick: bool) -> Result<Vec<Named>> {
    let (images, volumes) = if quick { (&SMALL_IMAGES, &SMALL_VOLUMES) } else { (&IMAGES, &VOLUMES) };
    let mut all = Vec::new();
    let mut both = |a: (DataType, Format), b: (DataType, Format), dims: &[i64]| -> Result<()> {
        for (from, to) in [(a, b), (b, a)] {
            let name = format!("{} {} to {} {}", from.0, from.1, to.0, to.1);
            all.push(Named { name, dims: dims.to_vec(), conversion: Conversion::new(from, to, dims)?, from });
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
    let int4 = (DataType::Int4, Format::Linear);
    for dtype in [DataType::Float16, DataType::Int8] {
        both((dtype, Format::Linear), int4, images)?;
        both((dtype, Format::Hwc8), int4, images)?;
    }
    both((DataType::Int8, Format::Chw32), int4, images)?;
    both((DataType::Float16, Format::Hwc8), (DataType::Int8, Format::Chw32), images)?;
    both((DataType::Float16, Format::Hwc8), (DataType::Float16, Format::Dhwc8), volumes)?;
    Ok(all)
}
