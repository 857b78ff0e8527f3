//! What a library of plugins says of itself, as JSON: for the Python package, and whoever else opens a library without a
//! host.
//!
//! [`plugin_runtime_plugins`] lists the plugins. [`plugin_runtime_outputs`] gives the outputs of one plugin for inputs of
//! given types and ranks, with extents as expressions over those of the inputs. Both give a text that ends with 0 and
//! belongs to the caller, who gives it back to [`plugin_runtime_free`]; what went wrong is an object with the one member
//! `error`.
//!
//! # The plugins
//!
//! `{"plugins": [{..}]}`, by id, then version; each plugin has
//!
//! | member | what it is |
//! |---|---|
//! | `id`, `namespace`, `name`, `version` | as registered; the id is `namespace::name` |
//! | `doc` | the doc comment of its `register` function |
//! | `inputs` | names, first to last |
//! | `attributes` | first to last: `name`; `type` as it is written in Rust; `kind`: `int`, `float`, `bool`, `str`, `bytes`, `ints`, `floats` or `bools`; `min` and `max` where it holds integers; `default` where there is one, bytes as a list |
//! | `outputs` | how many |
//! | `aliases` | for each output, the input that it is updated in place over, or null |
//! | `sizes` | for each output, whether it is a size tensor |
//! | `answered` | whether the two above are known: they are what it says of inputs and attributes that were made up |
//! | `devices` | `cpu`, `cuda` |
//!
//! # The outputs of one
//!
//! | member | what it is |
//! |---|---|
//! | `nodes` | parts of expressions, each over those before it; operands are positions in this list |
//! | `outputs` | each with `dtype` (`FP32`, `INT64`, ..), `shape` (a position in `nodes` for each extent), `alias` (an input or null), `size` (a position in `sizes` or null) and `data_dependent` |
//! | `sizes` | size tensors: `output`, and `opt` and `upper_bound` as positions in `nodes` |
//!
//! | node | what it is |
//! |---|---|
//! | `["int", n]` | a constant |
//! | `["dim", input, axis]` | an extent of an input |
//! | `["size", k]` | what the size tensor at this position in `sizes` holds when it has run |
//! | `["+", a, b, ..]`, `["*", a, b, ..]`, `["max", a, b, ..]`, `["min", a, b, ..]` | of two or more |
//! | `["//", a, b]`, `["ceil_div", a, b]` | quotients, rounded down and up |
//! | `["==", a, b]`, `["<", a, b]` | 1 or 0 |

mod export;
mod expressions;
mod json;
mod outputs;
mod plugins;
#[cfg(test)]
mod tests;

pub use export::{
    OutputsRequest, RequestedAttribute, RequestedInput, plugin_runtime_free, plugin_runtime_outputs,
    plugin_runtime_plugins,
};
