//! Random expressions: values, ranges, text and laws.

use proptest::prelude::*;

use super::parser::parse;
use super::tree::{Op, SYMBOLS, Tree, tree, tree_of};
use super::{ShapeExpr, dim};
use crate::shape::{Interval, ShapeProgram};

fn extreme() -> impl Strategy<Value = i64> {
    let around = |center: i64| (-2i64..=2).prop_map(move |offset| center.saturating_add(offset));
    prop_oneof![around(0), around(i64::MIN), around(i64::MAX), around(1 << 32), any::<i64>()]
}

fn values() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(-9i64..=9, SYMBOLS as usize)
}

/// A range of each symbol and a value in it.
fn ranged_values() -> impl Strategy<Value = Vec<(Interval, i64)>> {
    let ranged = (-9i64..=9, 0i64..=9, 0i64..=9)
        .prop_map(|(min, below, above)| (Interval { min, max: min + below + above }, min + below));
    prop::collection::vec(ranged, SYMBOLS as usize)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_normal_form_has_the_value_of_what_was_written(tree in tree(6), symbols in values()) {
        if let Some(value) = tree.value(&symbols) {
            prop_assert_eq!(tree.expr().evaluate(&symbols), Ok(value), "{}", tree.expr());
        }
    }

    #[test]
    fn a_program_of_several_expressions_gives_the_value_of_each(
        trees in prop::collection::vec(tree(4), 0..6), symbols in values(),
    ) {
        let exprs: Vec<ShapeExpr> = trees.iter().map(Tree::expr).collect();
        let Ok(program) = ShapeProgram::compile(&exprs) else { return Ok(()) };
        let (mut scratch, mut out) = (vec![0; program.scratch_len()], vec![0; program.output_len()]);
        let together = program.evaluate(&symbols, &mut scratch, &mut out).map(|()| out);
        let alone: Result<Vec<i64>, _> = exprs.iter().map(|e| e.evaluate(&symbols)).collect();
        match (together, alone) {
            (Ok(together), Ok(alone)) => prop_assert_eq!(together, alone),
            (together, alone) => prop_assert_eq!(together.is_err(), alone.is_err()),
        }
    }

    #[test]
    fn a_value_lies_in_its_range(tree in tree(6), symbols in ranged_values()) {
        let expr = tree.expr();
        let values: Vec<i64> = symbols.iter().map(|(_, value)| *value).collect();
        let range = expr.range(&|s| symbols[s.index as usize].0);
        if let (Ok(range), Ok(value)) = (range, expr.evaluate(&values)) {
            prop_assert!(range.contains(value), "{} = {} in {:?}", expr, value, range);
        }
    }

    #[test]
    fn values_near_the_end_of_64_bits_are_right_or_errors(
        tree in tree_of(5, extreme()), symbols in prop::collection::vec(extreme(), SYMBOLS as usize),
        others in prop::collection::vec(extreme(), SYMBOLS as usize),
    ) {
        let expr = tree.expr();
        let value = expr.evaluate(&symbols);
        if let (Ok(value), Some(expected)) = (&value, tree.value(&symbols)) {
            prop_assert_eq!(*value, expected, "{}", expr);
        }
        let range = expr.range(&|s| {
            let ends = [symbols[s.index as usize], others[s.index as usize]];
            Interval { min: ends[0].min(ends[1]), max: ends[0].max(ends[1]) }
        });
        if let (Ok(value), Ok(range)) = (value, range) {
            prop_assert!(range.contains(value), "{} = {} in {:?}", expr, value, range);
        }
    }

    #[test]
    fn a_range_of_single_values_is_the_value(tree in tree(6), symbols in values()) {
        let expr = tree.expr();
        if let Ok(value) = expr.evaluate(&symbols) {
            let range = expr.range(&|s| Interval::exactly(symbols[s.index as usize]));
            prop_assert_eq!(range, Ok(Interval::exactly(value)), "{}", expr);
        }
    }

    #[test]
    fn text_reads_back_as_the_same_expression(tree in tree(6)) {
        let expr = tree.expr();
        prop_assume!(expr.error().is_none());
        prop_assert_eq!(&parse(&expr.to_string()), &expr);
    }

    #[test]
    fn laws_hold_by_equality(a in tree(3), b in tree(3), c in tree(3)) {
        let [a, b, c] = [a, b, c].map(|tree| tree.expr());
        prop_assume!([&a, &b, &c].iter().all(|e| e.error().is_none()));
        prop_assert_eq!((&a + &b) * &c, &c * &a + &b * &c);
        prop_assert_eq!(&a - (&b - &c), &a + &c - &b);
        prop_assert_eq!(-(&a) * -(&b), &a * &b);
        for op in [Op::Add, Op::Mul, Op::Max, Op::Min] {
            let right = op.expr(&a, &op.expr(&b, &c));
            prop_assert_eq!(&op.expr(&op.expr(&a, &b), &c), &right, "{:?} is associative", op);
            prop_assert_eq!(&op.expr(&op.expr(&c, &b), &a), &right, "{:?} is commutative", op);
        }
        prop_assert_eq!(a.equal(&b), b.equal(&a));
        prop_assert_eq!(a.equal(&b), (&b + &c).equal(&a + &c));
        prop_assert_eq!(a.less(&b), (&a * 3 - &c).less(&b * 3 - &c));
        prop_assert_eq!((&a * 6 + &b * 2) / 4, (&a * 3 + &b) / 2);
        prop_assert_eq!(a.ceil_div(3), (&a + 2) / 3);
        let zero = [&a, &b].map(|e| e.constant_value() == Some(0));
        if zero == [false, false] {
            prop_assert_eq!(&a / -&b, -&a / &b);
            prop_assert_eq!(a.ceil_div(&b), -(-&a / &b));
        }
    }

    #[test]
    fn substituting_values_evaluates(tree in tree(5), symbols in values()) {
        let expr = tree.expr();
        let substituted = expr.substitute(&|s| Some(symbols[s.index as usize].into()));
        if let Ok(value) = expr.evaluate(&symbols) {
            prop_assert_eq!(substituted.constant_value(), Some(value), "{} became {}", expr, substituted);
        }
    }

    #[test]
    fn substituting_symbols_renames(tree in tree(5), symbols in values()) {
        let expr = tree.expr();
        prop_assert_eq!(&expr.substitute(&|_| None), &expr);
        let reversed = expr.substitute(&|s| Some(dim(SYMBOLS - 1 - s.index)));
        let values: Vec<i64> = symbols.iter().rev().copied().collect();
        prop_assume!(expr.error().is_none() && reversed.error().is_none());
        prop_assert_eq!(reversed.evaluate(&values).ok(), expr.evaluate(&symbols).ok(), "{} and {}", expr, reversed);
    }
}
