//! Small tiles of elements between rows (one a channel) and places (all channels of one place side by side).
//!
//! A tile's rows stand `row` elements apart. Elements are moved as bytes, so nothing here depends on alignment.

/// Elements of one tile.
pub(super) const TILE: usize = 1024;
/// The most channels of a tile.
pub(super) const TILE_CHANNELS: usize = 32;
/// The largest element, in bytes.
const LARGEST: usize = 8;

/// Memory for one tile of any type.
pub(super) struct Tile([u8; TILE * LARGEST]);

impl Tile {
    pub(super) const fn new() -> Self {
        Tile([0; TILE * LARGEST])
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// The channels of a tile among those that stand side by side at one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes {
    /// How many stand side by side.
    pub(super) all: usize,
    /// The first one meant.
    pub(super) first: usize,
    /// How many are meant.
    pub(super) count: usize,
}

/// From places to rows. `places` holds whole places, as many as `row` at most.
pub(super) fn gather(element: usize, places: &[u8], lanes: Lanes, tile: &mut [u8], row: usize) {
    match element {
        1 => gather_elements::<1>(places, lanes, tile, row),
        2 => gather_elements::<2>(places, lanes, tile, row),
        4 => gather_elements::<4>(places, lanes, tile, row),
        _ => gather_elements::<8>(places, lanes, tile, row),
    }
}

/// From rows to places. `places` holds whole places, as many as `row` at most.
pub(super) fn scatter(element: usize, tile: &[u8], row: usize, lanes: Lanes, places: &mut [u8]) {
    match element {
        1 => scatter_elements::<1>(tile, row, lanes, places),
        2 => scatter_elements::<2>(tile, row, lanes, places),
        4 => scatter_elements::<4>(tile, row, lanes, places),
        _ => scatter_elements::<8>(tile, row, lanes, places),
    }
}

fn gather_elements<const B: usize>(places: &[u8], lanes: Lanes, tile: &mut [u8], row: usize) {
    let (places, tile) = (elements::<B>(places), elements_mut::<B>(tile));
    if lanes.count != lanes.all {
        return gather_some(places, lanes, tile, row);
    }
    match lanes.all {
        2 => gather_all::<B, 2>(places, tile, row),
        3 => gather_all::<B, 3>(places, tile, row),
        4 => gather_all::<B, 4>(places, tile, row),
        8 => gather_all::<B, 8>(places, tile, row),
        16 => gather_all::<B, 16>(places, tile, row),
        32 => gather_all::<B, 32>(places, tile, row),
        _ => gather_some(places, lanes, tile, row),
    }
}

fn scatter_elements<const B: usize>(tile: &[u8], row: usize, lanes: Lanes, places: &mut [u8]) {
    let (tile, places) = (elements::<B>(tile), elements_mut::<B>(places));
    if lanes.count != lanes.all {
        return scatter_some(tile, row, lanes, places);
    }
    match lanes.all {
        2 => scatter_all::<B, 2>(tile, row, places),
        3 => scatter_all::<B, 3>(tile, row, places),
        4 => scatter_all::<B, 4>(tile, row, places),
        8 => scatter_all::<B, 8>(tile, row, places),
        16 => scatter_all::<B, 16>(tile, row, places),
        32 => scatter_all::<B, 32>(tile, row, places),
        _ => scatter_some(tile, row, lanes, places),
    }
}

fn elements<const B: usize>(bytes: &[u8]) -> &[[u8; B]] {
    bytes.as_chunks().0
}

fn elements_mut<const B: usize>(bytes: &mut [u8]) -> &mut [[u8; B]] {
    bytes.as_chunks_mut().0
}

fn gather_all<const B: usize, const L: usize>(places: &[[u8; B]], tile: &mut [[u8; B]], row: usize) {
    let (places, _) = places.as_chunks::<L>();
    let mut rows = tile.chunks_exact_mut(row);
    let mut rows: [&mut [[u8; B]]; L] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    for (s, place) in places.iter().enumerate() {
        for (row, &element) in rows.iter_mut().zip(place) {
            row[s] = element;
        }
    }
}

fn scatter_all<const B: usize, const L: usize>(tile: &[[u8; B]], row: usize, places: &mut [[u8; B]]) {
    let (places, _) = places.as_chunks_mut::<L>();
    let mut rows = tile.chunks_exact(row);
    let rows: [&[[u8; B]]; L] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    for (s, place) in places.iter_mut().enumerate() {
        for (element, row) in place.iter_mut().zip(rows) {
            *element = row[s];
        }
    }
}

fn gather_some<const B: usize>(places: &[[u8; B]], lanes: Lanes, tile: &mut [[u8; B]], row: usize) {
    for (s, place) in places.chunks_exact(lanes.all).enumerate() {
        let meant = &place[lanes.first..][..lanes.count];
        for (row, &element) in tile.chunks_exact_mut(row).zip(meant) {
            row[s] = element;
        }
    }
}

fn scatter_some<const B: usize>(tile: &[[u8; B]], row: usize, lanes: Lanes, places: &mut [[u8; B]]) {
    for (s, place) in places.chunks_exact_mut(lanes.all).enumerate() {
        let meant = &mut place[lanes.first..][..lanes.count];
        for (element, row) in meant.iter_mut().zip(tile.chunks_exact(row)) {
            *element = row[s];
        }
    }
}
