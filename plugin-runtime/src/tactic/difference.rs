//! Compares results within a tolerance.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::device::cpu::reformat::reformat;
use crate::error::Result;
use crate::plugin::{Compare, Tolerance};
use crate::tensor::{DataClass, DataType, HostTensor, Representation};

/// How much results may differ, relative to the larger of 1 and the value, when the coarsest type between them is
/// `dtype`.
fn usual(dtype: DataType) -> f64 {
    match dtype {
        DataType::Float8 => 0.25,
        DataType::BFloat16 => 0.05,
        DataType::Float16 => 0.01,
        _ => 1e-4,
    }
}

/// The floating-point type of least precision; FP32 where there is none.
pub(crate) fn coarsest<'a>(types: impl IntoIterator<Item = &'a DataType>) -> DataType {
    let floats = types.into_iter().copied().filter(|t| t.class() == DataClass::Float);
    floats.max_by(|a, b| usual(*a).total_cmp(&usual(*b))).unwrap_or(DataType::Float32)
}

/// The first difference between two tensors of one type, in words. `coarsest` is the type of least precision that either
/// was computed in.
pub(crate) fn difference(
    expected: &HostTensor,
    got: &HostTensor,
    compare: &Compare,
    coarsest: DataType,
) -> Option<String> {
    if compare.skipped.is_some() {
        return None;
    }
    if expected.shape() != got.shape() {
        return Some(format!("its shape is {:?}, not {:?}", got.shape(), expected.shape()));
    }
    if expected.bytes() == got.bytes() {
        return None;
    }
    let values = Values::of(expected).and_then(|expected| Ok((expected, Values::of(got)?)));
    let (expected_values, got_values) = match values {
        Ok(values) => values,
        Err(e) => return Some(e.to_string()),
    };
    let row = match (compare.unordered, expected.shape()) {
        (true, [_, rest @ ..]) => Some(rest.iter().product::<i64>() as usize),
        _ => None,
    };
    let close =
        Closeness { tolerance: compare.tolerance, usual: usual(coarsest), coarse: coarsest != DataType::Float32 };
    let order = |values: &Values<'_>| row.filter(|&row| row > 0).map(|row| values.sorted_rows(row));
    let (expected_order, got_order) = (order(&expected_values), order(&got_values));
    let place = |order: &Option<Vec<usize>>, element: usize| match (order, row) {
        (Some(order), Some(row)) => order[element / row] * row + element % row,
        _ => element,
    };
    let count = expected_values.len();
    let mut differing = (0..count).filter_map(|element| {
        let (e, g) = (place(&expected_order, element), place(&got_order, element));
        (!close.holds(&expected_values, e, &got_values, g)).then_some((element, e, g))
    });
    let (element, e, g) = differing.next()?;
    let many = 1 + differing.count();
    let more = if many > 1 { format!("; {many} of {count} elements differ") } else { String::new() };
    let sorted = if expected_order.is_some() { "in ascending order, " } else { "" };
    Some(format!("{sorted}element {element} is {}, not {}{more}", got_values.show(g), expected_values.show(e)))
}

struct Closeness {
    tolerance: Option<Tolerance>,
    usual: f64,
    /// Whether something was computed in less than single precision.
    coarse: bool,
}

impl Closeness {
    fn holds(&self, expected: &Values<'_>, e: usize, got: &Values<'_>, g: usize) -> bool {
        match (expected, got) {
            (Values::Floats(expected), Values::Floats(got)) => {
                let (e, g) = (expected[e], got[g]);
                e == g || (e.is_nan() && g.is_nan()) || f64::from((e - g).abs()) <= self.allowed(f64::from(e))
            }
            (Values::Integers(expected), Values::Integers(got)) => expected[e] == got[g],
            _ => false,
        }
    }

    fn allowed(&self, expected: f64) -> f64 {
        let usual = self.usual * expected.abs().max(1.0);
        match self.tolerance {
            None => usual,
            Some(Tolerance { rtol, atol }) => {
                let own = atol + rtol * expected.abs();
                if self.coarse { own.max(usual) } else { own }
            }
        }
    }
}

/// A tensor's elements in a type that holds each of them exactly.
enum Values<'a> {
    Floats(Cow<'a, [f32]>),
    Integers(Vec<i64>),
}

impl<'a> Values<'a> {
    fn of(tensor: &'a HostTensor) -> Result<Values<'a>> {
        if tensor.dtype() == DataType::Float32 {
            Ok(Values::Floats(tensor.as_slice::<f32>()?.into()))
        } else if tensor.dtype().class() == DataClass::Float {
            Ok(Values::Floats(converted(tensor, DataType::Float32)?.as_slice::<f32>()?.to_vec().into()))
        } else if tensor.dtype() == DataType::Bool {
            // A byte that is neither 0 nor 1 isn't a boolean, and equal to nothing else.
            Ok(Values::Integers(tensor.bytes().iter().map(|&byte| i64::from(byte)).collect()))
        } else {
            Ok(Values::Integers(converted(tensor, DataType::Int64)?.as_slice::<i64>()?.to_vec()))
        }
    }

    fn len(&self) -> usize {
        match self {
            Values::Floats(values) => values.len(),
            Values::Integers(values) => values.len(),
        }
    }

    fn show(&self, element: usize) -> String {
        match self {
            Values::Floats(values) => values[element].to_string(),
            Values::Integers(values) => values[element].to_string(),
        }
    }

    /// The rows, each of so many elements, from the least to the greatest.
    fn sorted_rows(&self, row: usize) -> Vec<usize> {
        fn sorted<T>(values: &[T], row: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<usize> {
            let rows = |index: usize| &values[index * row..][..row];
            let compare = |a: &usize, b: &usize| {
                let mut elements = rows(*a).iter().zip(rows(*b)).map(|(a, b)| order(a, b));
                elements.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            };
            let mut indices: Vec<usize> = (0..values.len() / row).collect();
            indices.sort_by(compare);
            indices
        }
        match self {
            Values::Floats(values) => sorted(values, row, f32::total_cmp),
            Values::Integers(values) => sorted(values, row, i64::cmp),
        }
    }
}

/// A row-major tensor in another type.
pub(super) fn converted(tensor: &HostTensor, dtype: DataType) -> Result<HostTensor> {
    let mut to = HostTensor::zeros(dtype, tensor.shape())?;
    let representations = (Representation::linear(tensor.dtype()), Representation::linear(dtype));
    reformat(representations.0, tensor.bytes(), representations.1, to.bytes_mut(), &tensor.extents())?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    fn floats(values: &[f32], dims: &[i64]) -> HostTensor {
        HostTensor::from_slice(values, dims).unwrap()
    }

    fn integers(values: &[i32]) -> HostTensor {
        HostTensor::from_slice(values, &[values.len() as i64]).unwrap()
    }

    fn found(expected: &HostTensor, got: &HostTensor, compare: &Compare) -> Option<String> {
        difference(expected, got, compare, DataType::Float32)
    }

    #[test]
    fn in_order_within_the_usual_tolerance() {
        let usual = Compare::new();
        let x = floats(&[1.0, 20.0, f32::NAN, f32::INFINITY], &[4]);
        assert_eq!(found(&x, &floats(&[1.00005, 20.001, f32::NAN, f32::INFINITY], &[4]), &usual), None);
        let other = floats(&[1.0, 20.01, 0.0, f32::INFINITY], &[4]);
        assert_eq!(found(&x, &other, &usual).unwrap(), "element 1 is 20.01, not 20; 2 of 4 elements differ");
        assert_eq!(found(&x, &floats(&[1.0; 3], &[3]), &usual).unwrap(), "its shape is [3], not [4]");
        assert_eq!(found(&integers(&[1, 2]), &integers(&[1, 3]), &usual).unwrap(), "element 1 is 3, not 2");
        let (yes, strange) = [1u8, 2].map(|byte| HostTensor::from_bytes(DataType::Bool, &[byte], &[1]).unwrap()).into();
        assert_eq!(found(&yes, &strange, &usual).unwrap(), "element 0 is 2, not 1");
    }

    #[test]
    fn the_authors_tolerance() {
        let close = Compare::new().close(0.0, 0.5);
        let (x, y) = (floats(&[100.0], &[1]), floats(&[100.5], &[1]));
        assert_eq!(found(&x, &y, &close), None);
        assert!(found(&x, &y, &Compare::new().close(0.0, 0.25)).is_some());
        assert_eq!(found(&x, &y, &Compare::new().close(0.005, 0.0)), None);
        let exact = Compare::new().close(0.0, 0.0);
        let (a, b) = (floats(&[1.0], &[1]), floats(&[1.0001], &[1]));
        assert!(found(&a, &b, &exact).is_some());
        assert_eq!(difference(&a, &b, &exact, DataType::Float16), None, "half precision isn't exact");
    }

    #[test]
    fn in_any_order() {
        let any = Compare::new().unordered();
        assert_eq!(found(&integers(&[3, 1, 2]), &integers(&[1, 2, 3]), &any), None);
        let missing = found(&integers(&[3, 1, 2]), &integers(&[1, 2, 2]), &any);
        assert_eq!(missing.unwrap(), "in ascending order, element 2 is 2, not 3");
        let (x, y) = (floats(&[1.0, 9.0, 1.0, 2.0], &[2, 2]), floats(&[1.0, 2.0, 1.0, 9.0], &[2, 2]));
        assert_eq!(found(&x, &y, &any), None);
        assert!(found(&x, &floats(&[9.0, 1.0, 1.0, 2.0], &[2, 2]), &any).is_some(), "rows stay whole");
        assert!(found(&floats(&[1.0], &[]), &floats(&[2.0], &[]), &any).is_some());
        assert_eq!(found(&floats(&[], &[3, 0]), &floats(&[], &[3, 0]), &any), None);
    }

    #[test]
    fn not_at_all() {
        assert_eq!(found(&integers(&[1]), &integers(&[1, 2]), &Compare::skip("noise")), None);
    }

    #[test]
    fn the_coarsest_type() {
        assert_eq!(coarsest(&[DataType::Float32, DataType::BFloat16, DataType::Float16]), DataType::BFloat16);
        assert_eq!(coarsest(&[DataType::Int8]), DataType::Float32);
        let half = HostTensor::from_slice(&[f16::ONE], &[1]).unwrap();
        assert_eq!(difference(&half, &half, &Compare::new(), DataType::Float16), None);
    }
}
