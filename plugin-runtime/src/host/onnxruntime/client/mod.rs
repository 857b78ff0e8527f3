//! ONNX Runtime as a library that this program loads, for whole models that hold linked plugins.

mod find;
mod library;
mod options;
mod owned;
mod session;

pub use library::Library;
pub use options::SessionOptions;
pub use session::{Session, Slot};
