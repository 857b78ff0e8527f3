//! Expressions of any size and nesting: no overflow of the stack, no blow-up.

use super::{ShapeExpr, dim};
use crate::shape::{Interval, ShapeProgram};

/// The sum of `count` symbols from `first` on.
fn long_sum(first: u32, count: u32) -> ShapeExpr {
    (first..first + count).map(dim).sum()
}

#[test]
fn long_products_are_not_multiplied_out() {
    let (left, right) = (long_sum(0, 40), long_sum(20, 40));
    let product = &left * &right;
    assert!(product == &right * &left);
    assert_eq!(product.to_string(), format!("({left})*({right})"));
    assert_eq!(product.evaluate(&[1; 60]), Ok(1600));
    assert_eq!(product.range(&|_| Interval { min: 1, max: 2 }), Ok(Interval { min: 1600, max: 6400 }));
    assert!(product.substitute(&|s| Some(dim(s.index))) == product);
    assert_eq!(product.substitute(&|_| Some(1.into())).constant_value(), Some(1600));
    assert_eq!(&product - &product, 0.into());
    assert!(&product / 1 == product && (&product + 3) - 3 == product && 2 * &product / 2 == product);
}

#[test]
fn sums_of_thousands_of_symbols_are_computed() {
    let sum = long_sum(0, 3000);
    assert_eq!(sum.error(), None);
    assert_eq!(sum.evaluate(&[2; 3000]), Ok(6000));
    assert_eq!(sum.range(&|_| Interval { min: 0, max: 5 }), Ok(Interval { min: 0, max: 15000 }));
    assert_eq!(sum.symbols().len(), 3000);
}

#[test]
fn what_grows_without_bound_becomes_invalid() {
    let steps: [fn(ShapeExpr) -> ShapeExpr; 6] = [
        |e| &e * &e,
        |e| (&e + dim(1)) * (&e + dim(2)),
        |e| (&e + 1) / (&e + dim(1)),
        |e| e.max(&e * dim(1)).min(&e + dim(2)),
        |e| e.equal(dim(1)) + &e * &e / dim(2),
        |e| 1 + dim(1) / e,
    ];
    for (position, step) in steps.into_iter().enumerate() {
        let mut expr = dim(0);
        for _ in 0..5000 {
            expr = step(expr);
        }
        let text = expr.error().unwrap_or_default();
        assert!(text.contains(" is too large: ") || text.contains(" is nested too deeply: "), "{position}: {text}");
        assert!(text.len() < 700, "{text}");
    }
}

#[test]
fn the_deepest_expression_fits_a_small_stack() {
    let work = || {
        let mut deepest = dim(0);
        loop {
            let deeper = dim(1) / (&deepest + 1) + 2;
            if deeper.error().is_some() {
                break;
            }
            deepest = deeper;
        }
        let program = ShapeProgram::compile([&deepest]).expect("valid");
        assert_eq!(program.scratch_len(), 2 * 128 + 1);
        let same = deepest.substitute(&|s| Some(s.clone().into()));
        assert!(same == deepest);
        assert!(deepest.to_string().len() > 1000);
        assert_eq!(deepest.evaluate(&[1, 1]).ok(), Some(2));
        deepest.range(&|_| Interval { min: 1, max: 9 }).expect("a range")
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(work).expect("a thread");
    assert!(thread.join().expect("no overflow").contains(2));
}
