//! Expressions as plain trees: what the normal form is checked against.

use proptest::prelude::*;

use super::{ShapeExpr, dim};

#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    FloorDiv,
    CeilDiv,
    Max,
    Min,
    Equal,
    Less,
}

#[derive(Clone, Debug)]
pub(super) enum Tree {
    Constant(i64),
    Dim(u32),
    Apply(Op, Box<[Tree; 2]>),
}

pub(super) const SYMBOLS: u32 = 4;

impl Tree {
    pub(super) fn expr(&self) -> ShapeExpr {
        match self {
            Tree::Constant(value) => ShapeExpr::constant(*value),
            Tree::Dim(index) => dim(*index),
            Tree::Apply(op, operands) => op.expr(&operands[0].expr(), &operands[1].expr()),
        }
    }

    /// The value as it is written, `None` where a divisor is 0 or a value leaves 64 bits.
    pub(super) fn value(&self, symbols: &[i64]) -> Option<i64> {
        match self {
            Tree::Constant(value) => Some(*value),
            Tree::Dim(index) => Some(symbols[*index as usize]),
            Tree::Apply(op, operands) => op.value(operands[0].value(symbols)?, operands[1].value(symbols)?),
        }
    }
}

impl Op {
    pub(super) fn expr(self, a: &ShapeExpr, b: &ShapeExpr) -> ShapeExpr {
        match self {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::FloorDiv => a / b,
            Op::CeilDiv => a.ceil_div(b),
            Op::Max => a.max(b),
            Op::Min => a.min(b),
            Op::Equal => a.equal(b),
            Op::Less => a.less(b),
        }
    }

    fn value(self, a: i64, b: i64) -> Option<i64> {
        match self {
            Op::Add => a.checked_add(b),
            Op::Sub => a.checked_sub(b),
            Op::Mul => a.checked_mul(b),
            Op::FloorDiv | Op::CeilDiv => {
                let toward_zero = a.checked_div(b)?;
                let inexact = a.checked_rem(b)? != 0;
                let positive = (a < 0) == (b < 0);
                Some(match self {
                    Op::FloorDiv => toward_zero - i64::from(inexact && !positive),
                    _ => toward_zero + i64::from(inexact && positive),
                })
            }
            Op::Max => Some(a.max(b)),
            Op::Min => Some(a.min(b)),
            Op::Equal => Some((a == b).into()),
            Op::Less => Some((a < b).into()),
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    let arithmetic = prop_oneof![Just(Op::Add), Just(Op::Sub), Just(Op::Mul), Just(Op::FloorDiv), Just(Op::CeilDiv)];
    let comparison = prop_oneof![Just(Op::Max), Just(Op::Min), Just(Op::Equal), Just(Op::Less)];
    prop_oneof![2 => arithmetic, 1 => comparison]
}

/// Trees whose values stay small.
pub(super) fn tree(depth: u32) -> impl Strategy<Value = Tree> {
    tree_of(depth, prop_oneof![-7i64..=7, Just(1), Just(2), Just(4)])
}

pub(super) fn tree_of(depth: u32, constants: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![2 => (0..SYMBOLS).prop_map(Tree::Dim), 1 => constants.prop_map(Tree::Constant)];
    leaf.prop_recursive(depth, 64, 2, |inner| {
        (op(), inner.clone(), inner).prop_map(|(op, a, b)| Tree::Apply(op, Box::new([a, b])))
    })
}
