//! The variables of a network's shapes.

use std::collections::HashMap;
use std::sync::Arc;

use super::LayerIndex;
use crate::shape::{ShapeExpr, Symbol, SymbolKind};
use crate::table::{Index, Table};

/// A symbol's position among those of its network.
pub(crate) type SymbolIndex = Index<SymbolDef>;

/// Where a symbol's value comes from.
#[derive(Clone, Debug)]
pub(crate) enum SymbolSource {
    /// Dynamic dimensions of inputs, as (input, axis); all have the same extent.
    Dim(Vec<(usize, usize)>),
    /// A size tensor.
    Size { layer: LayerIndex, output: usize, opt: ShapeExpr, upper_bound: ShapeExpr },
}

impl SymbolSource {
    /// The upper bound of a size tensor.
    pub(crate) fn upper_bound(&self) -> Option<&ShapeExpr> {
        match self {
            SymbolSource::Dim(_) => None,
            SymbolSource::Size { upper_bound, .. } => Some(upper_bound),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct SymbolDef {
    pub(crate) symbol: Symbol,
    pub(crate) source: SymbolSource,
}

/// All symbols of a network; a symbol's index is its position here, and it depends on earlier ones only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    defs: Table<SymbolDef>,
    named_dims: HashMap<Arc<str>, SymbolIndex>,
}

impl Symbols {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, SymbolDef> {
        self.defs.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.defs.len()
    }

    pub(crate) fn get(&self, index: SymbolIndex) -> Option<&SymbolDef> {
        self.defs.get(index)
    }

    /// Forgets the newest, none of which is a named dimension.
    pub(super) fn truncate(&mut self, len: usize) {
        self.defs.truncate(len);
    }

    pub(super) fn add_dim(&mut self, name: String, input: usize, axis: usize) -> ShapeExpr {
        self.add(SymbolKind::Dim, name, SymbolSource::Dim(vec![(input, axis)])).1
    }

    pub(super) fn named_dim(&mut self, name: &str, input: usize, axis: usize) -> ShapeExpr {
        if let Some(&index) = self.named_dims.get(name) {
            let def = &mut self.defs[index];
            if let SymbolSource::Dim(places) = &mut def.source {
                places.push((input, axis));
            }
            return ShapeExpr::symbol(def.symbol.clone());
        }
        self.named_dims.insert(name.into(), self.defs.next());
        self.add_dim(name.into(), input, axis)
    }

    pub(super) fn add_size(
        &mut self,
        name: String,
        (layer, output): (LayerIndex, usize),
        opt: ShapeExpr,
        upper_bound: ShapeExpr,
    ) -> (SymbolIndex, ShapeExpr) {
        self.add(SymbolKind::Size, name, SymbolSource::Size { layer, output, opt, upper_bound })
    }

    fn add(&mut self, kind: SymbolKind, name: String, source: SymbolSource) -> (SymbolIndex, ShapeExpr) {
        let symbol = Symbol { kind, index: self.defs.len() as u32, name: name.into() };
        let index = self.defs.push(SymbolDef { symbol: symbol.clone(), source });
        (index, ShapeExpr::symbol(symbol))
    }
}
