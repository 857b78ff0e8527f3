//! Expressions as people write them, with only the parentheses that are needed.

use std::fmt::{self, Display, Formatter, Write};
use std::sync::Arc;

use super::expr::ShapeExpr;
use super::fold::{Fold, by_term, fold};
use super::polynomial::{Node, Operation, Polynomial};
use super::symbol::Symbol;

/// `d0*d1 + 2`; an expression that carries a mistake is `invalid(<the mistake>)`.
impl Display for ShapeExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(polynomial) => f.write_str(&fold(polynomial, Writer)?.text),
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

/// The text of a part, and what it can stand beside.
#[derive(Clone)]
struct Text {
    text: Arc<str>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// Needs no parentheses anywhere.
    One,
    Quotient,
    /// A single term, not negative.
    Product,
    Sum,
}

/// Writes each part.
struct Writer;

impl Fold for Writer {
    type Value = Text;
    type Error = fmt::Error;

    fn constant(&mut self, value: i64) -> Result<Text, fmt::Error> {
        Ok(Text { text: value.to_string().into(), form: if value < 0 { Form::Sum } else { Form::One } })
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<Text, fmt::Error> {
        Ok(Text { text: symbol.name.clone(), form: Form::One })
    }

    fn sum(&mut self, sum: &Arc<Polynomial>, factors: &[Text]) -> Result<Text, fmt::Error> {
        let mut text = String::new();
        for (position, (term, factors)) in by_term(sum, factors).enumerate() {
            let negative = term.coefficient < 0;
            text.push_str(match (position, negative) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            });
            magnitude(&mut text, term.coefficient.unsigned_abs(), factors, position == 0 && negative)?;
        }
        let form = if sum.terms().len() == 1 && !sum.leads_negative() { Form::Product } else { Form::Sum };
        Ok(Text { text: text.into(), form })
    }

    fn node(&mut self, node: &Arc<Node>, operands: &[Text]) -> Result<Text, fmt::Error> {
        let name = match node.operation {
            Operation::FloorDiv => return quotient(operands),
            Operation::Group => "",
            Operation::CeilDiv => "ceil_div",
            Operation::Max => "max",
            Operation::Min => "min",
            Operation::Equal => "equal",
            Operation::Less => "less",
        };
        let operands: Vec<&str> = operands.iter().map(|operand| &*operand.text).collect();
        Ok(Text { text: format!("{name}({})", operands.join(", ")).into(), form: Form::One })
    }
}

/// A term without its sign.
fn magnitude(to: &mut String, coefficient: u64, factors: &[Text], after_minus_sign: bool) -> fmt::Result {
    let alone = factors.len() == 1 && coefficient == 1 && !after_minus_sign;
    let loosest = if alone { Form::Quotient } else { Form::One };
    if factors.is_empty() || coefficient != 1 {
        write!(to, "{coefficient}")?;
    }
    for (position, factor) in factors.iter().enumerate() {
        if position > 0 || coefficient != 1 {
            to.push('*');
        }
        factor.within(loosest, to)?;
    }
    Ok(())
}

fn quotient(operands: &[Text]) -> Result<Text, fmt::Error> {
    let mut text = String::new();
    for (position, operand) in operands.iter().enumerate() {
        if position > 0 {
            text.push('/');
        }
        operand.within(if position == 0 { Form::Product } else { Form::One }, &mut text)?;
    }
    Ok(Text { text: text.into(), form: Form::Quotient })
}

impl Text {
    /// In parentheses, if it is looser than may stand there without them.
    fn within(&self, loosest: Form, to: &mut String) -> fmt::Result {
        let text = &self.text;
        if self.form <= loosest { write!(to, "{text}") } else { write!(to, "({text})") }
    }
}
