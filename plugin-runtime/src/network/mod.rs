//! The graph of layers.

/// A tensor of a network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TensorId {
    pub(crate) network: u32,
    pub(crate) index: u32,
}
