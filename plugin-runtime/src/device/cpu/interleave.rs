//! Small tiles of elements between rows (one per channel) and places (all channels of one place side by side).
//!
//! A tile's rows stand `row` elements apart. Elements are moved as bytes, so nothing here depends on alignment. Narrow
//! elements aren't moved one by one: pairs of rows are first zipped into rows of elements twice as wide, until those
//! have [`WIDEST`] bytes. Loops that zip two rows vectorise.

/// Bytes per tile. Three tiles, and as much of places, fit into the first-level cache.
const TILE_BYTES: usize = 8 << 10;
/// The most channels of a tile.
const TILE_CHANNELS: usize = 32;
/// The largest element, in bytes.
const WIDEST: usize = 8;

/// Memory for one tile of any type.
pub(super) struct Tile([u8; TILE_BYTES]);

impl Tile {
    pub(super) const fn new() -> Self {
        Tile([0; TILE_BYTES])
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Channels of a tile for a side with so many lanes.
pub(super) fn tile_channels(lanes: usize) -> usize {
    lanes.min(TILE_CHANNELS)
}

/// Elements of a tile's row for so many channels of elements of so many bytes.
pub(super) fn tile_row(channels: usize, element: usize) -> usize {
    TILE_BYTES / (channels * element)
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

/// From places to rows. `places` holds whole places, as many as `row` at most. What follows them in the rows is
/// unspecified, and so is what `scratch` holds then.
pub(super) fn gather(element: usize, places: &[u8], lanes: Lanes, tile: &mut [u8], row: usize, scratch: &mut Tile) {
    match element {
        1 => gather_narrow::<1, 8>(places, lanes, tile, row, scratch),
        2 => gather_narrow::<2, 4>(places, lanes, tile, row, scratch),
        4 => gather_narrow::<4, 2>(places, lanes, tile, row, scratch),
        _ => gather_elements::<8>(places, lanes, tile, row),
    }
}

/// From rows to places. `places` holds whole places, as many as `row` at most. What `scratch` holds then is unspecified.
pub(super) fn scatter(element: usize, tile: &[u8], row: usize, lanes: Lanes, places: &mut [u8], scratch: &mut Tile) {
    match element {
        1 => scatter_narrow::<1, 8>(tile, row, lanes, places, scratch),
        2 => scatter_narrow::<2, 4>(tile, row, lanes, places, scratch),
        4 => scatter_narrow::<4, 2>(tile, row, lanes, places, scratch),
        _ => scatter_elements::<8>(tile, row, lanes, places),
    }
}

/// `GROUP` elements of `B` bytes make one of [`WIDEST`].
fn scatter_narrow<const B: usize, const GROUP: usize>(
    tile: &[u8],
    row: usize,
    lanes: Lanes,
    places: &mut [u8],
    scratch: &mut Tile,
) {
    if lanes.all <= 4 {
        return scatter_elements::<B>(tile, row, lanes, places);
    }
    let count = places.len() / (lanes.all * B);
    let zipped = elements_mut::<WIDEST>(scratch.bytes_mut());
    let groups = lanes.count / GROUP;
    let group_rows = tile.chunks_exact(GROUP * row * B).take(groups);
    let zipped_rows = zipped.chunks_exact_mut(row.max(1));
    for (rows, zipped) in group_rows.zip(zipped_rows) {
        zip_rows::<B>(rows, row, &mut zipped[..count]);
    }
    for (s, place) in places.chunks_exact_mut(lanes.all * B).enumerate() {
        let place = &mut place[lanes.first * B..][..groups * WIDEST];
        for (group, to) in place.as_chunks_mut().0.iter_mut().enumerate() {
            *to = zipped[group * row + s];
        }
    }
    let done = groups * GROUP;
    let rest = Lanes { first: lanes.first + done, count: lanes.count - done, ..lanes };
    if rest.count > 0 {
        scatter_elements::<B>(&tile[done * row * B..], row, rest, places);
    }
}

fn gather_narrow<const B: usize, const GROUP: usize>(
    places: &[u8],
    lanes: Lanes,
    tile: &mut [u8],
    row: usize,
    scratch: &mut Tile,
) {
    if lanes.all <= 4 {
        return gather_elements::<B>(places, lanes, tile, row);
    }
    let count = places.len() / (lanes.all * B);
    let zipped = elements_mut::<WIDEST>(scratch.bytes_mut());
    let groups = lanes.count / GROUP;
    for (s, place) in places.chunks_exact(lanes.all * B).enumerate() {
        let place = &place[lanes.first * B..][..groups * WIDEST];
        for (group, &from) in place.as_chunks().0.iter().enumerate() {
            zipped[group * row + s] = from;
        }
    }
    let group_rows = tile.chunks_exact_mut(GROUP * row * B).take(groups);
    for (rows, zipped) in group_rows.zip(zipped.chunks_exact(row)) {
        unzip_rows::<B>(&zipped[..count], rows, row);
    }
    let done = groups * GROUP;
    let rest = Lanes { first: lanes.first + done, count: lanes.count - done, ..lanes };
    if rest.count > 0 {
        gather_elements::<B>(places, rest, &mut tile[done * row * B..], row);
    }
}

/// Elements zipped at a time.
const STEP: usize = 64;

fn zip_rows<const B: usize>(rows: &[u8], row: usize, zipped: &mut [[u8; WIDEST]]) {
    for (index, zipped) in zipped.chunks_mut(STEP).enumerate() {
        let part = |channel: usize| &rows[(channel * row + index * STEP) * B..][..zipped.len() * B];
        match B {
            4 => zip::<4, 8>(part(0), part(1), zipped.as_flattened_mut()),
            2 => {
                let mut pairs = [[0u8; 4 * STEP]; 2];
                for (k, pair) in pairs.iter_mut().enumerate() {
                    zip::<2, 4>(part(2 * k), part(2 * k + 1), pair);
                }
                zip::<4, 8>(&pairs[0], &pairs[1], zipped.as_flattened_mut());
            }
            _ => {
                let mut pairs = [[0u8; 2 * STEP]; 4];
                let mut fours = [[0u8; 4 * STEP]; 2];
                for (k, pair) in pairs.iter_mut().enumerate() {
                    zip::<1, 2>(part(2 * k), part(2 * k + 1), pair);
                }
                for (k, four) in fours.iter_mut().enumerate() {
                    zip::<2, 4>(&pairs[2 * k], &pairs[2 * k + 1], four);
                }
                zip::<4, 8>(&fours[0], &fours[1], zipped.as_flattened_mut());
            }
        }
    }
}

fn unzip_rows<const B: usize>(zipped: &[[u8; WIDEST]], rows: &mut [u8], row: usize) {
    for (index, zipped) in zipped.chunks(STEP).enumerate() {
        let start = index * STEP;
        match B {
            4 => {
                let [a, b] = row_pair::<B>(rows, row, 0, start, zipped.len());
                unzip_32(zipped.as_flattened(), a, b);
            }
            2 => {
                let [mut low, mut high] = [[0u8; 4 * STEP]; 2];
                unzip_32(zipped.as_flattened(), &mut low, &mut high);
                for (k, pair) in [&low, &high].into_iter().enumerate() {
                    let [a, b] = row_pair::<B>(rows, row, 2 * k, start, zipped.len());
                    unzip_16(pair, a, b);
                }
            }
            _ => {
                let [mut low, mut high] = [[0u8; 4 * STEP]; 2];
                unzip_32(zipped.as_flattened(), &mut low, &mut high);
                for (k, four) in [&low, &high].into_iter().enumerate() {
                    let [mut low, mut high] = [[0u8; 2 * STEP]; 2];
                    unzip_16(four, &mut low, &mut high);
                    for (j, pair) in [&low, &high].into_iter().enumerate() {
                        let [a, b] = row_pair::<B>(rows, row, 4 * k + 2 * j, start, zipped.len());
                        unzip_8(pair, a, b);
                    }
                }
            }
        }
    }
}

/// A part of a row and of the next one.
fn row_pair<const B: usize>(rows: &mut [u8], row: usize, first: usize, start: usize, count: usize) -> [&mut [u8]; 2] {
    let (a, b) = rows[first * row * B..].split_at_mut(row * B);
    [a, b].map(|row| &mut row[start * B..][..count * B])
}

/// Elements of `a` and `b` in turn, until one of the three ends.
#[inline(always)]
fn zip<const B: usize, const PAIR: usize>(a: &[u8], b: &[u8], pairs: &mut [u8]) {
    let (a, b) = (elements::<B>(a), elements::<B>(b));
    for ((pair, a), b) in elements_mut::<PAIR>(pairs).iter_mut().zip(a).zip(b) {
        pair[..B].copy_from_slice(a);
        pair[B..].copy_from_slice(b);
    }
}

/// The reverse of [`zip`], for elements of a width. Shifts vectorise where copies don't.
macro_rules! unzip {
    ($name:ident, $pair:ty, $element:ty) => {
        #[inline(always)]
        fn $name(pairs: &[u8], a: &mut [u8], b: &mut [u8]) {
            const PAIR: usize = size_of::<$pair>();
            let (a, b) = (elements_mut::<{ PAIR / 2 }>(a), elements_mut::<{ PAIR / 2 }>(b));
            for ((pair, a), b) in elements::<PAIR>(pairs).iter().zip(a).zip(b) {
                let pair = <$pair>::from_le_bytes(*pair);
                *a = (pair as $element).to_le_bytes();
                *b = ((pair >> <$element>::BITS) as $element).to_le_bytes();
            }
        }
    };
}

unzip!(unzip_8, u16, u8);
unzip!(unzip_16, u32, u16);
unzip!(unzip_32, u64, u32);

fn gather_elements<const B: usize>(places: &[u8], lanes: Lanes, tile: &mut [u8], row: usize) {
    let (places, tile) = (elements::<B>(places), elements_mut::<B>(tile));
    match lanes.all {
        2 if lanes.count == 2 => gather_all::<B, 2>(places, tile, row),
        3 if lanes.count == 3 => gather_all::<B, 3>(places, tile, row),
        4 if lanes.count == 4 => gather_all::<B, 4>(places, tile, row),
        _ => gather_some(places, lanes, tile, row),
    }
}

fn scatter_elements<const B: usize>(tile: &[u8], row: usize, lanes: Lanes, places: &mut [u8]) {
    let (tile, places) = (elements::<B>(tile), elements_mut::<B>(places));
    match lanes.all {
        2 if lanes.count == 2 => scatter_all::<B, 2>(tile, row, places),
        3 if lanes.count == 3 => scatter_all::<B, 3>(tile, row, places),
        4 if lanes.count == 4 => scatter_all::<B, 4>(tile, row, places),
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
    let mut rows: [&mut [[u8; B]]; L] =
        std::array::from_fn(|_| rows.next().and_then(|row| row.get_mut(..places.len())).unwrap_or_default());
    for (s, place) in places.iter().enumerate() {
        for (row, &element) in rows.iter_mut().zip(place) {
            row[s] = element;
        }
    }
}

fn scatter_all<const B: usize, const L: usize>(tile: &[[u8; B]], row: usize, places: &mut [[u8; B]]) {
    let (places, _) = places.as_chunks_mut::<L>();
    let mut rows = tile.chunks_exact(row);
    let rows: [&[[u8; B]]; L] =
        std::array::from_fn(|_| rows.next().and_then(|row| row.get(..places.len())).unwrap_or_default());
    for (s, place) in places.iter_mut().enumerate() {
        for (element, row) in place.iter_mut().zip(rows) {
            *element = row[s];
        }
    }
}

fn gather_some<const B: usize>(places: &[[u8; B]], lanes: Lanes, tile: &mut [[u8; B]], row: usize) {
    for (s, place) in places.chunks_exact(lanes.all).enumerate() {
        for (channel, &element) in place[lanes.first..][..lanes.count].iter().enumerate() {
            tile[channel * row + s] = element;
        }
    }
}

fn scatter_some<const B: usize>(tile: &[[u8; B]], row: usize, lanes: Lanes, places: &mut [[u8; B]]) {
    for (s, place) in places.chunks_exact_mut(lanes.all).enumerate() {
        for (channel, element) in place[lanes.first..][..lanes.count].iter_mut().enumerate() {
            *element = tile[channel * row + s];
        }
    }
}
