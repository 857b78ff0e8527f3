//! How results of a plugin's implementations are compared.

use std::fmt;

use crate::error::{Error, Result};

/// How an output is compared with that of the reference, when a build checks a plugin's implementations.
///
/// Where nothing is said, floats may differ by 1e-4, FP16 by 0.01, BF16 by 0.05 and FP8 by 0.25, relative to the larger
/// of 1 and the value; everything else must be equal. What `#[register]` says with `compare = ..` applies to each output,
/// or with an array to one after another; size tensors are equal in any case.
///
/// ```
/// # use plugin_runtime::prelude::*;
/// /// Noise of its own in each run.
/// #[register("docs::noise", compare = Compare::skip("draws numbers anew in each run"))]
/// fn noise(x: &TensorDesc) -> TensorDesc {
///     x.like()
/// }
///
/// /// Where elements are positive, in no particular order.
/// #[register("docs::positive", compare = Compare::new().unordered())]
/// fn positive(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
///     let count = size_tensor(x.numel() / 2, x.numel());
///     (TensorDesc::from_shape_expr([count.expr()], DataType::Int32), count)
/// }
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Compare {
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) unordered: bool,
    /// Why it isn't compared.
    pub(crate) skipped: Option<String>,
}

/// Floats are close when they differ by at most `atol + rtol * |expected|`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Tolerance {
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
}

impl Compare {
    /// Element by element, within the usual tolerance of the types.
    pub fn new() -> Self {
        Compare::default()
    }

    /// Floats may differ by `atol + rtol * |expected|`, or by what is usual for the coarsest type that they were computed
    /// in, where that is FP16 or coarser and allows more.
    #[must_use]
    pub fn close(mut self, rtol: f64, atol: f64) -> Self {
        self.tolerance = Some(Tolerance { rtol, atol });
        self
    }

    /// Compared as a set: elements of a vector, or slices along the first dimension of anything else, may come in any
    /// order. Each output by itself.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.unordered = true;
        self
    }

    /// Not compared, for a reason that stands in the build's report and its lockfile. Elements that a tactic leaves
    /// unwritten are still found.
    pub fn skip(reason: impl Into<String>) -> Self {
        Compare { skipped: Some(reason.into()), ..Compare::default() }
    }

    fn check(&self) -> Result<()> {
        if let Some(Tolerance { rtol, atol }) = self.tolerance
            && ![rtol, atol].iter().all(|t| t.is_finite() && *t >= 0.0)
        {
            return Err(Error::plugin(format_args!(
                "Compare::close({rtol}, {atol}): a tolerance is a finite number, not below 0"
            )));
        }
        if self.skipped.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Error::plugin("Compare::skip needs a reason, which the report shows"));
        }
        Ok(())
    }
}

/// `any order, rtol 0.01, atol 0`, and `usual` where nothing is said.
impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.skipped {
            return write!(f, "not compared ({reason})");
        }
        match (self.unordered, self.tolerance) {
            (false, None) => f.write_str("usual"),
            (true, None) => f.write_str("any order"),
            (unordered, Some(Tolerance { rtol, atol })) => {
                f.write_str(if unordered { "any order, " } else { "" })?;
                write!(f, "rtol {rtol}, atol {atol}")
            }
        }
    }
}

/// A value of `compare = ..`, for a plugin of `N` outputs.
#[diagnostic::on_unimplemented(
    message = "`compare` is a `Compare`, or an array of one per output: `[Compare; {N}]`",
    label = "expected `Compare` or `[Compare; {N}]`, found `{Self}`"
)]
pub trait IntoComparisons<const N: usize> {
    /// One per output.
    ///
    /// # Errors
    /// When a tolerance isn't one, or a reason is empty.
    fn into_comparisons(self) -> Result<Vec<Compare>>;
}

impl<const N: usize> IntoComparisons<N> for Compare {
    fn into_comparisons(self) -> Result<Vec<Compare>> {
        self.check()?;
        Ok(vec![self; N])
    }
}

impl<const N: usize> IntoComparisons<N> for [Compare; N] {
    fn into_comparisons(self) -> Result<Vec<Compare>> {
        self.iter().try_for_each(Compare::check)?;
        Ok(self.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_is() {
        let shown = [
            (Compare::new(), "usual"),
            (Compare::new().unordered(), "any order"),
            (Compare::new().close(0.01, 0.0), "rtol 0.01, atol 0"),
            (Compare::new().unordered().close(0.0, 1e-6), "any order, rtol 0, atol 0.000001"),
            (Compare::skip("noise"), "not compared (noise)"),
        ];
        for (compare, text) in shown {
            assert_eq!(compare.to_string(), text);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |compare: Compare| IntoComparisons::<2>::into_comparisons(compare).unwrap_err().to_string();
        assert_eq!(refused(Compare::skip(" ")), "Compare::skip needs a reason, which the report shows");
        for (rtol, atol) in [(-1.0, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)] {
            let message = refused(Compare::new().close(rtol, atol));
            assert!(message.ends_with("a tolerance is a finite number, not below 0"), "{message}");
        }
        assert_eq!(IntoComparisons::<2>::into_comparisons(Compare::new()).unwrap().len(), 2);
    }
}
