//! One function of one element, on all of them.

use plugin_runtime::device::cpu::{self, PARALLEL_BYTES, STREAM_BYTES};
use plugin_runtime::prelude::*;

/// Bytes that a thread works on before it asks for more.
const CHUNK_BYTES: usize = 256 << 10;
/// Elements that are computed together.
const BATCH: usize = 256;

/// An element that is computed with in single precision.
pub(crate) trait Float: Element {
    /// Sets each of `out` to `f` of the element of `x` in its place.
    fn map(x: &[Self], out: &mut [Self], f: impl Fn(f32) -> f32);

    /// Replaces each of `values` by `f` of it.
    fn update(values: &mut [Self], f: impl Fn(f32) -> f32);
}

impl Float for f32 {
    #[inline(always)]
    fn map(x: &[f32], out: &mut [f32], f: impl Fn(f32) -> f32) {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = f(x));
    }

    #[inline(always)]
    fn update(values: &mut [f32], f: impl Fn(f32) -> f32) {
        values.iter_mut().for_each(|value| *value = f(*value));
    }
}

impl Float for f16 {
    #[inline(always)]
    fn map(x: &[f16], out: &mut [f16], f: impl Fn(f32) -> f32) {
        cpu::map_halves(x, out, f);
    }

    #[inline(always)]
    fn update(values: &mut [f16], f: impl Fn(f32) -> f32) {
        cpu::update_halves(values, f);
    }
}

/// Sets each of `out` to `f` of the element of `x` in its place.
///
/// # Errors
/// When they aren't equally many.
pub(crate) fn map<T: Float>(x: &[T], out: &mut [T], f: impl Fn(f32) -> f32 + Sync) -> Result<()> {
    map_by(x, out, f, size_of_val(x) >= STREAM_BYTES)
}

fn map_by<T: Float>(x: &[T], out: &mut [T], f: impl Fn(f32) -> f32 + Sync, streamed: bool) -> Result<()> {
    if x.len() != out.len() {
        bail!("the input has {} elements, the output {}", x.len(), out.len());
    }
    in_chunks(out, |start, out| {
        let x = &x[start..start + out.len()];
        cpu::vectorized(|| if streamed { map_streamed(x, out, &f) } else { map_cached(x, out, &f) })
    })
}

#[inline(always)]
fn map_cached<T: Float>(x: &[T], out: &mut [T], f: impl Fn(f32) -> f32) -> Result<()> {
    T::map(x, out, f);
    Ok(())
}

#[inline(always)]
fn map_streamed<T: Float>(x: &[T], out: &mut [T], f: impl Fn(f32) -> f32) -> Result<()> {
    cpu::stream_into(out, |writer| {
        for x in x.chunks(BATCH) {
            T::map(x, writer.spare(x.len()), &f);
            writer.commit(x.len());
        }
        Ok(())
    })
}

/// Replaces each of `values` by `f` of it.
///
/// # Errors
/// None.
pub(crate) fn update<T: Float>(values: &mut [T], f: impl Fn(f32) -> f32 + Sync) -> Result<()> {
    in_chunks(values, |_, values| {
        cpu::vectorized(|| T::update(values, &f));
        Ok(())
    })
}

fn in_chunks<T: Element>(out: &mut [T], write: impl Fn(usize, &mut [T]) -> Result<()> + Sync) -> Result<()> {
    if size_of_val(out) < PARALLEL_BYTES {
        return write(0, out);
    }
    let chunk_len = CHUNK_BYTES / size_of::<T>();
    cpu::try_for_each_chunk_mut(out, chunk_len, |index, chunk| write(index * chunk_len, chunk))
}

#[cfg(test)]
mod tests {
    use super::{Float, PARALLEL_BYTES, map, map_by, update};
    use crate::reference;
    use crate::testing::{LENGTHS, Rng, guarded};
    use plugin_runtime::prelude::f16;

    fn matches_reference<T: Float + reference::Float + PartialEq + std::fmt::Debug>(same: fn(&T, &T) -> bool) {
        let mut rng = Rng::new(1);
        for len in LENGTHS.into_iter().chain([PARALLEL_BYTES / size_of::<T>() + 3]) {
            let x: Vec<T> = (0..len).map(|_| T::narrow(rng.float())).collect();
            for delta in [1, -3, i32::MAX] {
                let expected = reference::add(&x, delta);
                let right = |got: &[T]| got.len() == len && got.iter().zip(&expected).all(|(a, b)| same(a, b));
                let add = |x| x + delta as f32;
                for streamed in [false, true] {
                    let poison = vec![T::narrow(-77.0); len];
                    let got = guarded(&poison, |out| map_by(&x, out, add, streamed).unwrap());
                    assert!(right(&got), "{len} elements and {delta}, streamed: {streamed}");
                }
                let got = guarded(&x, |values| update(values, add).unwrap());
                assert!(right(&got), "{len} elements and {delta} in place");
            }
        }
    }

    #[test]
    fn mapping_and_updating_match_the_reference() {
        matches_reference::<f32>(|a, b| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()));
        matches_reference::<f16>(|a, b| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()));
    }

    #[test]
    fn lengths_that_differ_are_an_error() {
        let error = map(&[1.0f32; 3], &mut [0.0; 2], |x| x).unwrap_err();
        assert_eq!(error.to_string(), "the input has 3 elements, the output 2");
    }
}
