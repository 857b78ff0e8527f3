//! Expressions compiled to a flat list of steps, evaluated without allocation.

use std::ops::Range;
use std::sync::Arc;

use super::excerpt::excerpt;
use super::fold::{Fold, Walk, by_term};
use super::polynomial::{Atom, Node, Operation, Polynomial};
use super::{ShapeError, ShapeExpr, Symbol, SymbolKind, integer};

/// Several expressions as one list of steps, in which a shared part is computed once.
#[derive(Clone, Debug, Default)]
pub struct ShapeProgram {
    steps: Vec<Step>,
    terms: Vec<TermStep>,
    /// The factors of terms and the operands of steps.
    values: Vec<Value>,
    outputs: Vec<Value>,
    /// The symbol of the highest index.
    highest_symbol: Option<Symbol>,
}

/// Computes one value, to be found in the slot of the step's own position.
#[derive(Clone, Debug)]
struct Step {
    code: StepCode,
    /// What the step computes, for messages.
    source: ShapeExpr,
}

#[derive(Clone, Debug)]
enum StepCode {
    /// The sum of these terms.
    Sum(Range<usize>),
    /// An operation on these values.
    Apply(Operation, Range<usize>),
}

#[derive(Clone, Debug)]
struct TermStep {
    coefficient: i64,
    factors: Range<usize>,
}

/// Where a step reads.
#[derive(Clone, Copy, Debug)]
enum Value {
    Constant(i64),
    Symbol(usize),
    Slot(usize),
}

/// Why a step has no result.
enum Failure {
    Overflow,
    DivisionByZero,
}

impl ShapeProgram {
    /// Compiles expressions; evaluation gives their values in the same order.
    ///
    /// # Errors
    /// For an expression that carries a mistake, or depends on a size tensor that is still being described.
    pub fn compile<'a>(exprs: impl IntoIterator<Item = &'a ShapeExpr>) -> Result<ShapeProgram, ShapeError> {
        let mut walk = Walk::new(Compiler::default());
        for expr in exprs {
            let value = walk.value(expr.polynomial()?)?;
            walk.by.program.outputs.push(value);
        }
        Ok(walk.by.program)
    }

    /// How many values the scratch buffer of an evaluation must hold.
    pub fn scratch_len(&self) -> usize {
        self.steps.len()
    }

    /// How many expressions it evaluates.
    pub fn output_len(&self) -> usize {
        self.outputs.len()
    }

    /// How many symbols need a value: one more than the highest index that an expression uses.
    pub fn symbol_len(&self) -> usize {
        self.highest_symbol.as_ref().map_or(0, |symbol| symbol.index as usize + 1)
    }

    /// Writes the expressions' values to the front of `out`, where symbol `i` stands for `symbols[i]`. Allocates
    /// nothing, unless for an error.
    ///
    /// # Errors
    /// Where a value leaves 64 bits, a divisor is 0, a symbol has no value or a buffer is too small.
    pub fn evaluate(&self, symbols: &[i64], scratch: &mut [i64], out: &mut [i64]) -> Result<(), ShapeError> {
        self.check_buffers(symbols, scratch, out)?;
        for (slot, step) in self.steps.iter().enumerate() {
            let (done, rest) = scratch.split_at_mut(slot);
            match self.run(&step.code, symbols, done) {
                Ok(value) => rest[0] = value,
                Err(failure) => return Err(failure.at(&step.source, symbols)),
            }
        }
        for (out, output) in out.iter_mut().zip(&self.outputs) {
            *out = output.read(symbols, scratch);
        }
        Ok(())
    }

    /// The program as numbers, for a device to run: how many steps and expressions there are; for each step its
    /// operation, 0 for a sum, and its terms (a coefficient, how many factors, the factors) or operands; where each
    /// expression's value is. A value is two numbers: 0 and a constant, 1 and a symbol's index, or 2 and a step's.
    pub(crate) fn words(&self) -> Vec<i64> {
        let value = |value: &Value| match *value {
            Value::Constant(constant) => [0, constant],
            Value::Symbol(index) => [1, index as i64],
            Value::Slot(slot) => [2, slot as i64],
        };
        let mut words = vec![self.steps.len() as i64, self.outputs.len() as i64];
        for step in &self.steps {
            match &step.code {
                StepCode::Sum(terms) => {
                    words.extend([0, terms.len() as i64]);
                    for term in &self.terms[terms.clone()] {
                        words.extend([term.coefficient, term.factors.len() as i64]);
                        words.extend(self.values[term.factors.clone()].iter().flat_map(value));
                    }
                }
                StepCode::Apply(operation, operands) => {
                    words.extend([operation.number(), operands.len() as i64]);
                    words.extend(self.values[operands.clone()].iter().flat_map(value));
                }
            }
        }
        words.extend(self.outputs.iter().flat_map(value));
        words
    }

    fn step(&mut self, code: StepCode, source: ShapeExpr) -> Value {
        self.steps.push(Step { code, source });
        Value::Slot(self.steps.len() - 1)
    }

    fn check_buffers(&self, symbols: &[i64], scratch: &[i64], out: &[i64]) -> Result<(), ShapeError> {
        if let Some(symbol) = self.highest_symbol.as_ref().filter(|s| s.index as usize >= symbols.len()) {
            return Err(ShapeError::MissingSymbol {
                symbol: symbol.name.to_string(),
                index: symbol.index,
                available: symbols.len(),
            });
        }
        let buffers = [("scratch", self.scratch_len(), scratch.len()), ("output", self.output_len(), out.len())];
        match buffers.into_iter().find(|(_, expected, got)| got < expected) {
            Some((buffer, expected, got)) => Err(ShapeError::Buffer { buffer, expected, got }),
            None => Ok(()),
        }
    }

    fn run(&self, code: &StepCode, symbols: &[i64], done: &[i64]) -> Result<i64, Failure> {
        let result = match code {
            StepCode::Sum(terms) => {
                let mut sum = 0i128;
                for term in &self.terms[terms.clone()] {
                    let product = self.product(term, symbols, done)?;
                    sum = sum.checked_add(product).ok_or(Failure::Overflow)?;
                }
                sum
            }
            StepCode::Apply(operation, operands) => {
                let operands = self.values[operands.clone()].iter().map(|v| i128::from(v.read(symbols, done)));
                operands.map(Ok).reduce(|a, b| operation.apply(a?, b?)).unwrap_or(Ok(0))?
            }
        };
        i64::try_from(result).map_err(|_| Failure::Overflow)
    }

    fn product(&self, term: &TermStep, symbols: &[i64], done: &[i64]) -> Result<i128, Failure> {
        let factors = self.values[term.factors.clone()].iter().map(|v| i128::from(v.read(symbols, done)));
        match factors.clone().try_fold(i128::from(term.coefficient), i128::checked_mul) {
            Some(product) => Ok(product),
            None if factors.into_iter().any(|factor| factor == 0) => Ok(0),
            None => Err(Failure::Overflow),
        }
    }
}

impl ShapeExpr {
    /// The value, where symbol `i` stands for `symbols[i]`. A [`ShapeProgram`] does the same without allocation.
    ///
    /// # Errors
    /// As [`ShapeProgram::compile`] and [`ShapeProgram::evaluate`].
    pub fn evaluate(&self, symbols: &[i64]) -> Result<i64, ShapeError> {
        let program = ShapeProgram::compile([self])?;
        let mut value = [0];
        program.evaluate(symbols, &mut vec![0; program.scratch_len()], &mut value)?;
        Ok(value[0])
    }
}

impl Value {
    fn read(self, symbols: &[i64], slots: &[i64]) -> i64 {
        match self {
            Value::Constant(value) => value,
            Value::Symbol(index) => symbols[index],
            Value::Slot(slot) => slots[slot],
        }
    }
}

impl Operation {
    /// As a device knows it.
    fn number(self) -> i64 {
        match self {
            Operation::FloorDiv => 1,
            Operation::CeilDiv => 2,
            Operation::Max => 3,
            Operation::Min => 4,
            Operation::Equal => 5,
            Operation::Less => 6,
            Operation::Group => 7,
        }
    }

    fn apply(self, a: i128, b: i128) -> Result<i128, Failure> {
        Ok(match self {
            Operation::FloorDiv | Operation::CeilDiv if b == 0 => return Err(Failure::DivisionByZero),
            Operation::FloorDiv => integer::floor_div(a, b),
            Operation::CeilDiv => integer::ceil_div(a, b),
            Operation::Max => a.max(b),
            Operation::Min => a.min(b),
            Operation::Equal => (a == b).into(),
            Operation::Less => (a < b).into(),
            Operation::Group => a + b,
        })
    }
}

impl Failure {
    #[cold]
    fn at(self, source: &ShapeExpr, symbols: &[i64]) -> ShapeError {
        let expression = excerpt(source);
        let values: Vec<String> = source
            .symbols()
            .iter()
            .filter_map(|s| Some(format!("{} = {}", s.name, symbols.get(s.index as usize)?)))
            .collect();
        let values = if values.is_empty() { String::new() } else { format!(" where {}", excerpt(values.join(", "))) };
        match self {
            Failure::Overflow => ShapeError::Overflow { expression, values },
            Failure::DivisionByZero => source.division_by_zero(values),
        }
    }
}

/// Appends the steps of each part.
#[derive(Default)]
struct Compiler {
    program: ShapeProgram,
}

impl Fold for Compiler {
    type Value = Value;
    type Error = ShapeError;

    fn constant(&mut self, value: i64) -> Result<Value, ShapeError> {
        Ok(Value::Constant(value))
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<Value, ShapeError> {
        if symbol.kind == SymbolKind::OwnSize {
            return Err(ShapeError::UnknownExtent { symbol: symbol.name.to_string() });
        }
        if self.program.highest_symbol.as_ref().is_none_or(|highest| highest.index < symbol.index) {
            self.program.highest_symbol = Some(symbol.clone());
        }
        Ok(Value::Symbol(symbol.index as usize))
    }

    fn sum(&mut self, sum: &Arc<Polynomial>, factors: &[Value]) -> Result<Value, ShapeError> {
        let terms = by_term(sum, factors).map(|(term, factors)| TermStep {
            coefficient: term.coefficient,
            factors: append(&mut self.program.values, factors.iter().copied()),
        });
        let terms = append(&mut self.program.terms, terms);
        Ok(self.program.step(StepCode::Sum(terms), ShapeExpr(Ok(sum.clone()))))
    }

    fn node(&mut self, node: &Arc<Node>, operands: &[Value]) -> Result<Value, ShapeError> {
        let operands = append(&mut self.program.values, operands.iter().copied());
        let source = Polynomial::from(Atom::Node(node.clone())).into();
        Ok(self.program.step(StepCode::Apply(node.operation, operands), source))
    }
}

fn append<T>(to: &mut Vec<T>, items: impl IntoIterator<Item = T>) -> Range<usize> {
    let start = to.len();
    to.extend(items);
    start..to.len()
}
