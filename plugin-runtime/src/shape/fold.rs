//! One walk over expressions, operands first, each shared part visited once. Bytes, programs, substitutions, ranges and
//! texts are made by it. It recurses no deeper than expressions nest.
//!
//! [`Algebra`] is for what knows sums, products and operations, such as the expression builder of a host. [`Fold`] is for
//! what has to see the normal form itself.

use std::collections::HashMap;
use std::sync::Arc;

use super::polynomial::{Atom, Node, Operation, Polynomial, Term};
use super::symbol::Symbol;

/// Values that can be computed with as expressions are.
pub(crate) trait Algebra {
    type Value: Clone;
    type Error;

    fn constant(&mut self, value: i64) -> Result<Self::Value, Self::Error>;

    fn symbol(&mut self, symbol: &Symbol) -> Result<Self::Value, Self::Error>;

    /// A coefficient times at least one factor. A coefficient of 1 changes nothing.
    fn product(&mut self, coefficient: i64, factors: &[Self::Value]) -> Result<Self::Value, Self::Error>;

    /// At least two terms.
    fn sum(&mut self, terms: &[Self::Value]) -> Result<Self::Value, Self::Error>;

    /// Left to right: two operands, or more for `Max` and `Min`. `Group` has one, and is that one.
    fn apply(&mut self, operation: Operation, operands: &[Self::Value]) -> Result<Self::Value, Self::Error>;
}

/// What becomes of the parts of a normal form.
pub(super) trait Fold {
    type Value: Clone;
    type Error;

    fn constant(&mut self, value: i64) -> Result<Self::Value, Self::Error>;

    fn symbol(&mut self, symbol: &Symbol) -> Result<Self::Value, Self::Error>;

    /// A sum that is more than a constant or an atom. The factors of all terms stand one after another: see [`by_term`].
    fn sum(&mut self, sum: &Arc<Polynomial>, factors: &[Self::Value]) -> Result<Self::Value, Self::Error>;

    fn node(&mut self, node: &Arc<Node>, operands: &[Self::Value]) -> Result<Self::Value, Self::Error>;
}

/// Each term of a sum with the values of its factors.
pub(super) fn by_term<'a, V>(sum: &'a Polynomial, mut factors: &'a [V]) -> impl Iterator<Item = (&'a Term, &'a [V])> {
    sum.terms().iter().map(move |term| {
        let (own, rest) = factors.split_at(term.monomial.atoms().len());
        factors = rest;
        (term, own)
    })
}

/// The value of one expression.
pub(super) fn fold<F: Fold>(polynomial: &Arc<Polynomial>, by: F) -> Result<F::Value, F::Error> {
    Walk::new(by).outermost(polynomial)
}

/// A walk over several expressions.
pub(super) struct Walk<'e, F: Fold> {
    pub(super) by: F,
    sums: HashMap<&'e Polynomial, F::Value>,
    nodes: HashMap<&'e Node, F::Value>,
    /// Values of what is being put together.
    operands: Vec<F::Value>,
}

impl<'e, F: Fold> Walk<'e, F> {
    pub(super) fn new(by: F) -> Self {
        Walk { by, sums: HashMap::new(), nodes: HashMap::new(), operands: Vec::new() }
    }

    pub(super) fn value(&mut self, polynomial: &'e Arc<Polynomial>) -> Result<F::Value, F::Error> {
        if polynomial.constant_value().is_some() || polynomial.as_atom().is_some() {
            return self.outermost(polynomial);
        }
        if let Some(value) = self.sums.get(&**polynomial) {
            return Ok(value.clone());
        }
        let value = self.outermost(polynomial)?;
        self.sums.insert(polynomial, value.clone());
        Ok(value)
    }

    /// The same for what isn't part of anything else.
    fn outermost(&mut self, polynomial: &'e Arc<Polynomial>) -> Result<F::Value, F::Error> {
        if let Some(value) = polynomial.constant_value() {
            return self.by.constant(value);
        }
        if let Some(atom) = polynomial.as_atom() {
            return self.atom(atom);
        }
        let first = self.operands.len();
        for atom in polynomial.terms().iter().flat_map(|term| term.monomial.atoms()) {
            let value = self.atom(atom)?;
            self.operands.push(value);
        }
        let value = self.by.sum(polynomial, &self.operands[first..])?;
        self.operands.truncate(first);
        Ok(value)
    }

    fn atom(&mut self, atom: &'e Atom) -> Result<F::Value, F::Error> {
        let node = match atom {
            Atom::Symbol(symbol) => return self.by.symbol(symbol),
            Atom::Node(node) => node,
        };
        if let Some(value) = self.nodes.get(&**node) {
            return Ok(value.clone());
        }
        let first = self.operands.len();
        for operand in &node.operands {
            let value = self.value(operand)?;
            self.operands.push(value);
        }
        let value = self.by.node(node, &self.operands[first..])?;
        self.operands.truncate(first);
        self.nodes.insert(node, value.clone());
        Ok(value)
    }
}

impl<A: Algebra> Fold for A {
    type Value = A::Value;
    type Error = A::Error;

    fn constant(&mut self, value: i64) -> Result<A::Value, A::Error> {
        Algebra::constant(self, value)
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<A::Value, A::Error> {
        Algebra::symbol(self, symbol)
    }

    fn sum(&mut self, sum: &Arc<Polynomial>, factors: &[A::Value]) -> Result<A::Value, A::Error> {
        let mut terms = Vec::with_capacity(sum.terms().len());
        for (term, factors) in by_term(sum, factors) {
            terms.push(match factors {
                [] => Algebra::constant(self, term.coefficient)?,
                _ => self.product(term.coefficient, factors)?,
            });
        }
        match <[A::Value; 1]>::try_from(terms) {
            Ok([only]) => Ok(only),
            Err(terms) => Algebra::sum(self, &terms),
        }
    }

    fn node(&mut self, node: &Arc<Node>, operands: &[A::Value]) -> Result<A::Value, A::Error> {
        self.apply(node.operation, operands)
    }
}
