//! How channels of one dimension, all side by side, give way to those of another.

use bytemuck::{Pod, Zeroable};

use super::work::{Divider, Layout};

/// Rows and lanes that a thread turns.
const LANES: u64 = 8;
/// Threads of a warp.
const WARP: u64 = 32;

/// As in `reformat_crossed.cu`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Crossing {
    warps: u32,
    places: u32,
    row_blocks: u32,
    lane_blocks: u32,
    row_vectors: u32,
    together_bits: u32,
    by_runs: Divider,
    by_row_tiles: Divider,
    by_lane_blocks: Divider,
}

impl Crossing {
    /// With the number of its threads. Channels are in different dimensions of the two sides. `None` where they aren't eights on
    /// both, all of them side by side and none of them padding.
    pub(super) fn new(source: &Layout, target: &Layout) -> Option<(Crossing, u64)> {
        let is_whole = |side: &Layout| {
            side.blocks == 1 && side.lanes == side.channels && side.lanes > 1 && side.lanes.is_multiple_of(LANES)
        };
        if !is_whole(source) || !is_whole(target) {
            return None;
        }
        let (outer, places) = (source.outer.min(target.outer), source.spatial.min(target.spatial));
        let (row_blocks, lane_blocks) = (target.lanes / LANES, source.lanes / LANES);
        // Of rows of a place, at most four beside each other, so that as many vectors are left of each for a whole line.
        let together_bits = row_blocks.trailing_zeros().min(2);
        let row_vectors = places * lane_blocks;
        let runs = row_vectors.div_ceil(WARP >> together_bits);
        let row_tiles = row_blocks >> together_bits;
        let warps = outer * row_tiles * runs;
        let work = Crossing {
            warps: u32::try_from(warps).ok()?,
            places: u32::try_from(places).ok()?,
            row_blocks: u32::try_from(row_blocks).ok()?,
            lane_blocks: u32::try_from(lane_blocks).ok()?,
            row_vectors: u32::try_from(row_vectors).ok()?,
            together_bits,
            by_runs: Divider::new(runs),
            by_row_tiles: Divider::new(row_tiles),
            by_lane_blocks: Divider::new(lane_blocks),
        };
        Some((work, warps * WARP))
    }
}
