//! Results compared with what they should be.

use std::cmp::Ordering;
use std::fmt::Display;

use plugin_runtime::tensor::{Element, HostTensor};

use super::failure::{Failure, Result};

/// Checks a result's type, extents and elements; two NaNs count as equal.
///
/// # Errors
/// What differs: how many elements, and the first of them.
pub(super) fn equal<T: Element + PartialOrd + Display>(got: &HostTensor, dims: &[i64], expected: &[T]) -> Result<()> {
    matching(got, dims, expected, |a, b| {
        a.partial_cmp(b) == Some(Ordering::Equal) || (a.partial_cmp(a).is_none() && b.partial_cmp(b).is_none())
    })
}

/// The same, with the caller's idea of which elements are equal.
///
/// # Errors
/// As [`equal`].
pub(super) fn matching<T: Element + Display>(
    got: &HostTensor,
    dims: &[i64],
    expected: &[T],
    same: impl Fn(&T, &T) -> bool,
) -> Result<()> {
    let wrong = |why: String| Failure::work(format_args!("the result is wrong: {why}"));
    if got.shape() != dims {
        return Err(wrong(format!("its shape should be {dims:?}, got {:?}", got.shape())));
    }
    let elements = got.as_slice::<T>()?;
    if elements.len() != expected.len() {
        return Err(wrong(format!("it should have {} elements, got {}", expected.len(), elements.len())));
    }
    let mut differing = elements.iter().zip(expected).enumerate().filter(|(_, (got, want))| !same(got, want));
    let Some((index, (first, want))) = differing.next() else { return Ok(()) };
    Err(wrong(format!(
        "{} of {} elements differ; the first at {:?}: expected {want}, got {first}",
        1 + differing.count(),
        expected.len(),
        coordinates(index, dims),
    )))
}

fn coordinates(mut index: usize, dims: &[i64]) -> Vec<usize> {
    let mut coordinates: Vec<usize> = Vec::with_capacity(dims.len());
    for &extent in dims.iter().rev() {
        let extent = usize::try_from(extent).unwrap_or(1).max(1);
        coordinates.push(index % extent);
        index /= extent;
    }
    coordinates.reverse();
    coordinates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_differs() {
        let got = HostTensor::from_slice(&[1.0f32, f32::NAN, 3.0, 4.0, 5.0, -0.0], &[2, 3]).unwrap();
        let check = |dims: &[i64], expected: &[f32]| equal(&got, dims, expected).map_err(|e| e.to_string());
        assert_eq!(check(&[2, 3], &[1.0, f32::NAN, 3.0, 4.0, 5.0, 0.0]), Ok(()));
        let error = check(&[2, 3], &[1.0, f32::NAN, 3.0, 4.0, 6.0, 1.0]).unwrap_err();
        assert!(error.contains("2 of 6 elements differ; the first at [1, 1]: expected 6, got 5"), "{error}");
        assert!(check(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 0.0]).unwrap_err().contains("expected 2, got NaN"));
        assert!(check(&[3, 2], &[0.0; 6]).unwrap_err().contains("should be [3, 2], got [2, 3]"));
        assert!(equal::<i32>(&got, &[2, 3], &[0; 6]).is_err());
    }
}
