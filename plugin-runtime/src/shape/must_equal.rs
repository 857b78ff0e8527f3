//! Extents that have to be equal.

use super::ShapeExpr;
use super::error::ShapeError;
use super::excerpt::excerpt;
use super::list::IntoExpr;
use super::polynomial::Operation;
use crate::error::Result;

impl ShapeExpr {
    /// This extent, which has to be equal to another one. `==` can't tell that of extents that are known only when it runs:
    /// it compares expressions.
    ///
    /// Where both are known it is settled now. Otherwise the expression that is returned is to be used as the extent: where
    /// shapes are set with which they differ, its evaluation fails and names both.
    ///
    /// ```
    /// use plugin_runtime::prelude::*;
    ///
    /// #[register("docs::add_columns")]
    /// fn add_columns(x: &TensorDesc, bias: &TensorDesc) -> Result<TensorDesc> {
    ///     let columns = x.shape_expr(1).must_equal(bias.shape_expr(0))?;
    ///     Ok(TensorDesc::from_shape_expr((x.shape_expr(0), columns), x.dtype()))
    /// }
    /// # let (x, bias) = ([2, 3], [4]);
    /// # let desc = |dims: &[i64]| TensorDesc::from_shape_expr(dims.iter(), DataType::Float32);
    /// assert!(add_columns(&desc(&x), &desc(&bias)).is_err());
    /// ```
    ///
    /// # Errors
    /// When they are known to differ, or one carries a mistake.
    pub fn must_equal(&self, other: impl IntoExpr) -> Result<ShapeExpr> {
        let other = other.into_expr();
        let is_equal = self.equal(&other);
        match is_equal.constant_value() {
            Some(0) => Err(differ(self, &other, String::new()).into()),
            Some(_) => Ok(self.clone()),
            None => {
                let checked = self.floor_div(is_equal);
                checked.polynomial()?;
                Ok(checked)
            }
        }
    }

    /// The error of a division by 0, which is one of extents that have to be equal where that was the divisor.
    pub(super) fn division_by_zero(&self, values: String) -> ShapeError {
        let divisor = self.polynomial().ok().and_then(|p| p.as_node(Operation::FloorDiv)?.get(1).cloned());
        let operands = divisor.as_ref().and_then(|divisor| divisor.as_node(Operation::Equal));
        match operands {
            Some([left, right]) => differ(&ShapeExpr(Ok(left.clone())), &ShapeExpr(Ok(right.clone())), values),
            _ => ShapeError::DivisionByZero { expression: excerpt(self), values },
        }
    }
}

fn differ(left: &ShapeExpr, right: &ShapeExpr, values: String) -> ShapeError {
    ShapeError::Differ { left: excerpt(unchecked(left)), right: excerpt(unchecked(right)), values }
}

/// The extent that [`ShapeExpr::must_equal`] was asked of, where it made this of it.
fn unchecked(expression: &ShapeExpr) -> ShapeExpr {
    let mut expression = expression.clone();
    loop {
        let operands = expression.polynomial().ok().and_then(|p| p.as_node(Operation::FloorDiv));
        match operands {
            Some([extent, divisor]) if divisor.as_node(Operation::Equal).is_some() => {
                expression = ShapeExpr(Ok(extent.clone()));
            }
            _ => return expression,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Interval, Symbol, SymbolKind};

    fn symbol(index: u32, name: &str) -> ShapeExpr {
        ShapeExpr::symbol(Symbol { kind: SymbolKind::Dim, index, name: name.into() })
    }

    #[test]
    fn what_is_known_is_settled_at_once() {
        let three = ShapeExpr::constant(3);
        assert_eq!(three.must_equal(3).unwrap(), three);
        assert_eq!(three.must_equal(4).unwrap_err().to_string(), "`3` must equal `4`");
        let n = symbol(0, "n");
        assert_eq!((&n + 1).must_equal(1 + &n).unwrap(), &n + 1);
        assert_eq!(n.must_equal(&n + 1).unwrap_err().to_string(), "`n` must equal `n + 1`");
    }

    #[test]
    fn what_is_not_is_checked_when_it_is() {
        let (x, y) = (symbol(0, "x.d1"), symbol(1, "w.d0"));
        let checked = x.must_equal(&y).unwrap();
        assert_eq!(checked.evaluate(&[5, 5]).unwrap(), 5);
        let error = checked.evaluate(&[5, 6]).unwrap_err().to_string();
        let either = ["`x.d1` must equal `w.d0`", "`w.d0` must equal `x.d1`"];
        assert!(either.iter().any(|text| error.starts_with(text)), "{error}");
        assert!(error.ends_with("where x.d1 = 5, w.d0 = 6"), "{error}");
        let range = |x: Interval, y: Interval| checked.range(&|s| if s.index == 0 { x } else { y });
        assert_eq!(range(Interval { min: 1, max: 8 }, Interval { min: 2, max: 9 }).unwrap().max, 8);
        assert!(range(Interval { min: 1, max: 2 }, Interval { min: 3, max: 9 }).is_err(), "never equal");
        let error = checked.must_equal(symbol(2, "b.d0")).unwrap().evaluate(&[5, 5, 6]).unwrap_err().to_string();
        let either = ["`x.d1` must equal `b.d0` where", "`b.d0` must equal `x.d1` where"];
        assert!(either.iter().any(|text| error.starts_with(text)), "{error}");
        assert!((&x / &y).evaluate(&[1, 0]).unwrap_err().to_string().contains("divides by zero"));
    }
}
