//! Expressions and lists of them, as authors write them.

use super::{ShapeExpr, into_list, into_list_of_tuple};

/// What functions that want an expression take: a [`ShapeExpr`] or an integer, by value or by reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a shape expression",
    label = "write an integer, `x.shape_expr(0)`, or of a size tensor `count.expr()`"
)]
pub trait IntoExpr {
    /// The expression.
    fn into_expr(self) -> ShapeExpr;
}

#[diagnostic::do_not_recommend]
impl<T: Into<ShapeExpr>> IntoExpr for T {
    fn into_expr(self) -> ShapeExpr {
        self.into()
    }
}

/// What functions that want several expressions take: anything that is iterated over, or a tuple of up to 8, whose members
/// may be expressions and integers, by value or by reference. `M` is found by the compiler.
///
/// ```
/// use plugin_runtime::prelude::*;
///
/// fn out(x: &TensorDesc, columns: usize) -> TensorDesc {
///     TensorDesc::from_shape_expr((x.shape_expr(0) * 2, columns, 1), x.dtype())
/// }
/// # let x = TensorDesc::from_shape_expr([3], DataType::Float32);
/// assert_eq!(out(&x, 4).to_string(), "FP32 [6, 4, 1]");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a list of shape expressions",
    label = "write an array `[a, b]`, or a tuple `(a, 1)` or `dims![a, 1]` where expressions and integers mix",
    note = "expressions are `x.shape_expr(0)`, of a size tensor `count.expr()`; those of all of an input's extents are `x.shape_exprs()`"
)]
pub trait IntoExprs<M> {
    /// The expressions, first to last.
    fn into_exprs(self) -> Vec<ShapeExpr>;
}

/// The members of something that is iterated over.
#[derive(Debug)]
pub enum Iterated {}

/// The members of a tuple.
#[derive(Debug)]
pub enum Tuple {}

into_list!(IntoExprs, into_exprs, ShapeExpr, [IntoExpr], into_expr);

/// An array of shape expressions, of expressions and integers: `dims![x.shape_expr(0), 2]`.
#[macro_export]
macro_rules! dims {
    ($($dim:expr),* $(,)?) => {
        [$($crate::shape::IntoExpr::into_expr($dim)),*]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_mix_expressions_and_integers() {
        fn exprs<M>(list: impl IntoExprs<M>) -> Vec<Option<i64>> {
            list.into_exprs().iter().map(ShapeExpr::constant_value).collect()
        }
        let n = ShapeExpr::constant(5);
        assert_eq!(exprs((&n, 2usize, n.clone(), -1)), [Some(5), Some(2), Some(5), Some(-1)]);
        assert_eq!(exprs([&n, &n]), [Some(5), Some(5)]);
        assert_eq!(exprs(dims![&n, 3usize, n.clone()]), [Some(5), Some(3), Some(5)]);
        assert_eq!(exprs([1i64, 2].iter()), [Some(1), Some(2)]);
        assert_eq!(exprs(vec![7u32]), [Some(7)]);
    }
}
