//! Blocks of vectors turned around: what stands in rows comes to stand in places, and the other way.

use super::vectors::{Count, VECTOR, Vectors, Zip, bytes, vector};

type Bytes = [u8; VECTOR];

/// Where vectors lie, counted in vectors: so far apart are blocks, the vectors of one block, and groups of blocks.
#[derive(Clone, Copy)]
struct Strides {
    block: usize,
    vector: usize,
    group: usize,
}

impl Strides {
    fn of_rows(row: usize, vectors: usize) -> Self {
        Strides { block: 1, vector: row, group: vectors * row }
    }

    fn of_places(groups: usize, vectors: usize) -> Self {
        Strides { block: groups * vectors, vector: groups, group: 1 }
    }

    #[inline(always)]
    fn first(self, group: usize, block: usize) -> usize {
        group * self.group + block * self.block
    }
}

/// How many blocks there are, in each of how many groups.
#[derive(Clone, Copy)]
struct Blocks {
    groups: usize,
    each: usize,
}

impl Blocks {
    /// Vectors up to the last one's end.
    fn extent(self, strides: Strides, vectors: usize) -> usize {
        match (self.groups.checked_sub(1), self.each.checked_sub(1)) {
            (Some(group), Some(block)) => strides.first(group, block) + (vectors - 1) * strides.vector + 1,
            _ => 0,
        }
    }
}

/// Elements of `B` bytes, of which a vector has `K`. `lanes` are 2, 4, 8, or a multiple of `K`; `row` is a multiple of `K`. Whole
/// blocks of `K` places are turned, of which there are as many as `count` takes. Of the last row only what is written is
/// needed.
pub(super) fn to_rows<const B: usize, const K: usize>(
    places: &[Bytes],
    lanes: usize,
    rows: &mut [Bytes],
    row: usize,
    count: usize,
) where
    Count<K>: Vectors<K>,
{
    let (each, row) = (count.div_ceil(K), row / K);
    match lanes {
        2 if K > 2 => rows_of::<B, 2>(places, rows, row, Blocks { groups: 1, each }),
        4 if K > 4 => rows_of::<B, 4>(places, rows, row, Blocks { groups: 1, each }),
        8 if K > 8 => rows_of::<B, 8>(places, rows, row, Blocks { groups: 1, each }),
        _ => rows_of::<B, K>(places, rows, row, Blocks { groups: lanes / K, each }),
    }
}

/// As [`to_rows`], the other way.
pub(super) fn to_places<const B: usize, const K: usize>(
    rows: &[Bytes],
    row: usize,
    lanes: usize,
    places: &mut [Bytes],
    count: usize,
) where
    Count<K>: Vectors<K>,
{
    let (each, row) = (count.div_ceil(K), row / K);
    match lanes {
        2 if K > 2 => places_of::<B, 2>(rows, row, places, Blocks { groups: 1, each }),
        4 if K > 4 => places_of::<B, 4>(rows, row, places, Blocks { groups: 1, each }),
        8 if K > 8 => places_of::<B, 8>(rows, row, places, Blocks { groups: 1, each }),
        _ => places_of::<B, K>(rows, row, places, Blocks { groups: lanes / K, each }),
    }
}

fn rows_of<const B: usize, const N: usize>(places: &[Bytes], rows: &mut [Bytes], row: usize, blocks: Blocks)
where
    Count<N>: Vectors<N>,
{
    turn_all::<B, N, true>(places, Strides::of_places(blocks.groups, N), rows, Strides::of_rows(row, N), blocks);
}

fn places_of<const B: usize, const N: usize>(rows: &[Bytes], row: usize, places: &mut [Bytes], blocks: Blocks)
where
    Count<N>: Vectors<N>,
{
    turn_all::<B, N, false>(rows, Strides::of_rows(row, N), places, Strides::of_places(blocks.groups, N), blocks);
}

/// Blocks of `N` vectors, to rows or from them.
fn turn_all<const B: usize, const N: usize, const TO_ROWS: bool>(
    from: &[Bytes],
    from_strides: Strides,
    to: &mut [Bytes],
    to_strides: Strides,
    blocks: Blocks,
) where
    Count<N>: Vectors<N>,
{
    let from = &from[..blocks.extent(from_strides, N)];
    let to = &mut to[..blocks.extent(to_strides, N)];
    let done = pairs::turn::<B, N, TO_ROWS>(from, from_strides, to, to_strides, blocks);
    for group in 0..blocks.groups {
        for block in done..blocks.each {
            let (from, to) = (&from[from_strides.first(group, block)..], &mut to[to_strides.first(group, block)..]);
            let block = std::array::from_fn(|k| vector(from[k * from_strides.vector]));
            let turned = turn::<B, N, TO_ROWS, _>(block);
            for (k, &vector) in turned.iter().enumerate() {
                to[k * to_strides.vector] = bytes(vector);
            }
        }
    }
}

/// As many times as an index has bits; see [`Vectors`].
#[inline(always)]
fn turn<const B: usize, const N: usize, const TO_ROWS: bool, V: Zip>(vectors: [V; N]) -> [V; N]
where
    Count<N>: Vectors<N>,
{
    let times = if TO_ROWS { VECTOR / B } else { N }.ilog2();
    let zip = Count::<N>::zip_halves::<V, B>;
    match times {
        1 => zip(vectors),
        2 => zip(zip(vectors)),
        3 => zip(zip(zip(vectors))),
        _ => zip(zip(zip(zip(vectors)))),
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the bounds of many vectors are checked at once")]
mod pairs {
    use super::super::super::features::has_avx2;
    use super::super::vectors::{Count, Pair, Vectors};
    use super::{Blocks, Bytes, Strides};

    /// Turns two blocks at a time, where this processor has vectors for both. Returns how many blocks of each group that were.
    pub(super) fn turn<const B: usize, const N: usize, const TO_ROWS: bool>(
        from: &[Bytes],
        from_strides: Strides,
        to: &mut [Bytes],
        to_strides: Strides,
        blocks: Blocks,
    ) -> usize
    where
        Count<N>: Vectors<N>,
    {
        let even = Blocks { each: blocks.each / 2 * 2, ..blocks };
        if even.each == 0 || !has_avx2() {
            return 0;
        }
        assert!(even.extent(from_strides, N) <= from.len() && even.extent(to_strides, N) <= to.len());
        // SAFETY: the processor has the instructions, as was just asked, and all vectors are in bounds.
        unsafe { turn_pairs::<B, N, TO_ROWS>(from.as_ptr(), from_strides, to.as_mut_ptr(), to_strides, even) };
        even.each
    }

    /// # Safety
    /// There are as many vectors as the blocks extend over, on both sides.
    #[target_feature(enable = "avx2")]
    unsafe fn turn_pairs<const B: usize, const N: usize, const TO_ROWS: bool>(
        from: *const Bytes,
        from_strides: Strides,
        to: *mut Bytes,
        to_strides: Strides,
        blocks: Blocks,
    ) where
        Count<N>: Vectors<N>,
    {
        for group in 0..blocks.groups {
            for block in (0..blocks.each).step_by(2) {
                // SAFETY: vectors of this block and the next one, which the caller vouches for.
                unsafe {
                    let from = from.add(from_strides.first(group, block));
                    let to = to.add(to_strides.first(group, block));
                    let block = std::array::from_fn(|k| {
                        let first = from.add(k * from_strides.vector);
                        Pair::load(first, first.add(from_strides.block))
                    });
                    let turned = super::turn::<B, N, TO_ROWS, _>(block);
                    for (k, pair) in turned.iter().enumerate() {
                        let first = to.add(k * to_strides.vector);
                        pair.store(first, first.add(to_strides.block));
                    }
                }
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod pairs {
    use super::{Blocks, Bytes, Strides};

    pub(super) fn turn<const B: usize, const N: usize, const TO_ROWS: bool>(
        _from: &[Bytes],
        _from_strides: Strides,
        _to: &mut [Bytes],
        _to_strides: Strides,
        _blocks: Blocks,
    ) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Count, VECTOR, Vectors, to_places, to_rows};

    /// Bytes of the element at each place of each row, and rows behind which there is no more than the last block.
    fn check<const B: usize, const K: usize>(lanes: usize, count: usize)
    where
        Count<K>: Vectors<K>,
    {
        let row = count.next_multiple_of(K) + 2 * K;
        let blocks = count.div_ceil(K);
        let len = |vectors: usize| vec![[0xA5u8; VECTOR]; vectors];
        let mut places: Vec<Bytes> = len(blocks * lanes);
        places.as_flattened_mut().iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 7 + i / 251) as u8);
        let mut rows = len((lanes - 1) * row / K + blocks);
        to_rows::<B, K>(&places, lanes, &mut rows, row, count);
        let (flat_rows, flat_places) = (rows.as_flattened(), places.as_flattened());
        for lane in 0..lanes {
            for place in 0..count {
                let (row, place) = (&flat_rows[(lane * row + place) * B..], &flat_places[(place * lanes + lane) * B..]);
                assert_eq!(row[..B], place[..B], "{B} {lanes} {count}");
            }
            let behind = flat_rows.get((lane * row + blocks * K) * B..(lane + 1) * row * B).unwrap_or_default();
            assert!(behind.iter().all(|&byte| byte == 0xA5), "{B} {lanes} {count}");
        }
        let mut back = len(blocks * lanes + 1);
        to_places::<B, K>(&rows, row, lanes, &mut back, count);
        assert!(back[..blocks * lanes] == places && back[blocks * lanes] == [0xA5; VECTOR], "{B} {lanes} {count}");
    }

    #[test]
    fn rows_and_places_hold_the_same_for_any_number_of_lanes_and_places() {
        for count in [0, 1, 7, 16, 17, 31, 32, 33, 50, 100] {
            for lanes in [2, 4, 8, 16, 32, 48] {
                check::<1, 16>(lanes, count);
                check::<2, 8>(lanes, count);
                check::<4, 4>(lanes, count);
                check::<8, 2>(lanes, count);
            }
        }
    }
}
