//! From tokens to the model; mistakes of writing are reported here.

mod function;
mod options;

pub(crate) use function::function;
pub(crate) use options::options;
