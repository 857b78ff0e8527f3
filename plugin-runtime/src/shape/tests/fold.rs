//! Expressions built anew in another system's operations of two operands, as hosts do.

use proptest::prelude::*;

use super::dim;
use super::tree::{SYMBOLS, tree};
use crate::shape::fold::{Algebra, Walk};
use crate::shape::polynomial::Operation;
use crate::shape::{ShapeError, ShapeExpr, Symbol, integer};

/// Steps of two operands each, which read constants, symbols and earlier steps.
#[derive(Default)]
struct Host {
    steps: Vec<Step>,
}

enum Step {
    Constant(i64),
    Symbol(u32),
    Apply(fn(i128, i128) -> i128, usize, usize),
}

impl Host {
    fn add(&mut self, step: Step) -> Result<usize, ShapeError> {
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    fn joined(&mut self, operands: &[usize], by: fn(i128, i128) -> i128) -> Result<usize, ShapeError> {
        let (first, rest) = operands.split_first().expect("an operand");
        rest.iter().try_fold(*first, |a, b| self.add(Step::Apply(by, a, *b)))
    }

    fn evaluate(&self, symbols: &[i64]) -> Vec<i128> {
        let mut values: Vec<i128> = vec![];
        for step in &self.steps {
            values.push(match *step {
                Step::Constant(value) => value.into(),
                Step::Symbol(index) => symbols[index as usize].into(),
                Step::Apply(by, a, b) => by(values[a], values[b]),
            });
        }
        values
    }
}

impl Algebra for Host {
    type Value = usize;
    type Error = ShapeError;

    fn constant(&mut self, value: i64) -> Result<usize, ShapeError> {
        self.add(Step::Constant(value))
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<usize, ShapeError> {
        self.add(Step::Symbol(symbol.index))
    }

    fn product(&mut self, coefficient: i64, factors: &[usize]) -> Result<usize, ShapeError> {
        let product = self.joined(factors, |a, b| a * b)?;
        let coefficient = self.add(Step::Constant(coefficient))?;
        self.add(Step::Apply(|a, b| a * b, coefficient, product))
    }

    fn sum(&mut self, terms: &[usize]) -> Result<usize, ShapeError> {
        self.joined(terms, |a, b| a + b)
    }

    fn apply(&mut self, operation: Operation, operands: &[usize]) -> Result<usize, ShapeError> {
        let by: fn(i128, i128) -> i128 = match operation {
            Operation::FloorDiv => integer::floor_div,
            Operation::CeilDiv => integer::ceil_div,
            Operation::Max => |a, b| a.max(b),
            Operation::Min => |a, b| a.min(b),
            Operation::Equal => |a, b| i128::from(a == b),
            Operation::Less => |a, b| i128::from(a < b),
            Operation::Group => |_, _| unreachable!("a group has one operand"),
        };
        self.joined(operands, by)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_host_builds_has_the_value_of_the_expression(
        tree in tree(6), symbols in prop::collection::vec(-9i64..=9, SYMBOLS as usize),
    ) {
        let expr = tree.expr();
        if let Ok(value) = expr.evaluate(&symbols) {
            let mut walk = Walk::new(Host::default());
            let result = walk.value(expr.polynomial()?)?;
            prop_assert_eq!(walk.by.evaluate(&symbols)[result], value.into(), "{}", expr);
        }
    }
}

#[test]
fn a_shared_part_is_visited_once_in_all_expressions() {
    let quotient = || (dim(0) + 1) / dim(1);
    let exprs = [quotient().max(dim(2)) + quotient(), quotient().equal(dim(3)), quotient()];
    let mut walk = Walk::new(Host::default());
    let results = exprs.each_ref().map(|e| walk.value(e.polynomial().unwrap()).unwrap());
    let quotients = walk.by.steps.iter().filter(|step| matches!(step, Step::Apply(by, ..) if by(7, 2) == 3)).count();
    assert_eq!(quotients, 1);
    let values = walk.by.evaluate(&[9, 2, 7, 5]);
    assert_eq!(results.map(|result| values[result]), [12, 1, 5]);
}

#[test]
fn a_mistake_of_the_host_ends_the_walk() {
    struct Refusing;
    impl Algebra for Refusing {
        type Value = ();
        type Error = String;
        fn constant(&mut self, _: i64) -> Result<(), String> {
            Ok(())
        }
        fn symbol(&mut self, symbol: &Symbol) -> Result<(), String> {
            if symbol.index == 1 { Err(symbol.name.to_string()) } else { Ok(()) }
        }
        fn product(&mut self, _: i64, _: &[()]) -> Result<(), String> {
            Ok(())
        }
        fn sum(&mut self, _: &[()]) -> Result<(), String> {
            Ok(())
        }
        fn apply(&mut self, _: Operation, _: &[()]) -> Result<(), String> {
            Err("past the symbol".into())
        }
    }
    let walked = |expr: ShapeExpr| Walk::new(Refusing).value(expr.polynomial().unwrap());
    assert_eq!(walked(3 * dim(0) + 2), Ok(()));
    assert_eq!(walked(dim(0) / (dim(1) + 2)), Err("d1".to_owned()));
}
