//! What a tile reads of the source.

use super::{Blocked, Part, Scratch};
use crate::device::cpu::cast::Cast;
use crate::device::cpu::int4;
use crate::device::cpu::interleave::{Lanes, Piece, TILE_BYTES, Tile, VECTOR, copy_pieces, gather};

impl Blocked {
    /// Rows of what is turned, of which as many elements as the part has places are filled.
    pub(super) fn read_rows(&self, src: &[u8], part: Part, row: usize, rows: &mut Tile, scratch: &mut Scratch) {
        if self.src.lanes > 1 {
            return self.gather(src, part, row, rows, scratch);
        }
        let (element, cast) = (self.turned_element(), self.cast_before());
        let rows = rows.bytes_mut().chunks_exact_mut(row * element).take(part.count);
        let len = part.places / self.places_per_turned() * element;
        for (channel, to) in (part.channel..).zip(rows.map(|row| &mut row[..len])) {
            let start = self.src.offset(part.outer, channel, part.start);
            if !self.src_int4 {
                cast.run(&src[start * self.src_element..][..part.places * self.src_element], to);
            } else if self.turns_packed() {
                to.copy_from_slice(&src[start / 2..][..len]);
            } else if let Cast::Copy = cast {
                int4::unpack_from(src, start, to);
            } else {
                let unpacked = &mut scratch.pieces.bytes_mut()[..part.places];
                int4::unpack_from(src, start, unpacked);
                cast.run(unpacked, to);
            }
        }
    }

    /// The same from a source with places.
    pub(super) fn gather(&self, src: &[u8], part: Part, row: usize, rows: &mut Tile, scratch: &mut Scratch) {
        let element = self.turned_element();
        let Scratch { pieces, cast, packed, staged } = scratch;
        let mut done = 0;
        while done < part.count {
            let (places, lanes) = self.places(src, part, done);
            let (places, lanes) = if self.turns_packed() {
                self.pack_places(places, lanes, pieces, cast, packed)
            } else {
                self.cast_places(places, lanes, pieces, cast)
            };
            gather(element, places, lanes, &mut rows.bytes_mut()[done * row * element..], row, staged);
            done += lanes.count;
        }
    }

    /// The source's places that hold the part's channels from the one on that has this index.
    fn places<'a>(&self, src: &'a [u8], part: Part, index: usize) -> (&'a [u8], Lanes) {
        let all = self.src.lanes;
        let channel = part.channel + index;
        let first = channel % all;
        let start = self.src.offset(part.outer, channel - first, part.start) * self.src_element;
        let count = (all - first).min(part.count - index);
        (&src[start..][..part.places * all * self.src_element], Lanes { all, first, count })
    }

    /// Places of what is turned.
    fn cast_places<'a>(
        &self,
        places: &'a [u8],
        lanes: Lanes,
        pieces: &mut Tile,
        cast: &'a mut Tile,
    ) -> (&'a [u8], Lanes) {
        let before = self.cast_before();
        if let Cast::Copy = before {
            return (places, lanes);
        }
        let (from, to) = (self.src_element, self.dst_element);
        let (place, piece) = (lanes.all * from, lanes.count * from);
        let cast = &mut cast.bytes_mut()[..places.len() / place * lanes.count * to];
        if lanes.count == lanes.all {
            before.run(places, cast);
            return (cast, lanes);
        }
        let at_once = TILE_BYTES / piece;
        for (places, cast) in places.chunks(at_once * place).zip(cast.chunks_mut(at_once * lanes.count * to)) {
            let count = places.len() / place;
            let pieces = &mut pieces.bytes_mut()[..count * piece];
            copy_pieces(&places[lanes.first * from..], place, pieces, piece, Piece::exactly(piece), count);
            before.run(pieces, cast);
        }
        (cast, Lanes { all: lanes.count, first: 0, ..lanes })
    }

    /// Places of INT4, of which two are packed.
    fn pack_places<'a>(
        &self,
        places: &[u8],
        lanes: Lanes,
        pieces: &mut Tile,
        cast: &mut Tile,
        packed: &'a mut Tile,
    ) -> (&'a [u8], Lanes) {
        let place = lanes.all * self.src_element;
        let packed = &mut packed.bytes_mut()[..places.len() / place / 2 * lanes.count];
        let pairs_at_once = TILE_BYTES / lanes.count / 2;
        let chunks = packed.chunks_mut(pairs_at_once * lanes.count);
        for (places, packed) in places.chunks(pairs_at_once * 2 * place).zip(chunks) {
            let (places, lanes) = self.cast_places(places, lanes, pieces, cast);
            int4::pack_places(places, lanes.all, lanes.first..lanes.first + lanes.count, packed);
        }
        (packed, Lanes { all: lanes.count, first: 0, ..lanes })
    }

    /// Whether both sides have places with so many of the same channels side by side that nothing needs to be turned.
    pub(super) fn keeps_pieces(&self) -> bool {
        let lanes = self.src.lanes.min(self.dst.lanes);
        lanes > 1 && lanes * self.turned_element() >= VECTOR
    }

    /// Fills places of so many lanes of the destination, without a turn.
    pub(super) fn fill_places(&self, src: &[u8], part: Part, lanes_there: usize, scratch: &mut Scratch) {
        let Scratch { pieces, cast, staged, .. } = scratch;
        let (from, to) = (self.src_element, self.dst_element);
        let there = lanes_there * to;
        let staged = &mut staged.bytes_mut()[..part.places * there];
        if part.count < lanes_there {
            staged.fill(0);
        }
        let mut done = 0;
        while done < part.count {
            let (places, lanes) = self.places(src, part, done);
            let (place, piece, cast_piece) = (lanes.all * from, lanes.count * from, lanes.count * to);
            let first = &places[lanes.first * from..];
            let of_lanes = &mut staged[done * to..];
            if let Cast::Copy = self.cast {
                copy_pieces(first, place, of_lanes, there, Piece::exactly(piece), part.places);
            } else {
                let pieces = if lanes.count == lanes.all {
                    places
                } else {
                    let pieces = &mut pieces.bytes_mut()[..part.places * piece];
                    copy_pieces(first, place, pieces, piece, Piece::exactly(piece), part.places);
                    pieces
                };
                if lanes.count == lanes_there {
                    self.cast.run(pieces, of_lanes);
                } else {
                    let cast = &mut cast.bytes_mut()[..part.places * cast_piece];
                    self.cast.run(pieces, cast);
                    copy_pieces(cast, cast_piece, of_lanes, there, Piece::exactly(cast_piece), part.places);
                }
            }
            done += lanes.count;
        }
    }
}
