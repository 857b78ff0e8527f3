//! Expressions to bytes and back, and bytes that nobody wrote.

use proptest::prelude::*;

use super::tree::{SYMBOLS, Tree, tree, tree_of};
use super::{ShapeExpr, dim, own_size};
use crate::shape::encoding::{decode, encode};
use crate::shape::{ShapeError, Symbol};

fn symbols(count: u32) -> Vec<Symbol> {
    (0..count).filter_map(|index| dim(index).as_symbol().cloned()).collect()
}

fn read(bytes: &[u8]) -> Result<Vec<ShapeExpr>, ShapeError> {
    decode(bytes, &symbols(SYMBOLS))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(trees in prop::collection::vec(tree(6), 0..5)) {
        let exprs: Vec<ShapeExpr> = trees.iter().map(Tree::expr).filter(|e| e.error().is_none()).collect();
        let bytes = encode(&exprs).expect("none carries a mistake");
        prop_assert_eq!(read(&bytes), Ok(exprs));
    }

    #[test]
    fn extreme_constants_are_read(tree in tree_of(5, any::<i64>())) {
        let expr = tree.expr();
        if let Ok(bytes) = encode([&expr]) {
            prop_assert_eq!(read(&bytes), Ok(vec![expr]));
        }
    }

    #[test]
    fn any_bytes_are_refused_or_are_what_reading_them_again_gives(
        bytes in prop::collection::vec(prop_oneof![0u8..11, 0u8..4, any::<u8>()], 0..60),
    ) {
        if let Ok(exprs) = read(&bytes) {
            let written = encode(&exprs).expect("what is read carries no mistake");
            prop_assert_eq!(read(&written), Ok(exprs));
        }
    }
}

#[test]
fn large_expressions_are_read() {
    let long_sum = |first: u32, count: u32| -> ShapeExpr { (first..first + count).map(dim).sum() };
    let largest = (0..1500).map(|i| dim(i) * dim(i + 1)).reduce(|a, b| a.max(b)).unwrap_or_else(|| dim(0));
    let power = (0..3000).fold(dim(0), |power, _| power * dim(1));
    let mut deep = dim(0);
    while (dim(1) / (&deep + 1)).error().is_none() {
        deep = dim(1) / (&deep + 1);
    }
    let exprs = [long_sum(0, 3000), long_sum(0, 40) * long_sum(20, 40) / 7, largest, power, deep];
    assert!(exprs.iter().all(|e| e.error().is_none()));
    let bytes = encode(&exprs).expect("none carries a mistake");
    assert!(decode(&bytes, &symbols(3000)) == Ok(exprs.into()));
}

#[test]
fn what_is_wrong_is_said() {
    let said = |bytes: &[u8]| read(bytes).map(|exprs| exprs.len()).unwrap_err().to_string();
    let n = |item: u8| [1, 0, item];
    assert_eq!(said(&[11]), "11 is no part of an expression");
    assert_eq!(said(&[1, 4]), "it names symbol 4, but may name 4 here");
    assert_eq!(said(&n(5)), "an operation takes 2 operands, but there are 1");
    assert_eq!(said(&[&n(2)[..], &[0xff; 3]].concat()), "it ends within a number");
    assert_eq!(said(&[&[0][..], &[0xff; 10]].concat()), "it holds a number of more than 64 bits");
    assert_eq!(said(&[2, 0]), "an operation takes no operand");
    assert_eq!(said(&[0; 140_000]), "it holds more than 65536 values that nothing is done with");
    assert_eq!(said(&[1, 0, 0, 0, 5]), "`d0 / 0` divides by zero");
    assert!(encode([&ShapeExpr::invalid("a mistake")]).is_err());
    assert_eq!(encode([&own_size()]).map(|bytes| read(&bytes).is_ok()), Ok(false));
}

#[test]
fn bytes_that_ask_for_much_work_are_refused_early() {
    let chain = |operation: u8| {
        let mut bytes = vec![1, 0];
        for index in 1..3000u32 {
            bytes.extend([1, index as u8 | 0x80, (index >> 7) as u8, operation, 2]);
        }
        decode(&bytes, &symbols(3000)).map(|exprs| exprs.len()).map_err(|e| e.to_string())
    };
    for operation in [2, 3, 7] {
        let error = chain(operation).unwrap_err();
        assert!(error.ends_with("is written in a way that takes too long to read"), "{error}");
    }
}
