//! Small tiles of elements between rows (one per channel) and places (all channels of one place side by side).
//!
//! A tile's rows stand `row` elements apart. Elements are moved as bytes, so nothing here depends on alignment. Places are
//! brought to a tile of their own, where lanes are padded and blocks of places whole. There, blocks of some channels at
//! some places, vectors of 16 bytes on either side, are turned around in registers: see [`Vectors`].

mod vectors;

use vectors::{VECTOR, Vector, Vectors, bytes, vector};

/// Bytes per tile. Three tiles fit into the second-level cache with room to spare.
const TILE_BYTES: usize = 16 << 10;
/// Channels of a tile: so many bytes at each place.
const PIECE_BYTES: usize = 256;

/// Memory for one tile of any type.
#[repr(C, align(64))]
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

/// Channels of a tile for a side with so many lanes, of elements of so many bytes.
pub(super) fn tile_channels(lanes: usize, element: usize) -> usize {
    lanes.min(PIECE_BYTES / element)
}

/// Elements of a tile's row for so many channels of elements of at most so many bytes: whole vectors.
pub(super) fn tile_row(channels: usize, element: usize) -> usize {
    // Narrower elements are padded to more lanes.
    TILE_BYTES / (padded(channels, 1) * element) / VECTOR * VECTOR
}

/// Lanes of a tile of places.
fn padded(lanes: usize, element: usize) -> usize {
    let vector = VECTOR / element;
    if lanes <= vector { lanes.next_power_of_two().max(2) } else { lanes.next_multiple_of(vector) }
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

impl Lanes {
    /// Whether a tile has places as they are elsewhere.
    fn are_padded(self, element: usize) -> bool {
        self.count < self.all || self.all < padded(self.count, element)
    }
}

/// From places to rows. `places` holds whole places, as many as `row` at most. What follows them in the rows, and in rows
/// behind them, is unspecified, and so is what `staged` holds then.
pub(super) fn gather(element: usize, places: &[u8], lanes: Lanes, rows: &mut [u8], row: usize, staged: &mut Tile) {
    let lanes_there = padded(lanes.count, element);
    let count = places.len() / (lanes.all * element);
    let (place, there) = (lanes.all * element, lanes_there * element);
    let (skipped, piece) = (lanes.first * element, lanes.count * element);
    if lanes.are_padded(element) {
        let places = &places[skipped..];
        match there {
            4 => copy_pieces::<4>(places, place, staged.bytes_mut(), there, piece, count),
            8 => copy_pieces::<8>(places, place, staged.bytes_mut(), there, piece, count),
            16 => copy_pieces::<16>(places, place, staged.bytes_mut(), there, piece, count),
            _ => copy_pieces::<0>(places, place, staged.bytes_mut(), there, piece, count),
        }
    } else {
        staged.bytes_mut()[..places.len()].copy_from_slice(places);
    }
    if rows.len() < lanes_there * row * element {
        // Behind the last row is no room for what is padding.
        for (lane, row) in rows.chunks_exact_mut(row * element).take(lanes.count).enumerate() {
            for (to, place) in row.chunks_exact_mut(element).zip(staged.bytes().chunks_exact(there)).take(count) {
                to.copy_from_slice(&place[lane * element..][..element]);
            }
        }
        return;
    }
    let places = staged.bytes().as_chunks().0;
    let rows = rows.as_chunks_mut().0;
    match element {
        1 => to_rows::<1, 16>(places, lanes_there, rows, row, count),
        2 => to_rows::<2, 8>(places, lanes_there, rows, row, count),
        4 => to_rows::<4, 4>(places, lanes_there, rows, row, count),
        _ => to_rows::<8, 2>(places, lanes_there, rows, row, count),
    }
}

/// From rows to places in `staged`, as [`unstage`] takes them from there. `tile` has room for padding.
pub(super) fn scatter(element: usize, tile: &Tile, row: usize, lanes: Lanes, count: usize, staged: &mut Tile) {
    let lanes_there = padded(lanes.count, element);
    let (rows, places) = (tile.bytes().as_chunks().0, staged.bytes_mut().as_chunks_mut().0);
    match element {
        1 => to_places::<1, 16>(rows, row, lanes_there, places, count),
        2 => to_places::<2, 8>(rows, row, lanes_there, places, count),
        4 => to_places::<4, 4>(rows, row, lanes_there, places, count),
        _ => to_places::<8, 2>(rows, row, lanes_there, places, count),
    }
}

/// From places in `staged` to those elsewhere, by `copy` where they are the same.
pub(super) fn unstage(
    element: usize,
    staged: &Tile,
    lanes: Lanes,
    places: &mut [u8],
    copy: impl FnOnce(&[u8], &mut [u8]),
) {
    if !lanes.are_padded(element) {
        return copy(&staged.bytes()[..places.len()], places);
    }
    let there = padded(lanes.count, element) * element;
    let (place, piece) = (lanes.all * element, lanes.count * element);
    let count = places.len() / place;
    let places = &mut places[lanes.first * element..];
    // Where all lanes are meant, what is written behind a place is written over by the next one.
    match there {
        4 if lanes.count == lanes.all => copy_pieces::<4>(staged.bytes(), there, places, place, piece, count),
        8 if lanes.count == lanes.all => copy_pieces::<8>(staged.bytes(), there, places, place, piece, count),
        16 if lanes.count == lanes.all => copy_pieces::<16>(staged.bytes(), there, places, place, piece, count),
        _ => copy_pieces::<0>(staged.bytes(), there, places, place, piece, count),
    }
}

/// Copies `count` pieces, first ones first. All but those at the end are copied as `SIZE` bytes if that isn't 0, for
/// which the compiler knows how.
#[inline(always)]
fn copy_pieces<const SIZE: usize>(
    from: &[u8],
    from_stride: usize,
    to: &mut [u8],
    to_stride: usize,
    piece: usize,
    count: usize,
) {
    let room = |len: usize, stride: usize| len.checked_sub(SIZE).map_or(0, |room| room / stride + 1);
    let quick = if SIZE == 0 { 0 } else { count.min(room(from.len(), from_stride)).min(room(to.len(), to_stride)) };
    for k in 0..quick {
        to[k * to_stride..][..SIZE].copy_from_slice(&from[k * from_stride..][..SIZE]);
    }
    for k in quick..count {
        to[k * to_stride..][..piece].copy_from_slice(&from[k * from_stride..][..piece]);
    }
}

type Bytes = [u8; VECTOR];

/// Elements of `B` bytes, of which a vector has `K`. `lanes` are 2, 4, 8, or a multiple of `K`.
#[inline(always)]
fn to_rows<const B: usize, const K: usize>(places: &[Bytes], lanes: usize, rows: &mut [Bytes], row: usize, count: usize)
where
    [Vector; K]: Vectors,
{
    let blocks = count.div_ceil(K);
    match lanes {
        2 if K > 2 => few_to_rows::<B, K, 2>(places, rows, row / K, blocks),
        4 if K > 4 => few_to_rows::<B, K, 4>(places, rows, row / K, blocks),
        8 if K > 8 => few_to_rows::<B, K, 8>(places, rows, row / K, blocks),
        _ => {
            let groups = lanes / K;
            for (group, rows) in rows.chunks_exact_mut(row).take(groups).enumerate() {
                let mut rows = rows.chunks_exact_mut(row / K).map(|row| &mut row[..blocks]);
                let rows: [&mut [Bytes]; K] = std::array::from_fn(|_| rows.next().unwrap_or_default());
                for (block, places) in places.chunks_exact(lanes).take(blocks).enumerate() {
                    let columns = std::array::from_fn(|k| vector(places[k * groups + group]));
                    let turned = turn::<B, K>(columns, K.ilog2());
                    for k in 0..K {
                        rows[k][block] = bytes(turned[k]);
                    }
                }
            }
        }
    }
}

/// As [`to_rows`], the other way.
#[inline(always)]
fn to_places<const B: usize, const K: usize>(
    rows: &[Bytes],
    row: usize,
    lanes: usize,
    places: &mut [Bytes],
    count: usize,
) where
    [Vector; K]: Vectors,
{
    let blocks = count.div_ceil(K);
    match lanes {
        2 if K > 2 => few_to_places::<B, 2>(rows, row / K, places, blocks),
        4 if K > 4 => few_to_places::<B, 4>(rows, row / K, places, blocks),
        8 if K > 8 => few_to_places::<B, 8>(rows, row / K, places, blocks),
        _ => {
            let groups = lanes / K;
            for (group, rows) in rows.chunks_exact(row).take(groups).enumerate() {
                let mut rows = rows.chunks_exact(row / K).map(|row| &row[..blocks]);
                let rows: [&[Bytes]; K] = std::array::from_fn(|_| rows.next().unwrap_or_default());
                for (block, places) in places.chunks_exact_mut(lanes).take(blocks).enumerate() {
                    let turned = turn::<B, K>(rows.map(|row| vector(row[block])), K.ilog2());
                    for k in 0..K {
                        places[k * groups + group] = bytes(turned[k]);
                    }
                }
            }
        }
    }
}

/// All of `L` lanes at once. `row` and `blocks` count vectors.
#[inline(always)]
fn few_to_rows<const B: usize, const K: usize, const L: usize>(
    places: &[Bytes],
    rows: &mut [Bytes],
    row: usize,
    blocks: usize,
) where
    [Vector; L]: Vectors,
{
    let mut rows = rows.chunks_exact_mut(row).map(|row| &mut row[..blocks]);
    let rows: [&mut [Bytes]; L] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    for (block, places) in places.as_chunks::<L>().0.iter().take(blocks).enumerate() {
        let turned = turn::<B, L>(places.map(vector), K.ilog2());
        for k in 0..L {
            rows[k][block] = bytes(turned[k]);
        }
    }
}

#[inline(always)]
fn few_to_places<const B: usize, const L: usize>(rows: &[Bytes], row: usize, places: &mut [Bytes], blocks: usize)
where
    [Vector; L]: Vectors,
{
    let mut rows = rows.chunks_exact(row).map(|row| &row[..blocks]);
    let rows: [&[Bytes]; L] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    for (block, places) in places.as_chunks_mut::<L>().0.iter_mut().take(blocks).enumerate() {
        *places = turn::<B, L>(rows.map(|row| vector(row[block])), L.ilog2()).map(bytes);
    }
}

/// As many times as an index has bits; see [`Vectors`].
#[inline(always)]
fn turn<const B: usize, const L: usize>(vectors: [Vector; L], times: u32) -> [Vector; L]
where
    [Vector; L]: Vectors,
{
    match times {
        1 => vectors.zip_halves::<B>(),
        2 => vectors.zip_halves::<B>().zip_halves::<B>(),
        3 => vectors.zip_halves::<B>().zip_halves::<B>().zip_halves::<B>(),
        _ => vectors.zip_halves::<B>().zip_halves::<B>().zip_halves::<B>().zip_halves::<B>(),
    }
}
