//! `+ - * /` between expressions and integers, in both operand orders, and sums and products of iterators.

use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::division;
use super::expr::{ShapeExpr, Written};
use super::list::IntoExpr;

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<&$integer> for ShapeExpr {
            fn from(value: &$integer) -> Self {
                (*value).into()
            }
        }

        /// An integer beyond 64 bits with sign gives an invalid expression.
        impl From<$integer> for ShapeExpr {
            fn from(value: $integer) -> Self {
                match i64::try_from(value) {
                    Ok(value) => ShapeExpr::constant(value),
                    Err(_) => ShapeExpr::invalid(format!("{value} leaves the 64-bit range of shape expressions")),
                }
            }
        }
    )*};
}

macro_rules! operators {
    ($($operator:ident::$method:ident, $assign:ident::$assign_method:ident => $combine:expr;)*) => {$(
        impl<T: IntoExpr> $operator<T> for &ShapeExpr {
            type Output = ShapeExpr;
            fn $method(self, other: T) -> ShapeExpr {
                $combine(self, &other.into_expr())
            }
        }

        impl<T: IntoExpr> $operator<T> for ShapeExpr {
            type Output = ShapeExpr;
            fn $method(self, other: T) -> ShapeExpr {
                $combine(&self, &other.into_expr())
            }
        }

        impl<T: IntoExpr> $assign<T> for ShapeExpr {
            fn $assign_method(&mut self, other: T) {
                *self = $combine(self, &other.into_expr());
            }
        }

        operators!(@integers $operator::$method => $combine; i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
    )*};
    (@integers $operator:ident::$method:ident => $combine:expr; $($integer:ty)*) => {$(
        impl $operator<&ShapeExpr> for $integer {
            type Output = ShapeExpr;
            fn $method(self, other: &ShapeExpr) -> ShapeExpr {
                $combine(&self.into(), other)
            }
        }

        impl $operator<ShapeExpr> for $integer {
            type Output = ShapeExpr;
            fn $method(self, other: ShapeExpr) -> ShapeExpr {
                $combine(&self.into(), &other)
            }
        }
    )*};
}

from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

operators! {
    Add::add, AddAssign::add_assign => sum;
    Sub::sub, SubAssign::sub_assign => difference;
    Mul::mul, MulAssign::mul_assign => product;
    Div::div, DivAssign::div_assign => quotient;
}

fn sum(a: &ShapeExpr, b: &ShapeExpr) -> ShapeExpr {
    a.combined(b, Written::Infix('+'), |a, b| a.plus(1, b))
}

fn difference(a: &ShapeExpr, b: &ShapeExpr) -> ShapeExpr {
    a.combined(b, Written::Infix('-'), |a, b| a.plus(-1, b))
}

fn product(a: &ShapeExpr, b: &ShapeExpr) -> ShapeExpr {
    a.combined(b, Written::Infix('*'), |a, b| a.times(b))
}

fn quotient(a: &ShapeExpr, b: &ShapeExpr) -> ShapeExpr {
    a.combined(b, Written::Infix('/'), division::floor_div)
}

impl Neg for &ShapeExpr {
    type Output = ShapeExpr;
    fn neg(self) -> ShapeExpr {
        difference(&ShapeExpr::constant(0), self)
    }
}

impl Neg for ShapeExpr {
    type Output = ShapeExpr;
    fn neg(self) -> ShapeExpr {
        -&self
    }
}

impl<T: IntoExpr> Sum<T> for ShapeExpr {
    fn sum<I: Iterator<Item = T>>(exprs: I) -> Self {
        exprs.fold(ShapeExpr::constant(0), |sum, expr| sum + expr)
    }
}

impl<T: IntoExpr> Product<T> for ShapeExpr {
    fn product<I: Iterator<Item = T>>(exprs: I) -> Self {
        exprs.fold(ShapeExpr::constant(1), |product, expr| product * expr)
    }
}
