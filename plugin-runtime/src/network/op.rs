//! A plugin as `network.add_plugin(..)` takes it.

use super::TensorId;
use crate::plugin::AttributeValue;

/// A plugin with its inputs and attributes, ready to be added to a network.
#[derive(Clone, Debug)]
pub struct Op {
    /// `namespace::name`.
    pub id: &'static str,
    /// The plugin's version.
    pub version: u32,
    /// One tensor an input.
    pub inputs: Vec<TensorId>,
    /// One value an attribute.
    pub attributes: Vec<AttributeValue>,
}

/// What `network.add_plugin(..)` takes: the constructor that `#[register]` makes. `N` is the number of outputs.
pub trait IntoOp<const N: usize> {
    /// The plugin with its inputs and attributes.
    fn into_op(self) -> Op;
}
