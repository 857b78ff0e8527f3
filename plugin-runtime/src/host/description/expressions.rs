//! Shape expressions as a list of nodes.

use std::collections::HashMap;

use super::json::Json;
use crate::error::{Error, Result};
use crate::network::{Network, SymbolSource};
use crate::shape::{Algebra, Operation, ShapeExpr, Symbol};

/// Parts of expressions, each over those before it.
pub(super) struct Nodes<'n> {
    network: &'n Network,
    /// The outputs that are size tensors, by their position among these.
    sizes: &'n [usize],
    nodes: Vec<(&'static str, Vec<i64>)>,
    known: HashMap<(&'static str, Vec<i64>), usize>,
}

impl<'n> Nodes<'n> {
    pub(super) fn new(network: &'n Network, sizes: &'n [usize]) -> Nodes<'n> {
        Nodes { network, sizes, nodes: Vec::new(), known: HashMap::new() }
    }

    /// The node that an expression is.
    pub(super) fn add(&mut self, expr: &ShapeExpr) -> Result<Json> {
        expr.compute(&mut *self).map(Json::index)
    }

    pub(super) fn into_json(self) -> Json {
        let node = |(kind, operands): (&'static str, Vec<i64>)| {
            Json::list([Json::text(kind)].into_iter().chain(operands.into_iter().map(Json::Int)))
        };
        Json::list(self.nodes.into_iter().map(node))
    }

    fn node(&mut self, kind: &'static str, operands: Vec<i64>) -> usize {
        let next = self.nodes.len();
        let node = (kind, operands);
        let index = *self.known.entry(node.clone()).or_insert(next);
        if index == next {
            self.nodes.push(node);
        }
        index
    }

    fn joined(&mut self, kind: &'static str, operands: impl IntoIterator<Item = usize>) -> usize {
        let operands = operands.into_iter().map(|operand| operand as i64).collect();
        self.node(kind, operands)
    }
}

impl Algebra for &mut Nodes<'_> {
    type Value = usize;
    type Error = Error;

    fn constant(&mut self, value: i64) -> Result<usize> {
        Ok(self.node("int", vec![value]))
    }

    fn symbol(&mut self, symbol: &Symbol) -> Result<usize> {
        let unknown = || Error::invalid(format_args!("the extent `{}` is no input's", symbol.name));
        let def = self.network.symbols.iter().nth(symbol.index as usize).ok_or_else(unknown)?;
        match &def.source {
            SymbolSource::Dim(places) => {
                let &(input, axis) = places.first().ok_or_else(unknown)?;
                Ok(self.joined("dim", [input, axis]))
            }
            SymbolSource::Size { output, .. } => {
                let size = self.sizes.iter().position(|size| size == output).ok_or_else(unknown)?;
                Ok(self.joined("size", [size]))
            }
        }
    }

    fn product(&mut self, coefficient: i64, factors: &[usize]) -> Result<usize> {
        let own = (coefficient != 1).then(|| self.node("int", vec![coefficient]));
        match (own, factors) {
            (None, [only]) => Ok(*only),
            _ => Ok(self.joined("*", own.into_iter().chain(factors.iter().copied()))),
        }
    }

    fn sum(&mut self, terms: &[usize]) -> Result<usize> {
        Ok(self.joined("+", terms.iter().copied()))
    }

    fn apply(&mut self, operation: Operation, operands: &[usize]) -> Result<usize> {
        let kind = match operation {
            Operation::FloorDiv => "//",
            Operation::CeilDiv => "ceil_div",
            Operation::Max => "max",
            Operation::Min => "min",
            Operation::Equal => "==",
            Operation::Less => "<",
            Operation::Group => {
                return operands.first().copied().ok_or_else(|| Error::invalid("a group of nothing in an expression"));
            }
        };
        Ok(self.joined(kind, operands.iter().copied()))
    }
}
