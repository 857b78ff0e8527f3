//! Hosts: other engines that run the linked plugins. Each adapter translates its host's tensors, attributes and streams,
//! and has no logic of its own; what they share stands here.
//!
//! [`onnxruntime`]: ONNX Runtime. [`tensorrt`]: TensorRT 10, TensorRT 11 and TensorRT-RTX.

mod call;
mod fence;
#[cfg(unix)]
mod library;
mod node;
#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
mod plan;
mod pool;
mod state;
mod tactics;
#[cfg(all(feature = "tensorrt", unix))]
pub mod tensorrt;
#[cfg(test)]
mod tests;

pub(crate) use call::{Call, Lease};
pub(crate) use fence::fenced;
#[cfg(feature = "tensorrt")]
pub(crate) use node::implementation;
pub(crate) use node::{Node, only_layer};
pub(crate) use plan::Plan;
pub(crate) use state::{Places, copy};
#[cfg(feature = "tensorrt")]
pub(crate) use tactics::Decider;
pub(crate) use tactics::{Decision, Tactics};
