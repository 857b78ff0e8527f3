//! Placeholder, being replaced: symbolic expressions.

use std::sync::Arc;

/// What a symbol stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum SymbolKind {
    /// A dynamic dimension of a network input.
    Dim,
    /// An extent that a layer's size tensor gives when it has run.
    Size,
    /// The size tensor that a `register` function is describing; arithmetic on it is refused.
    OwnSize,
}

/// A variable of a shape expression. Equal when kind and index are; the name is for people.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// What it stands for.
    pub kind: SymbolKind,
    /// Where its value stands in the slice that evaluation reads.
    pub index: u32,
    /// What is printed.
    pub name: Arc<str>,
}

/// A symbolic integer expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShapeExpr(i64);

impl ShapeExpr {
    /// A constant.
    pub fn constant(value: i64) -> Self {
        ShapeExpr(value)
    }
    /// A variable.
    pub fn symbol(_symbol: Symbol) -> Self {
        ShapeExpr(0)
    }
    /// An expression that carries a mistake to where it can be reported.
    pub fn invalid(_reason: impl Into<Arc<str>>) -> Self {
        ShapeExpr(0)
    }
    /// The mistake this expression carries.
    pub fn error(&self) -> Option<&str> {
        None
    }
    /// The value, where it is a constant.
    pub fn constant_value(&self) -> Option<i64> {
        Some(self.0)
    }
}

impl<T: Into<i64>> From<T> for ShapeExpr {
    fn from(value: T) -> Self {
        ShapeExpr(value.into())
    }
}

impl std::fmt::Display for ShapeExpr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::ops::Mul<&ShapeExpr> for ShapeExpr {
    type Output = ShapeExpr;
    fn mul(self, other: &ShapeExpr) -> ShapeExpr {
        ShapeExpr(self.0 * other.0)
    }
}
