//! Small tiles of elements between rows (one per channel) and places (all channels of one place side by side).
//!
//! A tile's rows stand `row` elements apart. Elements are moved as bytes, so nothing here depends on alignment. Places are
//! brought to a tile of their own, where lanes are padded and blocks of places whole. There, blocks of some channels at
//! some places, vectors of 16 bytes on either side, are turned around in registers: see [`turns`].

mod turns;
mod vectors;

use turns::{to_places, to_rows};
pub(super) use vectors::VECTOR;

/// Bytes per tile. Three tiles fit into the second-level cache with room to spare.
pub(super) const TILE_BYTES: usize = 16 << 10;
/// Channels of a tile: so many bytes at each place.
pub(super) const PIECE_BYTES: usize = 256;

/// Memory for one tile of any type, which is zeroed when it is first written: that takes as long as a tile's work.
pub(super) struct Tile(Option<Bytes>);

#[repr(C, align(64))]
struct Bytes([u8; TILE_BYTES]);

impl Tile {
    pub(super) const fn new() -> Self {
        Tile(None)
    }

    /// None before they are written.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| &bytes.0)
    }

    #[expect(clippy::unnecessary_lazy_evaluations, reason = "the zeros of a tile are what is to be saved")]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0.get_or_insert_with(|| Bytes([0; TILE_BYTES])).0
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
pub(super) fn padded(lanes: usize, element: usize) -> usize {
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
    /// Whether a tile with so many lanes has other places than there are elsewhere.
    fn are_padded(self, lanes_there: usize) -> bool {
        self.count < self.all || self.all < lanes_there
    }
}

/// From places to rows. `places` holds whole places, as many as `row` at most. What follows them in the rows, and in rows
/// behind them, is unspecified, and so is what `staged` holds then.
pub(super) fn gather(element: usize, places: &[u8], lanes: Lanes, rows: &mut [u8], row: usize, staged: &mut Tile) {
    let lanes_there = padded(lanes.count, element);
    let count = places.len() / (lanes.all * element);
    let (place, there) = (lanes.all * element, lanes_there * element);
    let (skipped, piece) = (lanes.first * element, lanes.count * element);
    // Whole blocks needn't be staged.
    let whole = if lanes.are_padded(lanes_there) { 0 } else { count / (VECTOR / element) * (VECTOR / element) };
    let (blocks, places) = places.split_at(whole * place);
    turn_to_rows(element, blocks, lanes_there, rows, row, whole);
    let (rows, count) = (&mut rows[whole * element..], count - whole);
    if count == 0 {
        return;
    }
    if lanes.are_padded(lanes_there) {
        copy_pieces(&places[skipped..], place, staged.bytes_mut(), there, Piece { bytes: piece, room: there }, count);
    } else {
        staged.bytes_mut()[..places.len()].copy_from_slice(places);
    }
    if whole == 0 && rows.len() < lanes_there * row * element {
        // Behind the last row is no room for what is padding.
        for (lane, row) in rows.chunks_exact_mut(row * element).take(lanes.count).enumerate() {
            for (to, place) in row.chunks_exact_mut(element).zip(staged.bytes().chunks_exact(there)).take(count) {
                to.copy_from_slice(&place[lane * element..][..element]);
            }
        }
        return;
    }
    turn_to_rows(element, staged.bytes(), lanes_there, rows, row, count);
}

fn turn_to_rows(element: usize, places: &[u8], lanes: usize, rows: &mut [u8], row: usize, count: usize) {
    let (places, rows) = (places.as_chunks().0, rows.as_chunks_mut().0);
    match element {
        1 => to_rows::<1, 16>(places, lanes, rows, row, count),
        2 => to_rows::<2, 8>(places, lanes, rows, row, count),
        4 => to_rows::<4, 4>(places, lanes, rows, row, count),
        _ => to_rows::<8, 2>(places, lanes, rows, row, count),
    }
}

/// From rows to places in `staged`, as [`unstage`] takes them from there. There are rows for padding, too.
pub(super) fn scatter(element: usize, rows: &[u8], row: usize, lanes: Lanes, count: usize, staged: &mut Tile) {
    let lanes_there = padded(lanes.count, element);
    let (rows, places) = (rows.as_chunks().0, staged.bytes_mut().as_chunks_mut().0);
    match element {
        1 => to_places::<1, 16>(rows, row, lanes_there, places, count),
        2 => to_places::<2, 8>(rows, row, lanes_there, places, count),
        4 => to_places::<4, 4>(rows, row, lanes_there, places, count),
        _ => to_places::<8, 2>(rows, row, lanes_there, places, count),
    }
}

/// From places of `lanes_there` lanes to those elsewhere, by `copy` where they are the same.
pub(super) fn unstage(
    element: usize,
    staged: &[u8],
    lanes_there: usize,
    lanes: Lanes,
    places: &mut [u8],
    copy: impl FnOnce(&[u8], &mut [u8]),
) {
    if !lanes.are_padded(lanes_there) {
        return copy(&staged[..places.len()], places);
    }
    let (there, place, bytes) = (lanes_there * element, lanes.all * element, lanes.count * element);
    let count = places.len() / place;
    // Where all lanes are meant, what is written behind a place is written over by the next one.
    let room = if lanes.count == lanes.all { there } else { bytes };
    copy_pieces(staged, there, &mut places[lanes.first * element..], place, Piece { bytes, room }, count);
}

/// What is copied of each of many places.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) bytes: usize,
    /// As many bytes or more that may be read instead, and written where the next piece is written over them.
    pub(super) room: usize,
}

impl Piece {
    pub(super) fn exactly(bytes: usize) -> Self {
        Piece { bytes, room: bytes }
    }
}

/// Copies `count` pieces that stand so many bytes apart, first ones first.
pub(super) fn copy_pieces(
    from: &[u8],
    from_stride: usize,
    to: &mut [u8],
    to_stride: usize,
    piece: Piece,
    count: usize,
) {
    let copy = match piece.room {
        4 => copy_sized::<4>,
        8 => copy_sized::<8>,
        16 => copy_sized::<16>,
        32 => copy_sized::<32>,
        64 => copy_sized::<64>,
        128 => copy_sized::<128>,
        _ => copy_sized::<0>,
    };
    copy(from, from_stride, to, to_stride, piece.bytes, count);
}

/// All pieces but those at the end are copied as `SIZE` bytes if that isn't 0, for which the compiler knows how.
fn copy_sized<const SIZE: usize>(
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
