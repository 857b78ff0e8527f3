//! How many threads and blocks a padding gets.

use plugin_runtime::prelude::*;

use super::parameters::segment;
use super::plan::Plan;

/// Threads of a block whose threads do an element at a time.
const ELEMENT_BLOCK: u32 = 256;
/// How many such blocks a multiprocessor gets; what is left they do afterwards.
const ELEMENT_BLOCKS: u32 = 64;
/// The most threads of a block that does rows.
const ROW_BLOCK: usize = 128;
/// Threads of a warp.
const WARP: usize = 32;
/// Threads of a block that writes a stream.
const STREAM_BLOCK: usize = 256;
/// Bytes that such a thread writes.
const STREAM_BYTES: usize = 2 * 16;
/// Bytes of a tile, more or less.
const TILE_BYTES: usize = 8 << 10;
/// The most elements of a row of a tile, and the most threads of its block.
pub(super) const MAX_TILE_ROW: usize = 512;
/// Rows that a thread of a tile reads at once, as in the CUDA source. Tiles have a multiple of so many, so that all begin at
/// multiples of 16 bytes.
const ROWS_IN_FLIGHT: usize = 8;

/// An element per thread at a time.
pub(super) fn element_launch(stream: &Stream, elements: usize) -> Result<LaunchConfig> {
    let multiprocessors = stream.device().cuda_properties().map_or(1, |gpu| gpu.multiprocessors);
    let threads = multiprocessors as usize * (ELEMENT_BLOCKS * ELEMENT_BLOCK) as usize;
    LaunchConfig::for_elements(elements.min(threads), ELEMENT_BLOCK)
}

/// Some threads per row, and as many blocks per column of the grid as share a row of `len` elements.
pub(super) fn row_launch(plan: &Plan, threads: usize, len: usize) -> Result<LaunchConfig> {
    let padded = plan.row().padded.max(1);
    let rows = plan.elements() / padded;
    let block = rows.saturating_mul(threads).clamp(WARP, ROW_BLOCK).next_multiple_of(WARP);
    let blocks = rows.div_ceil(block / threads);
    let segments = len.div_ceil(segment(padded)).max(1);
    match (u32::try_from(blocks), u32::try_from(segments)) {
        (Ok(blocks), Ok(segments)) if blocks <= i32::MAX as u32 => {
            Ok(LaunchConfig { grid: [blocks, segments, 1], block: [block as u32, 1, 1], ..LaunchConfig::default() })
        }
        _ => bail!("{rows} rows need {blocks} blocks of {block} threads, more than a grid has"),
    }
}

/// As many threads as write all vectors of the output.
pub(super) fn stream_launch(plan: &Plan, element_bytes: usize) -> Result<LaunchConfig> {
    let threads = (plan.elements() * element_bytes).div_ceil(STREAM_BYTES);
    match u32::try_from(threads.div_ceil(STREAM_BLOCK).max(1)) {
        Ok(blocks) => {
            Ok(LaunchConfig { grid: [blocks, 1, 1], block: [STREAM_BLOCK as u32, 1, 1], ..LaunchConfig::default() })
        }
        Err(_) => bail!("{} elements need more blocks than a grid has", plan.elements()),
    }
}

/// Tiles of whole rows, one per block.
#[derive(Debug)]
pub(super) struct Tiles {
    pub(super) launch: LaunchConfig,
    pub(super) rows: u32,
}

impl Tiles {
    /// `None` where rows are too long for a thread per element.
    pub(super) fn new(plan: &Plan, element_bytes: usize) -> Result<Option<Tiles>> {
        let padded = plan.row().padded;
        if padded == 0 || padded > MAX_TILE_ROW {
            return Ok(None);
        }
        let all = plan.elements() / padded;
        let threads = threads_for(padded);
        // What all threads read at once, and again: rows that are left would be read one after the other.
        let at_once = threads / padded * ROWS_IN_FLIGHT;
        let row_bytes = padded * element_bytes;
        let rows = (TILE_BYTES + at_once * row_bytes / 2) / (at_once * row_bytes);
        let rows = (rows.max(1) * at_once).min(all);
        // Where each row comes from, then the rows, shifted by less than a vector.
        let shared = (rows * 4).next_multiple_of(16) + rows * row_bytes + 16;
        let (Ok(blocks), Ok(rows), Ok(shared_bytes)) =
            (u32::try_from(all.div_ceil(rows.max(1))), u32::try_from(rows), u32::try_from(shared))
        else {
            bail!("{all} rows need more blocks than a grid has");
        };
        let block = [threads as u32, 1, 1];
        Ok(Some(Tiles {
            launch: LaunchConfig { grid: [blocks, 1, 1], block, shared_bytes, ..LaunchConfig::default() },
            rows,
        }))
    }
}

/// Threads of a block that does whole rows of so many elements: about 256, few of which have no column.
fn threads_for(padded: usize) -> usize {
    const USUAL: usize = 256;
    let busy = |threads: usize| threads / padded * padded * 100 / threads;
    let worth = |&threads: &usize| match busy(threads) {
        percent if percent > 90 => (100, usize::MAX - threads.abs_diff(USUAL)),
        percent => (percent, 0),
    };
    (128..=MAX_TILE_ROW).step_by(WARP).max_by_key(worth).unwrap_or(MAX_TILE_ROW)
}

#[cfg(test)]
mod tests {
    use super::{Tiles, row_launch, stream_launch, threads_for};
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
    fn tiles_hold_whole_rows_and_begin_at_whole_vectors() {
        let tiles = |shape: &[i64], bytes: usize| {
            let tiles = Tiles::new(&Plan::new(shape, &[1, 1, 1, 1]).unwrap(), bytes).unwrap()?;
            Some((tiles.rows, tiles.launch.grid[0], tiles.launch.block[0], tiles.launch.shared_bytes))
        };
        assert_eq!(tiles(&[64, 64, 64, 64], 4), Some((32, 64 * 64 * 66 / 32, 288, 128 + 32 * 66 * 4 + 16)));
        assert_eq!(tiles(&[1024, 14, 14], 2), Some((256, 64, 256, 1024 + 256 * 16 * 2 + 16)));
        assert_eq!(tiles(&[3, 2], 4), Some((5, 1, 256, 32 + 5 * 4 * 4 + 16)), "no more rows than there are");
        assert_eq!(tiles(&[8, 512, 33, 33], 4), Some((56, (4096 * 35u32).div_ceil(56), 256, 224 + 56 * 35 * 4 + 16)));
        assert_eq!(tiles(&[8, 512, 33, 33], 2).map(|(rows, ..)| rows), Some(112), "twice what threads read at once");
        assert_eq!(tiles(&[9, 510], 4).map(|(rows, ..)| rows), Some(8));
        assert_eq!(tiles(&[9, 511], 4), None);
        let thinnest = Tiles::new(&Plan::new(&[1 << 20, 1], &[]).unwrap(), 2).unwrap();
        assert!(thinnest.is_none(), "a matrix of one column is one row");
    }

    #[test]
    fn rows_of_tiles_keep_their_threads_busy() {
        for padded in 1..=super::MAX_TILE_ROW {
            let threads = threads_for(padded);
            assert!(threads >= padded && threads <= 512 && threads.is_multiple_of(32), "{padded}: {threads}");
            assert!(threads / padded * padded * 4 >= threads * 3, "{padded}: {threads}");
        }
    }

    #[test]
    fn a_stream_has_a_thread_for_each_two_vectors() {
        let blocks =
            |shape: &[i64], bytes: usize| stream_launch(&Plan::new(shape, &[]).unwrap(), bytes).unwrap().grid[0];
        assert_eq!([blocks(&[1], 4), blocks(&[2048], 4), blocks(&[2049], 4), blocks(&[4096], 2)], [1, 1, 2, 1]);
    }
}
