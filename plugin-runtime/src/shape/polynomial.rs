//! The normal form of shape expressions: a sum of integer coefficients times sorted products of atoms. Equal sums are
//! equal data. Size and nesting are bounded, so every walk over an expression is too.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::symbol::{Symbol, SymbolKind};

/// A product that would have more terms than this is kept as a product of two sums.
pub(super) const MAX_TERMS: usize = 256;
/// The most symbols, numbers and operations in one expression, shared parts counted each time.
pub(super) const MAX_SIZE: u32 = 8192;
/// The deepest nesting of operations that are not sums and products.
pub(super) const MAX_DEPTH: u32 = 128;

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Overflow,
    DivisionByZero,
    TooLarge,
    TooDeep,
}

/// A sum of terms, highest degree first, the constant last; no coefficient is 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Polynomial {
    terms: Vec<Term>,
    size: u32,
    depth: u32,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Term {
    pub(super) monomial: Monomial,
    pub(super) coefficient: i64,
}

/// A product of atoms in order; of none, it is 1.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Monomial(Vec<Atom>);

/// What sums and products are made of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    Symbol(Symbol),
    Node(Arc<Node>),
}

/// An operation that isn't a sum or a product, over operands in normal form.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) operation: Operation,
    pub(super) operands: Vec<Arc<Polynomial>>,
    size: u32,
    depth: u32,
    /// Hash of operation and operands, computed once: else hashing an expression would hash its whole tree at each level.
    hash: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Operation {
    FloorDiv,
    CeilDiv,
    Max,
    Min,
    Equal,
    Less,
    /// The operand itself: a sum that is too long to be multiplied out.
    Group,
}

impl Monomial {
    pub(super) fn atoms(&self) -> &[Atom] {
        &self.0
    }

    fn times(&self, other: &Monomial) -> Monomial {
        let mut atoms = Vec::with_capacity(self.0.len() + other.0.len());
        atoms.extend_from_slice(&self.0);
        atoms.extend_from_slice(&other.0);
        atoms.sort();
        Monomial(atoms)
    }
}

impl PartialOrd for Monomial {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Higher degrees first, as people write sums.
impl Ord for Monomial {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.len().cmp(&self.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl Atom {
    pub(super) fn node(operation: Operation, operands: Vec<Arc<Polynomial>>) -> Result<Atom, Flaw> {
        let depth = operands.iter().map(|o| o.depth).max().unwrap_or(0) + 1;
        let size = operands.iter().fold(1, |n: u32, o| n.saturating_add(o.size));
        if depth > MAX_DEPTH {
            return Err(Flaw::TooDeep);
        }
        if size >= MAX_SIZE {
            return Err(Flaw::TooLarge);
        }
        let mut hasher = DefaultHasher::new();
        (operation, &operands).hash(&mut hasher);
        let hash = hasher.finish();
        Ok(Atom::Node(Arc::new(Node { operation, operands, size, depth, hash })))
    }

    fn size(&self) -> u32 {
        match self {
            Atom::Symbol(_) => 1,
            Atom::Node(node) => node.size,
        }
    }

    fn depth(&self) -> u32 {
        match self {
            Atom::Symbol(_) => 0,
            Atom::Node(node) => node.depth,
        }
    }
}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl From<Atom> for Polynomial {
    fn from(atom: Atom) -> Self {
        let (size, depth) = (atom.size().saturating_add(1), atom.depth());
        Polynomial { terms: vec![Term { monomial: Monomial(vec![atom]), coefficient: 1 }], size, depth }
    }
}

impl Polynomial {
    pub(super) fn constant(value: i64) -> Self {
        let terms = if value == 0 { vec![] } else { vec![Term { monomial: Monomial::default(), coefficient: value }] };
        Polynomial { size: terms.len() as u32, terms, depth: 0 }
    }

    /// From terms in order, each of another monomial, with coefficients other than 0.
    fn from_terms(terms: Vec<Term>) -> Result<Self, Flaw> {
        let mut size = 0u32;
        let mut depth = 0;
        for term in &terms {
            size = size.saturating_add(1);
            for atom in term.monomial.atoms() {
                size = size.saturating_add(atom.size());
                depth = depth.max(atom.depth());
            }
        }
        if size > MAX_SIZE { Err(Flaw::TooLarge) } else { Ok(Polynomial { terms, size, depth }.ungrouped()) }
    }

    pub(super) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The terms that aren't the constant.
    pub(super) fn variable_terms(&self) -> &[Term] {
        match self.terms.split_last() {
            Some((last, rest)) if last.monomial.atoms().is_empty() => rest,
            _ => &self.terms,
        }
    }

    /// The constant of the sum.
    pub(super) fn constant_term(&self) -> i64 {
        self.terms.last().filter(|t| t.monomial.atoms().is_empty()).map_or(0, |t| t.coefficient)
    }

    /// The value, where nothing in it varies.
    pub(super) fn constant_value(&self) -> Option<i64> {
        self.variable_terms().is_empty().then(|| self.constant_term())
    }

    /// The atom that the whole sum consists of.
    pub(super) fn as_atom(&self) -> Option<&Atom> {
        match &*self.terms {
            [Term { monomial, coefficient: 1 }] => match monomial.atoms() {
                [atom] => Some(atom),
                _ => None,
            },
            _ => None,
        }
    }

    /// The operands, where the whole sum consists of this operation.
    pub(super) fn as_node(&self, operation: Operation) -> Option<&[Arc<Polynomial>]> {
        match self.as_atom()? {
            Atom::Node(node) if node.operation == operation => Some(&node.operands),
            _ => None,
        }
    }

    pub(super) fn as_symbol(&self) -> Option<&Symbol> {
        match self.as_atom()? {
            Atom::Symbol(symbol) => Some(symbol),
            Atom::Node(_) => None,
        }
    }

    /// Whether it is a size tensor that is still being described: nothing can be computed with it.
    pub(super) fn is_own_size(&self) -> bool {
        self.as_symbol().is_some_and(|s| s.kind == SymbolKind::OwnSize)
    }

    /// Whether the first coefficient is negative.
    pub(super) fn leads_negative(&self) -> bool {
        self.terms.first().is_some_and(|t| t.coefficient < 0)
    }

    /// The same with another constant.
    pub(super) fn with_constant(&self, value: i64) -> Result<Self, Flaw> {
        let mut terms = self.variable_terms().to_vec();
        terms.extend(Polynomial::constant(value).terms);
        Polynomial::from_terms(terms)
    }

    /// Each coefficient replaced; those that become 0 are left out.
    pub(super) fn map_coefficients(&self, mut f: impl FnMut(i64) -> Result<i64, Flaw>) -> Result<Self, Flaw> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let coefficient = f(term.coefficient)?;
            if coefficient != 0 {
                terms.push(Term { monomial: term.monomial.clone(), coefficient });
            }
        }
        Polynomial::from_terms(terms)
    }

    pub(super) fn negated(&self) -> Result<Self, Flaw> {
        self.map_coefficients(|c| c.checked_neg().ok_or(Flaw::Overflow))
    }

    /// `self + factor * other`
    pub(super) fn plus(&self, factor: i64, other: &Polynomial) -> Result<Self, Flaw> {
        let mut sums: BTreeMap<&Monomial, i128> =
            self.terms.iter().map(|t| (&t.monomial, i128::from(t.coefficient))).collect();
        for term in &other.terms {
            *sums.entry(&term.monomial).or_insert(0) += i128::from(factor) * i128::from(term.coefficient);
        }
        sums.retain(|_, c| *c != 0);
        if sums.len() > MAX_TERMS {
            let shortened = |p: &Polynomial| if p.terms.len() > MAX_TERMS / 2 { p.grouped() } else { Ok(p.clone()) };
            return shortened(self)?.plus(factor, &shortened(other)?);
        }
        let terms = sums.into_iter().map(|(monomial, c)| Term::new(monomial.clone(), c));
        Polynomial::from_terms(terms.collect::<Result<_, _>>()?)
    }

    pub(super) fn times(&self, other: &Polynomial) -> Result<Self, Flaw> {
        let (ours, theirs) = (self.terms.len(), other.terms.len());
        if ours > 1 && theirs > 1 && ours.saturating_mul(theirs) > MAX_TERMS {
            return self.grouped()?.times(&other.grouped()?);
        }
        let mut sums: BTreeMap<Monomial, i128> = BTreeMap::new();
        for a in &self.terms {
            for b in &other.terms {
                let sum = sums.entry(a.monomial.times(&b.monomial)).or_insert(0);
                let product = i128::from(a.coefficient) * i128::from(b.coefficient);
                *sum = sum.checked_add(product).ok_or(Flaw::Overflow)?;
            }
        }
        let terms = sums.into_iter().filter(|(_, c)| *c != 0).map(|(monomial, c)| Term::new(monomial, c));
        Polynomial::from_terms(terms.collect::<Result<_, _>>()?)
    }

    /// A sum of several terms as one atom.
    pub(super) fn grouped(&self) -> Result<Self, Flaw> {
        if self.terms.len() <= 1 {
            return Ok(self.clone());
        }
        Ok(Atom::node(Operation::Group, vec![Arc::new(self.clone())])?.into())
    }

    fn ungrouped(self) -> Self {
        match self.as_node(Operation::Group) {
            Some([sum]) => Polynomial::clone(sum),
            _ => self,
        }
    }

    pub(super) fn for_each_symbol(&self, f: &mut dyn FnMut(&Symbol)) {
        for atom in self.terms.iter().flat_map(|t| t.monomial.atoms()) {
            match atom {
                Atom::Symbol(symbol) => f(symbol),
                Atom::Node(node) => node.operands.iter().for_each(|o| o.for_each_symbol(f)),
            }
        }
    }
}

impl Term {
    fn new(monomial: Monomial, coefficient: i128) -> Result<Self, Flaw> {
        let coefficient = i64::try_from(coefficient).map_err(|_| Flaw::Overflow)?;
        Ok(Term { monomial, coefficient })
    }
}
