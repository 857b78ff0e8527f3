//! Shapes: symbolic expressions, size tensors, optimization profiles, concrete dimensions.

mod comparison;
mod dims;
mod display;
mod division;
mod encoding;
mod error;
mod excerpt;
mod expr;
mod fold;
mod integer;
mod list;
mod must_equal;
mod operators;
mod polynomial;
mod profile;
mod program;
mod range;
mod symbol;
mod tuples;

#[cfg(test)]
mod tests;

pub use dims::{Dims, MAX_RANK};
pub use display::display_shape;
pub(crate) use encoding::{decode as decode_exprs, encode as encode_exprs};
pub use error::ShapeError;
pub use expr::ShapeExpr;
#[cfg(any(feature = "tensorrt", feature = "python"))]
pub(crate) use fold::Algebra;
pub use list::{IntoExpr, IntoExprs, Iterated, Tuple};
#[cfg(any(feature = "tensorrt", feature = "python"))]
pub(crate) use polynomial::Operation;
pub use profile::{Profile, ProfileDims, ProfileError};
pub use program::ShapeProgram;
pub use range::Interval;
pub use symbol::{Symbol, SymbolKind};
pub(crate) use tuples::{for_tuples, into_list, into_list_of_tuple};
