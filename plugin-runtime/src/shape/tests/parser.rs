//! Reads what expressions print, with the usual precedence: `-x/y` is `(-x)/y`, operators group from the left.

use super::ShapeExpr;
use super::dim;

pub(super) fn parse(text: &str) -> ShapeExpr {
    let mut parser = Parser { rest: text };
    let expr = parser.sum();
    assert_eq!(parser.rest, "", "left over in {text}");
    expr
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn number(&mut self) -> i64 {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().unwrap_or_else(|_| panic!("a number was expected before {rest:?}"))
    }

    fn sum(&mut self) -> ShapeExpr {
        let mut sum = self.product();
        loop {
            if self.take(" + ") {
                sum += self.product();
            } else if self.take(" - ") {
                sum -= self.product();
            } else {
                return sum;
            }
        }
    }

    fn product(&mut self) -> ShapeExpr {
        let mut product = self.factor();
        loop {
            if self.take("*") {
                product *= self.factor();
            } else if self.take("/") {
                product /= self.factor();
            } else {
                return product;
            }
        }
    }

    fn factor(&mut self) -> ShapeExpr {
        if self.take("-") {
            return -self.factor();
        }
        if self.take("(") {
            let inner = self.sum();
            assert!(self.take(")"), "`)` was expected before {:?}", self.rest);
            return inner;
        }
        if self.take("d") {
            return dim(self.number() as u32);
        }
        type Operation = fn(&ShapeExpr, ShapeExpr) -> ShapeExpr;
        let calls: [(&str, Operation); 5] = [
            ("ceil_div(", |a, b| a.ceil_div(b)),
            ("max(", |a, b| a.max(b)),
            ("min(", |a, b| a.min(b)),
            ("equal(", |a, b| a.equal(b)),
            ("less(", |a, b| a.less(b)),
        ];
        for (name, operation) in calls {
            if self.take(name) {
                let mut result = self.sum();
                while self.take(", ") {
                    result = operation(&result, self.sum());
                }
                assert!(self.take(")"), "`)` was expected before {:?}", self.rest);
                return result;
            }
        }
        ShapeExpr::constant(self.number())
    }
}
