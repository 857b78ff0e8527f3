//! What expressions become and how they print.

use std::collections::HashSet;

use super::{ShapeExpr, dim, own_size};
use crate::shape::{Interval, ShapeError, ShapeProgram, Symbol, SymbolKind, display_shape};

fn zero() -> ShapeExpr {
    ShapeExpr::constant(0)
}

#[test]
fn expressions_print_as_people_write_them() {
    let [a, b, c] = [dim(0), dim(1), dim(2)];
    let printed = [
        (&c + 2, "d2 + 2"),
        (2 * &b * &a, "2*d0*d1"),
        (&a - 1, "d0 - 1"),
        (3 - &a, "-d0 + 3"),
        (&a * &b / 2, "d0*d1/2"),
        ((&a + 1) / 2, "(d0 + 1)/2"),
        (2 * (&a / 2), "2*(d0/2)"),
        (&a / 2 * &b, "d1*(d0/2)"),
        (&b - &a / 2, "d1 - d0/2"),
        (-(&a / 2), "-(d0/2)"),
        (&a / &b / &c, "d0/d1/d2"),
        (&a / (&b / &c), "d0/(d1/d2)"),
        (&a / (&b * &c), "d0/(d1*d2)"),
        (&a / b.max(1), "d0/max(d1, 1)"),
        (a.ceil_div(&b), "ceil_div(d0, d1)"),
        (b.max(&a).max(4).max(2), "max(d0, d1, 4)"),
        (a.min(5) * 2 + 1, "2*min(d0, 5) + 1"),
        (b.equal(&a), "equal(d0, d1)"),
        (a.less(3), "less(d0, 3)"),
        (ShapeExpr::from(3).less(&a), "less(3, d0)"),
        (1 + &a + &a * &b + &b * 3, "d0*d1 + d0 + 3*d1 + 1"),
        (ShapeExpr::constant(i64::MIN), "-9223372036854775808"),
        (ShapeExpr::constant(0), "0"),
    ];
    for (expr, text) in printed {
        assert_eq!(expr.to_string(), text);
    }
    let shape = [a, b, &c + 2, dim(3) + 2];
    assert_eq!(display_shape(&shape).to_string(), "[d0, d1, d2 + 2, d3 + 2]");
    assert_eq!(display_shape(&[]).to_string(), "[]");
}

#[test]
fn equal_expressions_are_equal_and_hash_equal() {
    let [a, b] = [dim(0), dim(1)];
    let pairs = [
        (&a + &a, 2 * &a),
        ((&a + 1) * (&a - 1), &a * &a - 1),
        (zero() * &a, 0.into()),
        (&a - &a, 0.into()),
        (&a / 1, a.clone()),
        (&a / -1, -&a),
        ((2 * &a) / 2, a.clone()),
        ((2 * &a + 5) / 2, &a + 2),
        ((2 * &a + &b + 1) / 2, &a + (&b + 1) / 2),
        ((4 * &a + 6) / 8, (2 * &a + 3) / 4),
        ((&a / 2 + 1) / 3, (&a + 2) / 6),
        ((1 - &a) / 2, -(&a / 2)),
        (a.ceil_div(4), (&a + 3) / 4),
        (a.max(&a + 1), &a + 1),
        (a.min(&a + 1), a.clone()),
        (a.max(&a), a.clone()),
        (a.equal(&a), 1.into()),
        (a.equal(&a + 1), 0.into()),
        ((&a * 2).equal(2 * &b + 1), 0.into()),
        (a.less(&a), 0.into()),
        (a.less(&a + 1), 1.into()),
        ((&a * 2).less(5), a.less(3)),
    ];
    for (left, right) in pairs {
        assert_eq!(left, right);
        assert_eq!(HashSet::from([left, right]).len(), 1);
    }
}

#[test]
fn what_may_divide_by_zero_is_kept() {
    let [a, b] = [dim(0), dim(1)];
    assert_ne!(&a / &a, 1.into());
    assert_ne!(&a * &b / &b, a);
    for quotient in [&a / &a, zero() / &a, b.ceil_div(&a), (2 * &a) / (4 * &a)] {
        let error = quotient.evaluate(&[0, 3]).expect_err("a division by zero");
        assert!(matches!(error, ShapeError::DivisionByZero { .. }), "{error}");
    }
    assert_eq!(
        (&b / &a).evaluate(&[0, 3]).expect_err("a division by zero").to_string(),
        "`d1/d0` divides by zero where d0 = 0, d1 = 3"
    );
}

#[test]
fn integers_of_all_types_stand_on_either_side() {
    let n = dim(0);
    let (small, wide, index) = (3u8, 3i64, 3usize);
    assert_eq!(small * &n, &n * wide);
    assert_eq!(index - n.clone(), -(n.clone() - wide));
    assert_eq!(7u64 / &n, 7i16 / n.clone());
    let shape: [ShapeExpr; 2] = [own_size(), 2.into()];
    assert!(shape[0].is_size_tensor() && !shape[1].is_size_tensor());
    assert_eq!(shape[1].constant_value(), Some(2));
    let mut changed = n.clone();
    changed += 2;
    changed *= &n;
    changed -= n.clone();
    changed /= 1;
    assert_eq!(changed, &n * &n + &n);
    assert_eq!([dim(0), dim(1)].iter().product::<ShapeExpr>(), dim(0) * dim(1));
    assert_eq!([1, 2].into_iter().sum::<ShapeExpr>(), 3.into());
    let error = ShapeExpr::from(u64::MAX);
    assert_eq!(error.error(), Some("18446744073709551615 leaves the 64-bit range of shape expressions"));
}

#[test]
fn mistakes_are_carried_and_the_first_wins() {
    let n = dim(0);
    let max = ShapeExpr::constant(i64::MAX);
    let overflow = &max + 1;
    let overflow_text = "`9223372036854775807 + 1` leaves the 64-bit range of shape expressions";
    assert_eq!(overflow.error(), Some(overflow_text));
    assert_eq!((&n / 0).error(), Some("`d0 / 0` divides by zero"));
    assert_eq!((&n + 1).ceil_div(0).error(), Some("`ceil_div(d0 + 1, 0)` divides by zero"));
    let min = ShapeExpr::constant(i64::MIN);
    for overflow in [-&min, &min / -1, min.ceil_div(-1), &max * 2, &max * &n * 2, &min - 1] {
        assert!(overflow.error().is_some_and(|text| text.ends_with(" leaves the 64-bit range of shape expressions")));
    }
    for carried in [&overflow * zero(), 1 + &overflow, n.max(&overflow), &overflow - &n / 0, -&overflow] {
        assert_eq!(carried, overflow);
    }
    assert_eq!(overflow.evaluate(&[1]), Err(ShapeError::Invalid { reason: overflow_text.into() }));
    assert_eq!(overflow.substitute(&|_| Some(1.into())), overflow);
    assert_eq!(overflow.range(&|_| Interval::exactly(1)), Err(ShapeError::Invalid { reason: overflow_text.into() }));
    assert_eq!(min.equal(1).constant_value(), Some(0));
    assert_eq!(min.less(&max).constant_value(), Some(1));
}

#[test]
fn rewritings_that_would_overflow_are_not_made() {
    let n = dim(0);
    let max = ShapeExpr::constant(i64::MAX);
    let min = ShapeExpr::constant(i64::MIN);
    let cases = [
        (&n * &min / -3, Ok(0)),
        ((&n / &max + &max) / 3, Ok(i64::MAX / 3)),
        (n.less(&min), Ok(0)),
        ((&n + &max).equal(&min - &n), Ok(0)),
        ((&n * &min).ceil_div(&n + 1), Ok(0)),
        (&n / &min, Ok(0)),
    ];
    for (expr, value) in cases {
        assert_eq!(expr.evaluate(&[0]), value, "{expr}");
    }
}

#[test]
fn arithmetic_on_a_size_tensor_is_refused() {
    let size = own_size();
    assert!(size.error().is_none() && size.is_size_tensor());
    for refused in
        [&size + 0, zero() * &size, -&size, size.max(1), dim(0).equal(&size), size.ceil_div(&size), &size / 0]
    {
        let text = refused.error().unwrap_or_default();
        assert!(text.starts_with("arithmetic on the extent of size tensor `size7` isn't possible"), "{text}");
    }
    assert_eq!(size.evaluate(&[0; 9]), Err(ShapeError::UnknownExtent { symbol: "size7".into() }));
    let ran = Symbol { kind: SymbolKind::Size, index: 2, name: "count".into() };
    let known = size.substitute(&|s| (s.kind == SymbolKind::OwnSize).then(|| ran.clone().into()));
    assert!(known.is_size_tensor());
    assert_eq!((known + 1).evaluate(&[0, 0, 41]), Ok(42));
}

#[test]
fn evaluation_names_what_is_missing() {
    let expr = dim(0) * dim(3);
    let program = ShapeProgram::compile([&expr, &(&expr + 1)]).expect("valid");
    assert_eq!((program.symbol_len(), program.scratch_len(), program.output_len()), (4, 2, 2));
    let missing = program.evaluate(&[1, 2, 3], &mut [0; 2], &mut [0; 2]).expect_err("three values");
    assert_eq!(missing.to_string(), "`d3` is symbol 3, but there are values for 3 symbols only");
    for (scratch, out) in [(1, 2), (2, 1)] {
        let result = program.evaluate(&[1; 4], &mut vec![0; scratch], &mut vec![0; out]);
        assert!(matches!(result, Err(ShapeError::Buffer { expected: 2, got: 1, .. })));
    }
    let overflow = expr.evaluate(&[i64::MAX, 0, 0, 2]).expect_err("2^64 - 2");
    assert_eq!(
        overflow.to_string(),
        "`d0*d3` leaves the 64-bit range of shape expressions where d0 = 9223372036854775807, d3 = 2"
    );
    let zero_size = (0..6).map(dim).product::<ShapeExpr>();
    assert_eq!(zero_size.evaluate(&[i64::MAX, i64::MAX, i64::MAX, i64::MAX, i64::MAX, 0]), Ok(0));
}

#[test]
fn ranges_are_tight_where_symbols_act_in_one_direction() {
    let [a, b] = [dim(0), dim(1)];
    let to = |max| move |_: &Symbol| Interval { min: 1, max };
    let ranges = [
        (&a * &b, 1, 64),
        ((&a - 1) * (&b - 1), 0, 49),
        ((&a + 2) * (&b + 2) - 3, 6, 97),
        ((&a - 9) * (&b - 9), 1, 64),
        (&a * &a - &a, 0, 56),
        (&a / 2, 0, 4),
        (&a / (&b - 1), 0, 8),
        (a.max(5), 5, 8),
        (a.min(5), 1, 5),
        (a.less(9), 1, 1),
        (a.less(8), 0, 1),
        (b.less(&a - 7), 0, 0),
        (a.equal(9), 0, 0),
    ];
    for (expr, min, max) in ranges {
        assert_eq!(expr.range(&to(8)), Ok(Interval { min, max }), "{expr}");
    }
    let even = &a * &a;
    assert_eq!(even.range(&|_| Interval { min: -3, max: 2 }), Ok(Interval { min: 0, max: 9 }));
}

#[test]
fn ranges_that_cannot_be_are_errors() {
    let [a, b] = [dim(0), dim(1)];
    let huge = |_: &Symbol| Interval { min: 0, max: i64::MAX };
    let product = &a * &b;
    assert_eq!(
        product.range(&huge).expect_err("2^126").to_string(),
        "`d0*d1` leaves the 64-bit range of shape expressions where d0 is 0 to 9223372036854775807, d1 is 0 to \
         9223372036854775807"
    );
    assert_eq!(product.min(100).range(&huge), Ok(Interval { min: 0, max: 100 }));
    assert_eq!((-&product).range(&huge), Ok(Interval { min: i64::MIN, max: 0 }));
    let quotient = (&a / &b).range(&|_| Interval::exactly(0)).expect_err("a division by zero");
    assert_eq!(quotient.to_string(), "`d0/d1` divides by zero");
    let empty = a.range(&|_| Interval { min: 2, max: 1 }).expect_err("an empty range");
    assert_eq!(empty.to_string(), "the range of `d0` is empty: its minimum 2 is above its maximum 1");
}
