//! Shapes: symbolic expressions, size tensors, optimization profiles, concrete dimensions.

mod dims;
mod expr;

pub use dims::{Dims, MAX_RANK};
pub use expr::{ShapeExpr, Symbol, SymbolKind};
