//! Expressions as people write them, with only the parentheses that are needed.

use std::fmt::{self, Display, Formatter, Write};
use std::sync::Arc;

use super::expr::ShapeExpr;
use super::polynomial::{Atom, Node, Operation, Polynomial, Term};

/// `d0*d1 + 2`; an expression that carries a mistake is `invalid(<the mistake>)`.
impl Display for ShapeExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(polynomial) => Display::fmt(&**polynomial, f),
            Err(reason) => write!(f, "invalid({reason})"),
        }
    }
}

impl fmt::Debug for ShapeExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ShapeExpr({self})")
    }
}

/// Prints dimensions: `[d0, d1, d2 + 2]`.
pub fn display_shape(dims: &[ShapeExpr]) -> impl Display + '_ {
    fmt::from_fn(move |f| {
        f.write_char('[')?;
        separated(f, dims)?;
        f.write_char(']')
    })
}

fn separated(f: &mut Formatter<'_>, items: &[impl Display]) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        write!(f, "{separator}{item}")?;
    }
    Ok(())
}

impl Display for Polynomial {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.terms().split_first() else { return f.write_char('0') };
        let sign = if first.coefficient < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Magnitude { term: first, after_minus_sign: first.coefficient < 0 })?;
        for term in rest {
            let sign = if term.coefficient < 0 { "-" } else { "+" };
            write!(f, " {sign} {}", Magnitude { term, after_minus_sign: false })?;
        }
        Ok(())
    }
}

impl Polynomial {
    /// Whether `self/x` reads as the quotient of all of it.
    fn divides_bare(&self) -> bool {
        self.terms().len() <= 1 && !self.leads_negative()
    }

    /// Whether `x/self` reads as the quotient by all of it.
    fn divides_others_bare(&self) -> bool {
        match self.as_atom() {
            Some(Atom::Symbol(_)) => true,
            Some(Atom::Node(node)) => node.reads_as_one(),
            None => self.constant_value().is_some_and(|value| value >= 0),
        }
    }
}

/// A term without its sign.
struct Magnitude<'a> {
    term: &'a Term,
    after_minus_sign: bool,
}

impl Display for Magnitude<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let atoms = self.term.monomial.atoms();
        let magnitude = self.term.coefficient.unsigned_abs();
        let alone = atoms.len() == 1 && magnitude == 1 && !self.after_minus_sign;
        if atoms.is_empty() || magnitude != 1 {
            write!(f, "{magnitude}")?;
        }
        for (position, atom) in atoms.iter().enumerate() {
            if position > 0 || magnitude != 1 {
                f.write_char('*')?;
            }
            match atom {
                Atom::Symbol(symbol) => f.write_str(&symbol.name)?,
                Atom::Node(node) if node.reads_as_one() || (alone && node.operation == Operation::FloorDiv) => {
                    write!(f, "{node}")?;
                }
                Atom::Node(node) => write!(f, "({node})")?,
            }
        }
        Ok(())
    }
}

impl Node {
    fn reads_as_one(&self) -> bool {
        !matches!(self.operation, Operation::FloorDiv | Operation::Sum)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match self.operation {
            Operation::FloorDiv => return quotient(f, &self.operands),
            Operation::Sum => "",
            Operation::CeilDiv => "ceil_div",
            Operation::Max => "max",
            Operation::Min => "min",
            Operation::Equal => "equal",
            Operation::Less => "less",
        };
        if name.is_empty() {
            return separated(f, &self.operands);
        }
        write!(f, "{name}(")?;
        separated(f, &self.operands)?;
        f.write_char(')')
    }
}

fn quotient(f: &mut Formatter<'_>, operands: &[Arc<Polynomial>]) -> fmt::Result {
    let mut operator = "";
    for operand in operands {
        let bare = if operator.is_empty() { operand.divides_bare() } else { operand.divides_others_bare() };
        if bare {
            write!(f, "{operator}{operand}")?;
        } else {
            write!(f, "{operator}({operand})")?;
        }
        operator = "/";
    }
    Ok(())
}
