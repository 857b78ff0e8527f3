//! Circular padding on a GPU.

use plugin_runtime::prelude::*;

use super::kernels::*;
use super::launch::{Tiles, element_launch, row_launch, stream_launch};
use super::parameters::{NarrowPlan, Pads, WidePlan};
use super::plan::Plan;
use super::{CircPadCudaTactic, check};

/// Threads of a warp, of which the kernels for rows and long rows take one per row.
const WARP: usize = 32;
/// Bytes that a thread writes at once.
const VECTOR_BYTES: usize = 16;

type Pad<P> = fn(&Stream, LaunchConfig, DeviceSlice<'_, u8>, DeviceSliceMut<'_, u8>, P) -> Result<()>;

/// The kernels for one size of elements and of indices.
struct Family<P: 'static> {
    element_bytes: usize,
    elements: Pad<P>,
    rows: Pad<P>,
    /// Those for rows of few vectors first.
    vectors: &'static [Vectors<P>],
}

/// A kernel with so many threads per row.
struct Vectors<P> {
    threads: usize,
    /// The longest rows that it is good for.
    most: usize,
    pad: Pad<P>,
}

/// A kernel as a function pointer.
macro_rules! kernel {
    ($kernel:ident) => {
        |stream, launch, x, out, plan| $kernel(stream, launch, x, out, plan)
    };
}

/// The kernels for which it doesn't matter where rows begin, for one size of elements.
struct Flat {
    tiles: Pad<NarrowPlan>,
    stream: Pad<NarrowPlan>,
}

static FLAT_4: Flat = Flat { tiles: kernel!(circ_pad_tiles_4x32), stream: kernel!(circ_pad_stream_4x32) };
static FLAT_2: Flat = Flat { tiles: kernel!(circ_pad_tiles_2x32), stream: kernel!(circ_pad_stream_2x32) };

static NARROW_4: Family<NarrowPlan> = Family {
    element_bytes: 4,
    elements: kernel!(circ_pad_elements_4x32),
    rows: kernel!(circ_pad_rows_4x32),
    vectors: &[
        Vectors { threads: 16, most: 32, pad: kernel!(circ_pad_vectors_4x32_16) },
        Vectors { threads: 32, most: 96, pad: kernel!(circ_pad_vectors_4x32_32) },
        Vectors { threads: 32, most: usize::MAX, pad: kernel!(circ_pad_vectors_4x32_long) },
    ],
};

static NARROW_2: Family<NarrowPlan> = Family {
    element_bytes: 2,
    elements: kernel!(circ_pad_elements_2x32),
    rows: kernel!(circ_pad_rows_2x32),
    vectors: &[
        Vectors { threads: 16, most: 32, pad: kernel!(circ_pad_vectors_2x32_16) },
        Vectors { threads: 32, most: 96, pad: kernel!(circ_pad_vectors_2x32_32) },
        Vectors { threads: 32, most: usize::MAX, pad: kernel!(circ_pad_vectors_2x32_long) },
    ],
};

static WIDE_4: Family<WidePlan> = Family {
    element_bytes: 4,
    elements: kernel!(circ_pad_elements_4x64),
    rows: kernel!(circ_pad_rows_4x64),
    vectors: &[Vectors { threads: 32, most: usize::MAX, pad: kernel!(circ_pad_vectors_4x64_long) }],
};

static WIDE_2: Family<WidePlan> = Family {
    element_bytes: 2,
    elements: kernel!(circ_pad_elements_2x64),
    rows: kernel!(circ_pad_rows_2x64),
    vectors: &[Vectors { threads: 32, most: usize::MAX, pad: kernel!(circ_pad_vectors_2x64_long) }],
};

/// Writes the padded input.
///
/// # Errors
/// When `pads` doesn't suit the input, or `out` isn't as large as the padded input.
pub(super) fn pad(stream: &Stream, x: Tensor, pads: &[i32], out: TensorMut, tactic: CircPadCudaTactic) -> Result<()> {
    if let Some(extents) = x.device_shape() {
        return pad_settled(stream, x, extents, pads, out);
    }
    let plan = Plan::new(x.shape(), pads)?;
    if out.numel() != plan.elements() {
        bail!("the output has {} elements, but the padded input {}", out.numel(), plan.elements());
    }
    if plan.elements() == 0 {
        return Ok(());
    }
    let halves = x.dtype() == DataType::Float16;
    let (x, out) = (x.device_bytes()?, out.into_device_bytes()?);
    let narrow = NarrowPlan::new(&plan);
    let (flat, bytes) = if halves { (&FLAT_2, 2) } else { (&FLAT_4, 4) };
    match (tactic, narrow) {
        (CircPadCudaTactic::Tiles, Some(narrow)) => {
            if let Some(tiles) = Tiles::new(&plan, bytes)? {
                return (flat.tiles)(stream, tiles.launch, x, out, narrow.in_tiles(tiles.rows));
            }
        }
        (CircPadCudaTactic::Stream, Some(narrow)) => {
            return (flat.stream)(stream, stream_launch(&plan, bytes)?, x, out, narrow);
        }
        _ => {}
    }
    match narrow {
        Some(narrow) if halves => NARROW_2.pad(stream, (x, out), &plan, narrow, tactic),
        Some(narrow) => NARROW_4.pad(stream, (x, out), &plan, narrow, tactic),
        None if halves => WIDE_2.pad(stream, (x, out), &plan, WidePlan::new(&plan)?, tactic),
        None => WIDE_4.pad(stream, (x, out), &plan, WidePlan::new(&plan)?, tactic),
    }
}

impl<P> Family<P> {
    fn pad(
        &self,
        stream: &Stream,
        (x, out): (DeviceSlice<'_, u8>, DeviceSliceMut<'_, u8>),
        plan: &Plan,
        parameters: P,
        tactic: CircPadCudaTactic,
    ) -> Result<()> {
        match tactic {
            CircPadCudaTactic::Element => {
                let launch = element_launch(stream, plan.elements())?;
                (self.elements)(stream, launch, x, out, parameters)
            }
            CircPadCudaTactic::Rows => {
                let launch = row_launch(plan, WARP, plan.row().padded)?;
                (self.rows)(stream, launch, x, out, parameters)
            }
            // Tiles and streams of what they can't do become vectors too.
            CircPadCudaTactic::Vectors | CircPadCudaTactic::Tiles | CircPadCudaTactic::Stream => {
                let kernel = self.vectors_for(plan)?;
                let launch = row_launch(plan, kernel.threads, plan.row().extent)?;
                (kernel.pad)(stream, launch, x, out, parameters)
            }
        }
    }

    fn vectors_for(&self, plan: &Plan) -> Result<&Vectors<P>> {
        let vectors = plan.row().extent / (VECTOR_BYTES / self.element_bytes);
        match self.vectors.iter().find(|kernel| vectors <= kernel.most) {
            Some(kernel) => Ok(kernel),
            None => bail!("no kernel for rows of {vectors} vectors"),
        }
    }
}

/// The extents are on the device: each thread finds out by itself where its elements come from.
fn pad_settled(stream: &Stream, x: Tensor, extents: DeviceSlice<'_, i64>, pads: &[i32], out: TensorMut) -> Result<()> {
    let pads = Pads::new(x.rank(), check::pairs(x.rank(), pads)?);
    let launch = element_launch(stream, out.numel())?;
    let (elements, halves) = (out.numel() as u64, x.dtype() == DataType::Float16);
    let (x, out) = (x.device_bytes()?, out.into_device_bytes()?);
    if halves {
        return circ_pad_settled_2(stream, launch, x, out, elements, extents, pads);
    }
    circ_pad_settled_4(stream, launch, x, out, elements, extents, pads)
}

#[cfg(test)]
mod tests {
    use super::{NARROW_2, NARROW_4, WIDE_4};
    use crate::circ_pad::plan::Plan;

    #[test]
    fn rows_get_as_many_threads_as_suit_their_length() {
        let threads = |columns: i64, two_bytes: bool| {
            let plan = Plan::new(&[9, columns], &[1, 1]).unwrap();
            let family = if two_bytes { &NARROW_2 } else { &NARROW_4 };
            family.vectors_for(&plan).unwrap().threads
        };
        assert_eq!([1, 128, 132, 256, 260, 99999].map(|n| threads(n, false)), [16, 16, 32, 32, 32, 32]);
        assert_eq!([128, 256, 264].map(|n| threads(n, true)), [16, 16, 32]);
        assert_eq!(WIDE_4.vectors_for(&Plan::new(&[1 << 33], &[1, 1]).unwrap()).unwrap().threads, 32);
    }
}
