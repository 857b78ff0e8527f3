//! How INT8 of a multiple of eight lanes become rows of INT4, and those such lanes.

use bytemuck::{Pod, Zeroable};

use super::work::{Divider, Layout, THREADS};

/// Places and lanes that a thread turns.
const EIGHT: u64 = 8;
/// Threads of a warp.
const WARP: u64 = 32;
/// What a warp has, in eight lanes of a place.
const TILE_EIGHTS: u64 = WARP * EIGHT;
/// The most of a place that a warp has, so that it has places for whole sectors of the rows.
const MOST_LANE_EIGHTS: u32 = 4;

/// As in `reformat_eights.cu`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Eights {
    tiles: u32,
    channels: u32,
    blocks: u32,
    places: u32,
    lane_eights: u32,
    lane_bits: u32,
    by_place_tiles: Divider,
    by_lane_tiles: Divider,
    by_blocks: Divider,
}

impl Eights {
    /// With the number of blocks. `int4` has single lanes, and the same channels and places as `int8`. `None` where places aren't a
    /// multiple of eight, or lanes neither eight nor a multiple of sixteen: two eights lie behind each other.
    pub(super) fn new(int8: &Layout, int4: &Layout) -> Option<(Eights, u32)> {
        let has_pairs = int8.lanes == EIGHT || int8.lanes.is_multiple_of(2 * EIGHT);
        if int4.lanes != 1 || !has_pairs || !int8.spatial.is_multiple_of(EIGHT) {
            return None;
        }
        let lane_eights = int8.lanes / EIGHT;
        let lane_bits = lane_eights.trailing_zeros().min(MOST_LANE_EIGHTS.ilog2());
        let (place_tiles, lane_tiles) = (int8.spatial.div_ceil(TILE_EIGHTS >> lane_bits), lane_eights >> lane_bits);
        let tiles = int8.outer * int8.blocks * lane_tiles * place_tiles;
        let work = Eights {
            tiles: u32::try_from(tiles).ok()?,
            channels: u32::try_from(int8.channels).ok()?,
            blocks: u32::try_from(int8.blocks).ok()?,
            places: u32::try_from(int8.spatial).ok()?,
            lane_eights: u32::try_from(lane_eights).ok()?,
            lane_bits,
            by_place_tiles: Divider::new(place_tiles),
            by_lane_tiles: Divider::new(lane_tiles),
            by_blocks: Divider::new(int8.blocks),
        };
        Some((work, u32::try_from(tiles.div_ceil(u64::from(THREADS) / WARP)).ok()?))
    }
}
