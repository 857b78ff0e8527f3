//! Hosts: other engines that run the linked plugins. Each adapter translates its host's tensors, attributes and streams,
//! and has no logic of its own; what they share stands here.
//!
//! [`onnxruntime`]: ONNX Runtime.

mod call;
mod fence;
mod node;
#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
mod plan;
mod pool;
mod state;
mod tactics;
#[cfg(test)]
mod tests;

pub(crate) use call::{Call, Lease};
pub(crate) use fence::fenced;
pub(crate) use node::{Node, only_layer};
pub(crate) use plan::Plan;
pub(crate) use state::{Places, copy};
pub(crate) use tactics::{Decision, Tactics};
