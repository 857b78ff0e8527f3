//! From tokens to the model; mistakes of writing are reported here.

mod function;
mod lists;
mod options;

pub(crate) use function::function;
pub(crate) use options::options;
