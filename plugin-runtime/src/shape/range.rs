//! Range analysis: between which values an expression lies, given the ranges of its symbols.

use std::collections::HashMap;
use std::sync::Arc;

use super::excerpt::excerpt;
use super::fold::{Fold, by_term, fold};
use super::polynomial::{Atom, Node, Operation, Polynomial};
use super::{ShapeError, ShapeExpr, Symbol, integer};

/// The integers from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The smallest.
    pub min: i64,
    /// The largest.
    pub max: i64,
}

/// How often the directions of a sum's atoms are looked for; stopping early is sound.
const MAX_ROUNDS: usize = 8;
/// A sum with more atoms times factors than this is bounded without looking for directions.
const MAX_WORK: usize = 1 << 20;

/// An interval of what sums and products of 64-bit values give.
type Wide = (i128, i128);

impl Interval {
    const ALL: Interval = Interval { min: i64::MIN, max: i64::MAX };

    /// One value alone.
    pub fn exactly(value: i64) -> Self {
        Interval { min: value, max: value }
    }

    /// Whether the value lies in it.
    pub fn contains(self, value: i64) -> bool {
        (self.min..=self.max).contains(&value)
    }

    fn wide(self) -> Wide {
        (self.min.into(), self.max.into())
    }

    /// Clamps to 64 bits; the full range where nothing is known, or where nothing is left.
    fn narrow(wide: Option<Wide>) -> Self {
        let bounds = [i128::from(i64::MIN), i128::from(i64::MAX)];
        match wide {
            Some((min, max)) if min <= bounds[1] && max >= bounds[0] => {
                Interval { min: min.max(bounds[0]) as i64, max: max.min(bounds[1]) as i64 }
            }
            _ => Interval::ALL,
        }
    }
}

impl ShapeExpr {
    /// A range that holds each value the expression has while its symbols are in theirs. Sums and products are tight
    /// where every symbol acts in one direction, as extents do; a value whose evaluation would be an error (a division
    /// by 0, more than 64 bits) is left out.
    ///
    /// # Errors
    /// For an expression that carries a mistake, an empty range of a symbol, an upper bound that leaves 64 bits, or a
    /// divisor that can only be 0.
    pub fn range(&self, symbol: &dyn Fn(&Symbol) -> Interval) -> Result<Interval, ShapeError> {
        let wide = fold(self.polynomial()?, Analysis { symbol })?;
        let fits = |(min, max): Wide| max <= i64::MAX.into() && max >= i64::MIN.into() && min <= max;
        if wide.is_some_and(fits) { Ok(Interval::narrow(wide)) } else { Err(self.unbounded(symbol)) }
    }

    fn unbounded(&self, symbol: &dyn Fn(&Symbol) -> Interval) -> ShapeError {
        let ranges: Vec<String> = self
            .symbols()
            .iter()
            .map(|s| {
                let Interval { min, max } = symbol(s);
                format!("{} is {min} to {max}", s.name)
            })
            .collect();
        let values = if ranges.is_empty() { String::new() } else { format!(" where {}", excerpt(ranges.join(", "))) };
        ShapeError::Overflow { expression: excerpt(self), values }
    }
}

/// Bounds of each part: `None` where they leave even 128 bits.
struct Analysis<'a> {
    symbol: &'a dyn Fn(&Symbol) -> Interval,
}

impl Fold for Analysis<'_> {
    type Value = Option<Wide>;
    type Error = ShapeError;

    fn constant(&mut self, value: i64) -> Result<Option<Wide>, ShapeError> {
        Ok(Some(Interval::exactly(value).wide()))
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<Option<Wide>, ShapeError> {
        let Interval { min, max } = (self.symbol)(symbol);
        if min > max {
            return Err(ShapeError::EmptyRange { symbol: symbol.name.to_string(), min, max });
        }
        Ok(Some((min.into(), max.into())))
    }

    fn sum(&mut self, polynomial: &Arc<Polynomial>, ranges: &[Option<Wide>]) -> Result<Option<Wide>, ShapeError> {
        let mut atoms: HashMap<&Atom, usize> = HashMap::new();
        let mut sum = Sum::default();
        for (term, ranges) in by_term(polynomial, ranges) {
            let mut factors = Vec::with_capacity(ranges.len());
            for (atom, range) in term.monomial.atoms().iter().zip(ranges) {
                let next = atoms.len();
                let id = *atoms.entry(atom).or_insert(next);
                if id == next {
                    sum.atoms.push(Interval::narrow(*range).wide());
                }
                factors.push(id);
            }
            sum.terms.push((term.coefficient.into(), factors));
        }
        Ok(sum.bound(Side::Min).zip(sum.bound(Side::Max)))
    }

    fn node(&mut self, node: &Arc<Node>, operands: &[Option<Wide>]) -> Result<Option<Wide>, ShapeError> {
        let range = operands
            .iter()
            .map(|operand| Some(Interval::narrow(*operand)))
            .reduce(|a, b| node.operation.range(a?, b?))
            .unwrap_or(Some(Interval::exactly(0)));
        match range {
            Some(range) => Ok(Some(range.wide())),
            None => Err(ShapeExpr::from(Polynomial::from(Atom::Node(node.clone()))).division_by_zero(String::new())),
        }
    }
}

impl Operation {
    /// `None` where the divisor is 0.
    fn range(self, a: Interval, b: Interval) -> Option<Interval> {
        let truth = |always: bool, never: bool| Interval { min: always.into(), max: (!never).into() };
        Some(match self {
            Operation::FloorDiv => return quotient(integer::floor_div, a, b),
            Operation::CeilDiv => return quotient(integer::ceil_div, a, b),
            Operation::Max => Interval { min: a.min.max(b.min), max: a.max.max(b.max) },
            Operation::Min => Interval { min: a.min.min(b.min), max: a.max.min(b.max) },
            Operation::Equal => truth(a.min == a.max && a == b, a.max < b.min || b.max < a.min),
            Operation::Less => truth(a.max < b.min, a.min >= b.max),
            Operation::Group => a,
        })
    }
}

/// The extremes lie where both operands are at ends of their ranges, for a divisor of one sign.
fn quotient(divide: fn(i128, i128) -> i128, dividend: Interval, divisor: Interval) -> Option<Interval> {
    let negative = (divisor.min, divisor.max.min(-1));
    let positive = (divisor.min.max(1), divisor.max);
    let corners = || {
        [negative, positive].into_iter().filter(|(min, max)| min <= max).flat_map(|(min, max)| {
            let ends = [(dividend.min, min), (dividend.min, max), (dividend.max, min), (dividend.max, max)];
            ends.map(|(a, b)| divide(a.into(), b.into()))
        })
    };
    Some(Interval::narrow(Some((corners().min()?, corners().max()?))))
}

#[derive(Clone, Copy)]
enum Side {
    Min,
    Max,
}

/// A sum of products of atoms, each of which lies anywhere in its range.
#[derive(Clone, Default)]
struct Sum {
    terms: Vec<(i128, Vec<usize>)>,
    atoms: Vec<Wide>,
}

impl Sum {
    /// The smallest or largest value. An atom that moves the sum in one direction, whatever the others are, is put at
    /// that end of its range, which can settle the direction of others in turn.
    fn bound(&self, side: Side) -> Option<i128> {
        let mut sum = self.clone();
        let factors: usize = sum.terms.iter().map(|(_, factors)| factors.len()).sum();
        let rounds = if factors.saturating_mul(sum.atoms.len()) > MAX_WORK { 0 } else { MAX_ROUNDS };
        for _ in 0..rounds {
            let mut moved = false;
            for atom in 0..sum.atoms.len() {
                let (low, high) = sum.atoms[atom];
                let Some(slope) = (low < high).then(|| sum.slope(atom)).flatten() else { continue };
                let end = match (slope, side) {
                    ((0.., _), Side::Max) | ((_, ..=0), Side::Min) => high,
                    ((_, ..=0), Side::Max) | ((0.., _), Side::Min) => low,
                    _ => continue,
                };
                sum.atoms[atom] = (end, end);
                moved = true;
            }
            if !moved {
                break;
            }
        }
        let (min, max) = sum.interval()?;
        Some(match side {
            Side::Min => min,
            Side::Max => max,
        })
    }

    /// Bounds of the derivative by one atom.
    fn slope(&self, atom: usize) -> Option<Wide> {
        let terms = self.terms.iter().filter_map(|(coefficient, factors)| {
            let power = factors.iter().filter(|f| **f == atom).count();
            let position = factors.iter().position(|f| *f == atom)?;
            let mut others = factors.clone();
            others.remove(position);
            Some((coefficient.checked_mul(power as i128), others))
        });
        let mut sum = (0, 0);
        for (coefficient, factors) in terms {
            sum = added(sum, self.product(coefficient?, &factors)?)?;
        }
        Some(sum)
    }

    fn interval(&self) -> Option<Wide> {
        self.terms
            .iter()
            .try_fold((0, 0), |sum, (coefficient, factors)| added(sum, self.product(*coefficient, factors)?))
    }

    /// Equal factors stand side by side.
    fn product(&self, coefficient: i128, factors: &[usize]) -> Option<Wide> {
        if factors.iter().any(|factor| self.atoms[*factor] == (0, 0)) {
            return Some((0, 0));
        }
        let powers = factors.chunk_by(|a, b| a == b);
        powers.clone().try_fold((coefficient, coefficient), |product, equal| {
            let base = self.atoms[equal[0]];
            multiplied(product, power(base, equal.len())?)
        })
    }
}

fn added(a: Wide, b: Wide) -> Option<Wide> {
    Some((a.0.checked_add(b.0)?, a.1.checked_add(b.1)?))
}

fn multiplied(a: Wide, b: Wide) -> Option<Wide> {
    let corners = [a.0.checked_mul(b.0)?, a.0.checked_mul(b.1)?, a.1.checked_mul(b.0)?, a.1.checked_mul(b.1)?];
    Some((corners.into_iter().min()?, corners.into_iter().max()?))
}

fn power(base: Wide, exponent: usize) -> Option<Wide> {
    let exponent = u32::try_from(exponent).ok()?;
    let (low, high) = (base.0.checked_pow(exponent)?, base.1.checked_pow(exponent)?);
    let even = exponent % 2 == 0;
    Some(match base {
        (min, max) if even && min <= 0 && max >= 0 => (0, low.max(high)),
        _ => (low.min(high), low.max(high)),
    })
}
