//! Shapes against naive references.

mod algebra;
mod encoding;
mod fold;
mod limits;
mod parser;
mod profile;
mod properties;
mod tree;

use super::{ShapeExpr, Symbol, SymbolKind};

/// Symbol `d<index>`, a dimension of a network input.
fn dim(index: u32) -> ShapeExpr {
    ShapeExpr::symbol(Symbol { kind: SymbolKind::Dim, index, name: format!("d{index}").into() })
}

fn own_size() -> ShapeExpr {
    ShapeExpr::symbol(Symbol { kind: SymbolKind::OwnSize, index: 7, name: "size7".into() })
}
