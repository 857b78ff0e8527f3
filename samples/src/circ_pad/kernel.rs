//! Circular padding as copies of runs.

use plugin_runtime::device::cpu::{self, PARALLEL_BYTES, StreamWriter};
use plugin_runtime::prelude::*;

use super::plan::Plan;

/// Bytes of the output that a thread writes before it asks for more work.
const CHUNK_BYTES: usize = 256 << 10;
/// How far ahead the memory is asked for rows no longer than this. In longer ones the processor sees by itself what comes.
const AHEAD_BYTES: usize = 2 << 10;

/// Writes the output through the caches.
///
/// # Errors
/// When `x` is smaller, or `out` isn't as large, as `plan` says.
pub(crate) fn pad_rows<T: Element>(x: &[T], plan: &Plan, out: &mut [T]) -> Result<()> {
    in_chunks(plan, out, |start, out| pad(x, plan, start, out.len(), &mut Rest(out)))
}

/// Writes the output past the caches.
///
/// # Errors
/// When `x` is smaller, or `out` isn't as large, as `plan` says.
pub(crate) fn pad_stream<T: Element>(x: &[T], plan: &Plan, out: &mut [T]) -> Result<()> {
    in_chunks(plan, out, |start, out| {
        let len = out.len();
        cpu::stream_into(out, |writer| pad(x, plan, start, len, writer))
    })
}

fn in_chunks<T: Element>(
    plan: &Plan,
    out: &mut [T],
    write: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    if out.len() != plan.elements() {
        bail!("the output has {} elements, but the padded input {}", out.len(), plan.elements());
    }
    if size_of_val(out) < PARALLEL_BYTES {
        return write(0, out);
    }
    let chunk_len = CHUNK_BYTES / size_of::<T>();
    cpu::try_for_each_chunk_mut(out, chunk_len, |index, chunk| write(index * chunk_len, chunk))
}

/// Puts the output's elements `start .. start + len`.
#[inline(always)]
fn pad<T: Element>(x: &[T], plan: &Plan, start: usize, len: usize, to: &mut impl Sink<T>) -> Result<()> {
    let axis = plan.row();
    let mut missing = len;
    let mut column = start % axis.padded.max(1);
    let mut rows = plan.rows(start);
    let ahead = AHEAD_BYTES / size_of::<T>();
    let after = axis.padded - axis.extent - axis.before;
    let once = axis.before <= axis.extent && after <= axis.extent;
    while missing > 0 {
        let first = rows.next().unwrap_or_default();
        let Some(row) = x.get(first..first.saturating_add(axis.extent)) else {
            bail!("the input has {} elements, too few for its shape", x.len());
        };
        if axis.extent <= ahead {
            cpu::prefetch(x.get(first + ahead..first + ahead + axis.extent).unwrap_or_default());
        }
        if once && column == 0 && missing >= axis.padded {
            to.put(&row[axis.extent - axis.before..]);
            to.put(row);
            to.put(&row[..after]);
            missing -= axis.padded;
            continue;
        }
        while column < axis.padded && missing > 0 {
            let from = axis.source(column);
            let run = (axis.extent - from).min(axis.padded - column).min(missing);
            to.put(&row[from..from + run]);
            column += run;
            missing -= run;
        }
        column = 0;
    }
    Ok(())
}

/// Where a run of elements goes: behind what went before.
trait Sink<T> {
    fn put(&mut self, values: &[T]);
}

struct Rest<'a, T>(&'a mut [T]);

impl<T: Element> Sink<T> for Rest<'_, T> {
    #[inline(always)]
    fn put(&mut self, values: &[T]) {
        let Some(to) = self.0.split_off_mut(..values.len()) else { return };
        match values {
            [] => {}
            [value] => to[0] = *value,
            _ => to.copy_from_slice(values),
        }
    }
}

impl<T: Element> Sink<T> for StreamWriter<'_, T> {
    #[inline(always)]
    fn put(&mut self, values: &[T]) {
        match values {
            [] => {}
            [value] => self.push(*value),
            _ => self.write(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{pad_rows, pad_stream};
    use crate::circ_pad::plan::Plan;
    use crate::reference;
    use crate::testing::{Rng, guarded};
    use plugin_runtime::prelude::*;

    fn matches_reference<T: Element + PartialEq>(shape: &[i64], pads: &[i32], element: impl Fn(usize) -> T) {
        let x: Vec<T> = (0..shape.iter().product::<i64>() as usize).map(element).collect();
        let (_, expected) = reference::circ_pad(&x, shape, pads);
        let plan = Plan::new(shape, pads).unwrap();
        for tactic in [pad_rows, pad_stream] {
            let mut poison = vec![T::zeroed(); expected.len()];
            bytemuck::cast_slice_mut::<T, u8>(&mut poison).fill(0x5a);
            let got = guarded(&poison, |out| tactic(&x, &plan, out).unwrap());
            assert!(got == expected, "{shape:?} padded by {pads:?}");
        }
    }

    fn both_types(shape: &[i64], pads: &[i32]) {
        matches_reference(shape, pads, |i| i as f32 + 0.5);
        matches_reference(shape, pads, |i| f16::from_bits((i % 0x7c00) as u16));
    }

    #[test]
    fn padding_matches_the_reference_on_random_shapes_and_pads() {
        let mut rng = Rng::new(4);
        for _ in 0..400 {
            let rank = rng.below(9);
            let largest = [60, 60, 30, 12, 6, 4, 3, 3, 3][rank];
            let shape: Vec<i64> = (0..rank).map(|_| 1 + rng.below(largest) as i64).collect();
            let pairs = rng.below(rank + 1);
            let mut pads: Vec<i32> = (0..2 * pairs).map(|_| [0, 0, 1, 1, 2, 3, 5, 17][rng.below(8)]).collect();
            pads.iter_mut().skip(4).for_each(|pad| *pad = (*pad).min(1));
            both_types(&shape, &pads);
        }
    }

    #[test]
    fn padding_matches_the_reference_where_it_is_cut_into_chunks() {
        for (shape, pads) in [
            (&[3, 64, 65, 130][..], &[1, 1, 1, 1][..]),
            (&[700_001], &[3, 500_000]),
            (&[2, 3], &[400_000, 7]),
            (&[5, 100_003], &[0, 0, 1, 2]),
            (&[1001, 7, 31], &[2, 0, 0, 0, 1]),
        ] {
            let pads = &pads[..pads.len() / 2 * 2];
            both_types(shape, pads);
        }
    }

    #[test]
    fn padding_of_nothing_and_of_one() {
        for (shape, pads) in [
            (&[][..], &[][..]),
            (&[1], &[0, 0]),
            (&[1], &[3, 4]),
            (&[1, 1, 1], &[1, 2, 0, 0, 2, 1]),
            (&[0], &[]),
            (&[0, 4], &[1, 1]),
            (&[4, 0], &[0, 0, 1, 1]),
            (&[3, 0, 2], &[1, 1, 0, 0, 1, 1]),
        ] {
            both_types(shape, pads);
        }
    }

    #[test]
    fn buffers_of_another_size_are_an_error() {
        let plan = Plan::new(&[4, 5], &[1, 1, 1, 1]).unwrap();
        for tactic in [pad_rows::<f32>, pad_stream] {
            let error = tactic(&[0.0; 19], &plan, &mut [0.0; 42]).unwrap_err();
            assert_eq!(error.to_string(), "the input has 19 elements, too few for its shape");
            let error = tactic(&[0.0; 20], &plan, &mut [0.0; 41]).unwrap_err();
            assert_eq!(error.to_string(), "the output has 41 elements, but the padded input 42");
        }
    }
}
