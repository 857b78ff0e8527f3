//! How INT8 of a multiple of eight lanes become rows of INT4, and those such lanes.

use bytemuck::{Pod, Zeroable};

use super::work::{Divider, Layout};

/// Places and lanes that a thread turns.
const EIGHT: u64 = 8;

/// As in `reformat_eights.cu`.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub(super) struct Eights {
    units: u32,
    channels: u32,
    blocks: u32,
    lanes: u32,
    places: u32,
    together_bits: u32,
    by_place_groups: Divider,
    by_lane_groups: Divider,
    by_blocks: Divider,
}

impl Eights {
    /// With the number of its threads. `int4` has single lanes, and the same channels and places as `int8`. `None` where lanes or
    /// places aren't a multiple of eight.
    pub(super) fn new(int8: &Layout, int4: &Layout) -> Option<(Eights, u64)> {
        if int4.lanes != 1 || !int8.lanes.is_multiple_of(EIGHT) || !int8.spatial.is_multiple_of(EIGHT) {
            return None;
        }
        let (place_groups, lane_eights) = (int8.spatial / EIGHT, int8.lanes / EIGHT);
        // At most as many neighbours as have a whole sector of the lanes, so that those of the rows are whole too.
        let together_bits = lane_eights.trailing_zeros().min(2);
        let lane_groups = lane_eights >> together_bits;
        let units = int8.outer * int8.blocks * lane_eights * place_groups;
        let work = Eights {
            units: u32::try_from(units).ok()?,
            channels: u32::try_from(int8.channels).ok()?,
            blocks: u32::try_from(int8.blocks).ok()?,
            lanes: u32::try_from(int8.lanes).ok()?,
            places: u32::try_from(int8.spatial).ok()?,
            together_bits,
            by_place_groups: Divider::new(place_groups),
            by_lane_groups: Divider::new(lane_groups),
            by_blocks: Divider::new(int8.blocks),
        };
        Some((work, units))
    }
}
