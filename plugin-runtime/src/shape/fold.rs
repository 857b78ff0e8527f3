//! One walk over expressions, operands first, each shared part visited once. Bytes, programs, substitutions, ranges and
//! texts are made by it. It recurses no deeper than expressions nest.
//!
//! [`Algebra`] is for what knows sums, products and operations, such as the expression builder of a host. [`Fold`] is for
//! what has to see the normal form itself.

use std::collections::HashMap;
use std::sync::Arc;

use super::polynomial::{Atom, Node, Operation, Polynomial};
use super::symbol::Symbol;

/// Values that can be computed with as expressions are.
pub(super) trait Algebra {
    type Value: Clone;
    type Error;

    fn constant(&mut self, value: i64) -> Result<Self::Value, Self::Error>;

    fn symbol(&mut self, symbol: &Symbol) -> Result<Self::Value, Self::Error>;

    /// A coefficient times factors. There are factors; a coefficient of 1 changes nothing.
    fn product(&mut self, coefficient: i64, factors: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;

    /// At least two terms.
    fn sum(&mut self, terms: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;

    /// Left to right: two operands, or more for `Max` and `Min`. `Group` has one, and is that one.
    fn apply(&mut self, operation: Operation, operands: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;
}

/// What becomes of the parts of a normal form.
pub(super) trait Fold {
    type Value: Clone;
    type Error;

    fn constant(&mut self, value: i64) -> Result<Self::Value, Self::Error>;

    fn symbol(&mut self, symbol: &Symbol) -> Result<Self::Value, Self::Error>;

    /// A sum that is more than a constant or an atom, with the values of each term's factors.
    fn sum(&mut self, sum: &Arc<Polynomial>, factors: Vec<Vec<Self::Value>>) -> Result<Self::Value, Self::Error>;

    fn node(&mut self, node: &Arc<Node>, operands: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;
}

/// The value of one expression.
pub(super) fn fold<F: Fold>(polynomial: &Arc<Polynomial>, by: F) -> Result<F::Value, F::Error> {
    Walk::new(by).value(polynomial)
}

/// A walk over several expressions.
pub(super) struct Walk<'e, F: Fold> {
    pub(super) by: F,
    sums: HashMap<&'e Polynomial, F::Value>,
    nodes: HashMap<&'e Node, F::Value>,
}

impl<'e, F: Fold> Walk<'e, F> {
    pub(super) fn new(by: F) -> Self {
        Walk { by, sums: HashMap::new(), nodes: HashMap::new() }
    }

    pub(super) fn value(&mut self, polynomial: &'e Arc<Polynomial>) -> Result<F::Value, F::Error> {
        if let Some(value) = polynomial.constant_value() {
            return self.by.constant(value);
        }
        if let Some(atom) = polynomial.as_atom() {
            return self.atom(atom);
        }
        if let Some(value) = self.sums.get(&**polynomial) {
            return Ok(value.clone());
        }
        let mut factors = Vec::with_capacity(polynomial.terms().len());
        for term in polynomial.terms() {
            factors.push(term.monomial.atoms().iter().map(|atom| self.atom(atom)).collect::<Result<_, _>>()?);
        }
        let value = self.by.sum(polynomial, factors)?;
        self.sums.insert(polynomial, value.clone());
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
        let operands = node.operands.iter().map(|operand| self.value(operand)).collect::<Result<_, _>>()?;
        let value = self.by.node(node, operands)?;
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

    fn sum(&mut self, sum: &Arc<Polynomial>, factors: Vec<Vec<A::Value>>) -> Result<A::Value, A::Error> {
        let mut terms = Vec::with_capacity(factors.len());
        for (term, factors) in sum.terms().iter().zip(factors) {
            terms.push(match factors.is_empty() {
                true => Algebra::constant(self, term.coefficient)?,
                false => self.product(term.coefficient, factors)?,
            });
        }
        match <[A::Value; 1]>::try_from(terms) {
            Ok([only]) => Ok(only),
            Err(terms) => Algebra::sum(self, terms),
        }
    }

    fn node(&mut self, node: &Arc<Node>, operands: Vec<A::Value>) -> Result<A::Value, A::Error> {
        self.apply(node.operation, operands)
    }
}
