//! Expressions as bytes, for files: operands, then what is done with them.
//!
//! Each item is one byte that says what it is, then a number where it takes one, as LEB128: a constant (zigzag), a symbol
//! (its index), or an operation on the latest values (the number of them where it varies).
//! What is read goes through the same operations as what is written in a program, so that it is in normal form, and
//! bounded in size and depth, whatever the bytes say.

use std::convert::Infallible;
use std::sync::Arc;

use super::excerpt::excerpt;
use super::fold::{Algebra, Walk};
use super::polynomial::{Atom, MAX_SIZE, Operation};
use super::{MAX_RANK, ShapeError, ShapeExpr, Symbol};

const CONSTANT: u8 = 0;
const SYMBOL: u8 = 1;
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const GROUP: u8 = 4;
const FLOOR_DIV: u8 = 5;
const CEIL_DIV: u8 = 6;
const MAX: u8 = 7;
const MIN: u8 = 8;
const EQUAL: u8 = 9;
const LESS: u8 = 10;

/// Work that a byte may cause. What [`encode`] writes stays below half of it, as its sums and products have no more
/// than 8192 operands, which are joined pair by pair.
const WORK_PER_BYTE: usize = 32;

/// More values than this aren't read before they are put together.
const MOST_VALUES: usize = MAX_RANK * MAX_SIZE as usize;

/// Several expressions as bytes. Equal expressions give equal bytes.
///
/// # Errors
/// For an expression that carries a mistake.
pub(crate) fn encode<'a>(exprs: impl IntoIterator<Item = &'a ShapeExpr>) -> Result<Vec<u8>, ShapeError> {
    let mut walk = Walk::new(Encoder);
    let mut bytes = Vec::new();
    for expr in exprs {
        let Ok(expr) = walk.value(expr.polynomial()?);
        bytes.extend_from_slice(&expr);
    }
    Ok(bytes)
}

/// The expressions that [`encode`] wrote, over these symbols.
///
/// # Errors
/// When the bytes are no such expressions, name a symbol that there isn't, or give an expression that can't be: too
/// large, too deep, out of 64 bits.
pub(crate) fn decode(bytes: &[u8], symbols: &[Symbol]) -> Result<Vec<ShapeExpr>, ShapeError> {
    let work = bytes.len().saturating_mul(WORK_PER_BYTE);
    let mut decoder = Decoder { bytes: bytes.iter(), symbols, stack: Vec::new(), work };
    while let Some(&item) = decoder.bytes.next() {
        let value = decoder.item(item).map_err(|reason| ShapeError::Invalid { reason })?;
        if decoder.stack.len() == MOST_VALUES {
            let reason = format!("it holds more than {MOST_VALUES} values that nothing is done with");
            return Err(ShapeError::Invalid { reason });
        }
        decoder.stack.push(value);
    }
    Ok(decoder.stack)
}

/// Makes the bytes of each part.
struct Encoder;

impl Algebra for Encoder {
    type Value = Arc<[u8]>;
    type Error = Infallible;

    fn constant(&mut self, value: i64) -> Result<Arc<[u8]>, Infallible> {
        let mut bytes = Vec::new();
        put_constant(value, &mut bytes);
        Ok(bytes.into())
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<Arc<[u8]>, Infallible> {
        let mut bytes = vec![SYMBOL];
        put_number(symbol.index.into(), &mut bytes);
        Ok(bytes.into())
    }

    fn product(&mut self, coefficient: i64, factors: &[Arc<[u8]>]) -> Result<Arc<[u8]>, Infallible> {
        let mut bytes = Vec::new();
        let scaled = coefficient != 1;
        if scaled {
            put_constant(coefficient, &mut bytes);
        }
        factors.iter().for_each(|factor| bytes.extend_from_slice(factor));
        put_joined(PRODUCT, factors.len() + usize::from(scaled), &mut bytes);
        Ok(bytes.into())
    }

    fn sum(&mut self, terms: &[Arc<[u8]>]) -> Result<Arc<[u8]>, Infallible> {
        let mut bytes = terms.concat();
        put_joined(SUM, terms.len(), &mut bytes);
        Ok(bytes.into())
    }

    fn apply(&mut self, operation: Operation, operands: &[Arc<[u8]>]) -> Result<Arc<[u8]>, Infallible> {
        let mut bytes = operands.concat();
        match operation {
            Operation::Max => put_joined(MAX, operands.len(), &mut bytes),
            Operation::Min => put_joined(MIN, operands.len(), &mut bytes),
            Operation::Group => bytes.push(GROUP),
            Operation::FloorDiv => bytes.push(FLOOR_DIV),
            Operation::CeilDiv => bytes.push(CEIL_DIV),
            Operation::Equal => bytes.push(EQUAL),
            Operation::Less => bytes.push(LESS),
        }
        Ok(bytes.into())
    }
}

fn put_constant(value: i64, bytes: &mut Vec<u8>) {
    bytes.push(CONSTANT);
    put_number(((value << 1) ^ (value >> 63)) as u64, bytes);
}

fn put_joined(operation: u8, operands: usize, bytes: &mut Vec<u8>) {
    if operands > 1 {
        bytes.push(operation);
        put_number(operands as u64, bytes);
    }
}

fn put_number(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

struct Decoder<'a> {
    bytes: std::slice::Iter<'a, u8>,
    symbols: &'a [Symbol],
    stack: Vec<ShapeExpr>,
    /// How much may still be done.
    work: usize,
}

impl Decoder<'_> {
    fn item(&mut self, item: u8) -> Result<ShapeExpr, String> {
        match item {
            CONSTANT => {
                let zigzag = self.number()?;
                Ok(ShapeExpr::constant((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)))
            }
            SYMBOL => {
                let index = self.number()?;
                let symbol = usize::try_from(index).ok().and_then(|index| self.symbols.get(index));
                let known = self.symbols.len();
                let symbol = symbol.ok_or_else(|| format!("it names symbol {index}, but may name {known} here"))?;
                Ok(ShapeExpr::symbol(symbol.clone()))
            }
            SUM => self.joined(|a, b| a + b),
            PRODUCT => self.joined(|a, b| a * b),
            MAX => self.joined(|a, b| a.max(b)),
            MIN => self.joined(|a, b| a.min(b)),
            GROUP => {
                let sum = self.taken(1)?;
                Ok(sum.into_iter().next().map_or_else(|| ShapeExpr::constant(0), |sum| sum.grouped()))
            }
            FLOOR_DIV => self.applied(|a, b| a.floor_div(b)),
            CEIL_DIV => self.applied(|a, b| a.ceil_div(b)),
            EQUAL => self.applied(|a, b| a.equal(b)),
            LESS => self.applied(|a, b| a.less(b)),
            other => Err(format!("{other} is no part of an expression")),
        }
        .and_then(|value| match value.error() {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(value),
        })
    }

    fn number(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.next().ok_or("it ends within a number")?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("it holds a number of more than 64 bits".into())
    }

    /// The latest values, first to last.
    fn taken(&mut self, count: u64) -> Result<Vec<ShapeExpr>, String> {
        let there = self.stack.len();
        let first = usize::try_from(count).ok().and_then(|count| there.checked_sub(count));
        let first = first.ok_or_else(|| format!("an operation takes {count} operands, but there are {there}"))?;
        Ok(self.stack.split_off(first))
    }

    fn applied(&mut self, operation: impl Fn(&ShapeExpr, &ShapeExpr) -> ShapeExpr) -> Result<ShapeExpr, String> {
        let operands = self.taken(2)?;
        self.reduced(operands, operation)
    }

    fn joined(&mut self, operation: impl Fn(&ShapeExpr, &ShapeExpr) -> ShapeExpr) -> Result<ShapeExpr, String> {
        let count = self.number()?;
        let operands = self.taken(count)?;
        self.reduced(operands, operation)
    }

    /// Joins neighbours until one is left, so that no operand is gone through more often than there are rounds.
    fn reduced(
        &mut self,
        mut operands: Vec<ShapeExpr>,
        operation: impl Fn(&ShapeExpr, &ShapeExpr) -> ShapeExpr,
    ) -> Result<ShapeExpr, String> {
        while operands.len() > 1 {
            let mut halved = Vec::with_capacity(operands.len().div_ceil(2));
            for pair in operands.chunks(2) {
                halved.push(match pair {
                    [a, b] => {
                        let result = operation(a, b);
                        self.spend(a)?;
                        self.spend(b)?;
                        self.spend(&result)?;
                        result
                    }
                    rest => rest.iter().next().cloned().unwrap_or_else(|| ShapeExpr::constant(0)),
                });
            }
            operands = halved;
        }
        operands.pop().ok_or_else(|| "an operation takes no operand".into())
    }

    fn spend(&mut self, expr: &ShapeExpr) -> Result<(), String> {
        let atoms = expr.0.iter().flat_map(|p| p.terms()).map(|term| term.monomial.atoms());
        let parts = atoms.map(|atoms| 1 + atoms.iter().map(parts).sum::<usize>()).sum();
        match self.work.checked_sub(parts) {
            Some(left) => self.work = left,
            None => return Err(format!("`{}` is written in a way that takes too long to read", excerpt(expr))),
        }
        Ok(())
    }
}

/// What an operation that takes this atom apart goes through.
fn parts(atom: &Atom) -> usize {
    match atom {
        Atom::Symbol(_) => 1,
        Atom::Node(node) => node.operands.len(),
    }
}
