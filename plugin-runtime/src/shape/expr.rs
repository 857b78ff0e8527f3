//! Symbolic integer expressions.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use super::error::ShapeError;
use super::excerpt::excerpt;
use super::fold::{Algebra, fold};
use super::list::IntoExpr;
use super::polynomial::{Atom, Flaw, MAX_DEPTH, MAX_SIZE, Operation, Polynomial};
use super::symbol::Symbol;
use super::{comparison, division};

/// A symbolic integer expression of 64 bits, cheap to clone.
///
/// It is brought into a normal form when it is made, so equal expressions compare and hash equal: `(a + b)*c` is
/// `a*c + b*c`, `n + n` is `2*n`, `max(a, b)` is `max(b, a)`. Integers may stand for either operand of `+ - * /`, and
/// `/` rounds towards negative infinity. What cancels is gone, with any mistake that its evaluation could have made.
///
/// `==` compares expressions, not the values that they will have: two dynamic extents that are always the same are still
/// different expressions. [`must_equal`](ShapeExpr::must_equal) says that two extents have to be the same.
///
/// An operation that can't have a result (a constant that leaves 64 bits, a division by 0, arithmetic on a size tensor
/// that is being described) gives an invalid expression, which carries the reason through all further operations to
/// where it is reported.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ShapeExpr(pub(super) Result<Arc<Polynomial>, Arc<str>>);

/// How an operation is written in a message.
pub(super) enum Written {
    Infix(char),
    Call(&'static str),
}

impl ShapeExpr {
    /// A constant.
    pub fn constant(value: i64) -> Self {
        Polynomial::constant(value).into()
    }

    /// A variable.
    pub fn symbol(symbol: Symbol) -> Self {
        Polynomial::from(Atom::Symbol(symbol)).into()
    }

    /// An expression that carries a mistake to where it can be reported.
    pub fn invalid(reason: impl Into<Arc<str>>) -> Self {
        ShapeExpr(Err(reason.into()))
    }

    /// The mistake this expression carries.
    pub fn error(&self) -> Option<&str> {
        self.0.as_ref().err().map(|reason| &**reason)
    }

    /// Whether it is a number.
    pub fn is_constant(&self) -> bool {
        self.constant_value().is_some()
    }

    /// The value, where it is a number.
    pub fn constant_value(&self) -> Option<i64> {
        self.0.as_ref().ok()?.constant_value()
    }

    /// The variable, where the whole expression is one.
    pub fn as_symbol(&self) -> Option<&Symbol> {
        self.0.as_ref().ok()?.as_symbol()
    }

    /// Whether the whole expression is the extent that a size tensor gives.
    pub fn is_size_tensor(&self) -> bool {
        use super::SymbolKind::{OwnSize, Size};
        self.as_symbol().is_some_and(|s| matches!(s.kind, Size | OwnSize))
    }

    /// The variables it depends on.
    pub fn symbols(&self) -> BTreeSet<Symbol> {
        let mut symbols = BTreeSet::new();
        if let Ok(polynomial) = &self.0 {
            polynomial.for_each_symbol(&mut |symbol| {
                if !symbols.contains(symbol) {
                    symbols.insert(symbol.clone());
                }
            });
        }
        symbols
    }

    /// The quotient, rounded towards negative infinity, as `/` does.
    #[must_use]
    pub fn floor_div(&self, divisor: impl IntoExpr) -> Self {
        self.combined(&divisor.into_expr(), Written::Infix('/'), division::floor_div)
    }

    /// The quotient, rounded towards positive infinity.
    #[doc(alias = "cdiv")]
    #[must_use]
    pub fn ceil_div(&self, divisor: impl IntoExpr) -> Self {
        self.combined(&divisor.into_expr(), Written::Call("ceil_div"), division::ceil_div)
    }

    /// The larger of both.
    #[must_use]
    pub fn max(&self, other: impl IntoExpr) -> Self {
        self.combined(&other.into_expr(), Written::Call("max"), |a, b| comparison::extremum(Operation::Max, a, b))
    }

    /// The smaller of both.
    #[must_use]
    pub fn min(&self, other: impl IntoExpr) -> Self {
        self.combined(&other.into_expr(), Written::Call("min"), |a, b| comparison::extremum(Operation::Min, a, b))
    }

    /// 1 where both are equal, else 0.
    #[must_use]
    pub fn equal(&self, other: impl IntoExpr) -> Self {
        self.combined(&other.into_expr(), Written::Call("equal"), comparison::equal)
    }

    /// 1 where this is below the other, else 0.
    #[must_use]
    pub fn less(&self, other: impl IntoExpr) -> Self {
        self.combined(&other.into_expr(), Written::Call("less"), comparison::less)
    }

    /// The same with symbols replaced: those that `replacement` has one for. A size tensor that is being described can
    /// only be replaced as a whole expression, as it only occurs as one.
    #[must_use]
    pub fn substitute(&self, replacement: &dyn Fn(&Symbol) -> Option<ShapeExpr>) -> Self {
        let Ok(polynomial) = &self.0 else { return self.clone() };
        let mut replaced = false;
        polynomial.for_each_symbol(&mut |symbol| replaced = replaced || replacement(symbol).is_some());
        if !replaced {
            return self.clone();
        }
        let Ok(substituted) = fold(polynomial, Substitution { replacement });
        substituted
    }

    /// The value that an algebra computes of it.
    ///
    /// # Errors
    /// For an expression that carries a mistake, and what the algebra refuses.
    #[cfg(any(feature = "tensorrt", feature = "python"))]
    pub(crate) fn compute<A: Algebra<Error: From<ShapeError>>>(&self, algebra: A) -> Result<A::Value, A::Error> {
        fold(self.polynomial()?, algebra)
    }

    /// A sum as one operand, which isn't multiplied out.
    pub(super) fn grouped(&self) -> Self {
        let Ok(sum) = &self.0 else { return self.clone() };
        match sum.grouped() {
            Ok(grouped) => grouped.into(),
            Err(flaw) => ShapeExpr::invalid(flaw.of(&excerpt(self))),
        }
    }

    /// The normal form.
    ///
    /// # Errors
    /// For an expression that carries a mistake.
    pub(super) fn polynomial(&self) -> Result<&Arc<Polynomial>, ShapeError> {
        self.0.as_ref().map_err(|reason| ShapeError::Invalid { reason: reason.to_string() })
    }

    pub(super) fn combined(
        &self,
        other: &ShapeExpr,
        written: Written,
        operation: impl FnOnce(&Arc<Polynomial>, &Arc<Polynomial>) -> Result<Polynomial, Flaw>,
    ) -> Self {
        let (a, b) = match (&self.0, &other.0) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(_), _) => return self.clone(),
            (_, Err(_)) => return other.clone(),
        };
        if let Some(size) = [a, b].into_iter().find(|p| p.is_own_size()).and_then(|p| p.as_symbol()) {
            return ShapeExpr::invalid(format!(
                "arithmetic on the extent of size tensor `{}` isn't possible, because it is known only when the plugin \
                 has run: use `expr()` only as a whole dimension of an output",
                size.name
            ));
        }
        match operation(a, b) {
            Ok(result) => result.into(),
            Err(flaw) => ShapeExpr::invalid(flaw.of(&written.with(self, other))),
        }
    }
}

/// Puts replacements where symbols stand.
struct Substitution<'a> {
    replacement: &'a dyn Fn(&Symbol) -> Option<ShapeExpr>,
}

impl Algebra for Substitution<'_> {
    type Value = ShapeExpr;
    type Error = Infallible;

    fn constant(&mut self, value: i64) -> Result<ShapeExpr, Infallible> {
        Ok(ShapeExpr::constant(value))
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<ShapeExpr, Infallible> {
        Ok((self.replacement)(symbol).unwrap_or_else(|| ShapeExpr::symbol(symbol.clone())))
    }

    fn product(&mut self, coefficient: i64, factors: &[ShapeExpr]) -> Result<ShapeExpr, Infallible> {
        let product = joined(factors, |a, b| a * b);
        Ok(if coefficient == 1 { product } else { coefficient * product })
    }

    fn sum(&mut self, terms: &[ShapeExpr]) -> Result<ShapeExpr, Infallible> {
        Ok(joined(terms, |a, b| a + b))
    }

    fn apply(&mut self, operation: Operation, operands: &[ShapeExpr]) -> Result<ShapeExpr, Infallible> {
        Ok(match operation {
            Operation::FloorDiv => joined(operands, |a, b| a.floor_div(b)),
            Operation::CeilDiv => joined(operands, |a, b| a.ceil_div(b)),
            Operation::Max => joined(operands, |a, b| a.max(b)),
            Operation::Min => joined(operands, |a, b| a.min(b)),
            Operation::Equal => joined(operands, |a, b| a.equal(b)),
            Operation::Less => joined(operands, |a, b| a.less(b)),
            Operation::Group => joined(operands, |a, b| a + b).grouped(),
        })
    }
}

fn joined(operands: &[ShapeExpr], operation: impl Fn(ShapeExpr, &ShapeExpr) -> ShapeExpr) -> ShapeExpr {
    match operands.split_first() {
        Some((first, rest)) => rest.iter().fold(first.clone(), operation),
        None => ShapeExpr::constant(0),
    }
}

impl Flaw {
    fn of(self, operation: &str) -> String {
        match self {
            Flaw::Overflow => format!("`{operation}` leaves the 64-bit range of shape expressions"),
            Flaw::DivisionByZero => format!("`{operation}` divides by zero"),
            Flaw::TooLarge => {
                format!("`{operation}` is too large: a shape expression has at most {MAX_SIZE} symbols and operations")
            }
            Flaw::TooDeep => {
                format!("`{operation}` is nested too deeply: at most {MAX_DEPTH} operations in one another")
            }
        }
    }
}

impl Written {
    fn with(&self, a: &ShapeExpr, b: &ShapeExpr) -> String {
        let operand = |expr: &ShapeExpr| {
            let text = excerpt(expr);
            if expr.is_constant() || expr.as_symbol().is_some() { text } else { format!("({text})") }
        };
        match self {
            Written::Infix(operator) => format!("{} {operator} {}", operand(a), operand(b)),
            Written::Call(name) => format!("{name}({}, {})", excerpt(a), excerpt(b)),
        }
    }
}

impl From<Polynomial> for ShapeExpr {
    fn from(polynomial: Polynomial) -> Self {
        ShapeExpr(Ok(Arc::new(polynomial)))
    }
}

impl From<&ShapeExpr> for ShapeExpr {
    fn from(expr: &ShapeExpr) -> Self {
        expr.clone()
    }
}

impl From<Symbol> for ShapeExpr {
    fn from(symbol: Symbol) -> Self {
        ShapeExpr::symbol(symbol)
    }
}
