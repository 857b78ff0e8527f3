//! Circular padding on a GPU.

use plugin_runtime::prelude::*;

use super::parameters::{NarrowPlan, Pads, WidePlan, segment};
use super::plan::Plan;
use super::{CircPadCudaTactic, check};

kernels! {
    /// The kernels, those for engines to hold too.
    pub(super) source CIRC_PAD = "kernel.cu";
    /// One element per thread at a time, of 4 bytes; indices of 32 bits.
    fn circ_pad_elements_4x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per row.
    fn circ_pad_rows_4x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// 8 threads per row.
    fn circ_pad_vectors_4x32_8(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// 16 threads per row.
    fn circ_pad_vectors_4x32_16(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per row.
    fn circ_pad_vectors_4x32_32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per long row.
    fn circ_pad_vectors_4x32_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// The same for elements of 2 bytes.
    fn circ_pad_elements_2x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per row.
    fn circ_pad_rows_2x32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// 8 threads per row.
    fn circ_pad_vectors_2x32_8(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// 16 threads per row.
    fn circ_pad_vectors_2x32_16(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per row.
    fn circ_pad_vectors_2x32_32(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// One warp per long row.
    fn circ_pad_vectors_2x32_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: NarrowPlan);
    /// Indices of 64 bits.
    fn circ_pad_elements_4x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// One warp per row.
    fn circ_pad_rows_4x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// One warp per row.
    fn circ_pad_vectors_4x64_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// Indices of 64 bits, elements of 2 bytes.
    fn circ_pad_elements_2x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// One warp per row.
    fn circ_pad_rows_2x64(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// One warp per row.
    fn circ_pad_vectors_2x64_long(x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, plan: WidePlan);
    /// One element per thread at a time, of 4 bytes, where only the device knows the extents.
    fn circ_pad_settled_4(
        x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, elements: u64, extents: DeviceSlice<i64>, pads: Pads,
    );
    /// As [`circ_pad_settled_4`], of 2 bytes.
    fn circ_pad_settled_2(
        x: DeviceSlice<u8>, out: DeviceSliceMut<u8>, elements: u64, extents: DeviceSlice<i64>, pads: Pads,
    );
}

/// Threads of a block whose threads do an element at a time.
const ELEMENT_BLOCK: u32 = 256;
/// How many such blocks a multiprocessor gets; what is left they do afterwards.
const ELEMENT_BLOCKS: u32 = 64;
/// The most threads of a block that does rows.
const ROW_BLOCK: usize = 128;
/// Threads of a warp.
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

static NARROW_4: Family<NarrowPlan> = Family {
    element_bytes: 4,
    elements: circ_pad_elements_4x32,
    rows: circ_pad_rows_4x32,
    vectors: &[
        Vectors { threads: 8, most: 16, pad: circ_pad_vectors_4x32_8 },
        Vectors { threads: 16, most: 32, pad: circ_pad_vectors_4x32_16 },
        Vectors { threads: 32, most: 96, pad: circ_pad_vectors_4x32_32 },
        Vectors { threads: 32, most: usize::MAX, pad: circ_pad_vectors_4x32_long },
    ],
};

static NARROW_2: Family<NarrowPlan> = Family {
    element_bytes: 2,
    elements: circ_pad_elements_2x32,
    rows: circ_pad_rows_2x32,
    vectors: &[
        Vectors { threads: 8, most: 16, pad: circ_pad_vectors_2x32_8 },
        Vectors { threads: 16, most: 32, pad: circ_pad_vectors_2x32_16 },
        Vectors { threads: 32, most: 96, pad: circ_pad_vectors_2x32_32 },
        Vectors { threads: 32, most: usize::MAX, pad: circ_pad_vectors_2x32_long },
    ],
};

static WIDE_4: Family<WidePlan> = Family {
    element_bytes: 4,
    elements: circ_pad_elements_4x64,
    rows: circ_pad_rows_4x64,
    vectors: &[Vectors { threads: 32, most: usize::MAX, pad: circ_pad_vectors_4x64_long }],
};

static WIDE_2: Family<WidePlan> = Family {
    element_bytes: 2,
    elements: circ_pad_elements_2x64,
    rows: circ_pad_rows_2x64,
    vectors: &[Vectors { threads: 32, most: usize::MAX, pad: circ_pad_vectors_2x64_long }],
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
    match NarrowPlan::new(&plan) {
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
            CircPadCudaTactic::Vectors => {
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
    let pads = Pads::new(x.shape().len(), check::pairs(x.shape().len(), pads)?);
    let launch = element_launch(stream, out.numel())?;
    let (elements, halves) = (out.numel() as u64, x.dtype() == DataType::Float16);
    let (x, out) = (x.device_bytes()?, out.into_device_bytes()?);
    if halves {
        return circ_pad_settled_2(stream, launch, x, out, elements, extents, pads);
    }
    circ_pad_settled_4(stream, launch, x, out, elements, extents, pads)
}

fn element_launch(stream: &Stream, elements: usize) -> Result<LaunchConfig> {
    let multiprocessors = stream.device().cuda_properties().map_or(1, |gpu| gpu.multiprocessors);
    let threads = multiprocessors as usize * (ELEMENT_BLOCKS * ELEMENT_BLOCK) as usize;
    LaunchConfig::for_elements(elements.min(threads), ELEMENT_BLOCK)
}

/// Some threads per row, and as many blocks per column of the grid as share a row of `len` elements.
fn row_launch(plan: &Plan, threads: usize, len: usize) -> Result<LaunchConfig> {
    let padded = plan.row().padded.max(1);
    let rows = plan.elements() / padded;
    let block = rows.saturating_mul(threads).clamp(WARP, ROW_BLOCK).next_multiple_of(WARP);
    let blocks = rows.div_ceil(block / threads);
    let segments = len.div_ceil(segment(padded)).max(1);
    match (u32::try_from(blocks), u32::try_from(segments)) {
        (Ok(blocks), Ok(segments)) if blocks <= i32::MAX as u32 => {
            Ok(LaunchConfig { grid: [blocks, segments, 1], block: [block as u32, 1, 1], shared_bytes: 0 })
        }
        _ => bail!("{rows} rows need {blocks} blocks of {block} threads, more than a grid has"),
    }
}

#[cfg(test)]
mod tests {
    use super::{NARROW_2, NARROW_4, WIDE_4, row_launch};
    use crate::circ_pad::plan::Plan;

    fn launch(shape: &[i64], threads: usize) -> ([u32; 3], u32) {
        let plan = Plan::new(shape, &[1, 1, 1, 1]).unwrap();
        let launch = row_launch(&plan, threads, plan.row().extent).unwrap();
        (launch.grid, launch.block[0])
    }

    #[test]
    fn every_row_has_its_threads() {
        assert_eq!(launch(&[64, 64, 256, 256], 32), ([64 * 64 * 258 / 4, 1, 1], 128));
        assert_eq!(launch(&[64, 64, 256, 256], 8), ([64 * 64 * 258 / 16, 1, 1], 128));
        assert_eq!(launch(&[1, 256], 8), ([1, 1, 1], 32));
        assert_eq!(launch(&[3, 256], 16), ([1, 1, 1], 96), "5 rows and room for one more");
        assert_eq!(launch(&[2, 20_000_000], 32), ([1, 4883, 1], 128));
        assert_eq!(launch(&[2, 1 << 40], 32).0, [1, 65535, 1]);
        let rows = Plan::new(&[1 << 34, 2], &[1, 1]).unwrap();
        assert!(row_launch(&rows, 32, 2).unwrap_err().to_string().starts_with("17179869184 rows need"));
    }

    #[test]
    fn rows_get_as_many_threads_as_suit_their_length() {
        let threads = |columns: i64, two_bytes: bool| {
            let plan = Plan::new(&[9, columns], &[1, 1]).unwrap();
            let family = if two_bytes { &NARROW_2 } else { &NARROW_4 };
            family.vectors_for(&plan).unwrap().threads
        };
        assert_eq!([1, 64, 68, 128, 132, 256, 260, 99999].map(|n| threads(n, false)), [8, 8, 16, 16, 32, 32, 32, 32]);
        assert_eq!([128, 256, 264].map(|n| threads(n, true)), [8, 16, 32]);
        assert_eq!(WIDE_4.vectors_for(&Plan::new(&[1 << 33], &[1, 1]).unwrap()).unwrap().threads, 32);
    }
}
