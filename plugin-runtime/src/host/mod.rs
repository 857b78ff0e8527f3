//! Hosts: other engines that run the linked plugins. Each adapter translates its host's tensors, attributes and streams,
//! and has no logic of its own; what they share stands here.
//!
//! [`onnxruntime`]: ONNX Runtime. [`tensorrt`]: TensorRT 10, TensorRT 11 and TensorRT-RTX.

#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod call;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod decision;
mod fence;
#[cfg(unix)]
mod library;
mod node;
#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod plan;
mod pool;
mod state;
#[cfg(any(feature = "onnxruntime", test))]
mod tactics;
#[cfg(all(feature = "tensorrt", unix))]
pub mod tensorrt;
#[cfg(test)]
mod tests;

pub(crate) use call::{Call, Lease};
pub(crate) use decision::{Decider, Decision};
pub(crate) use fence::fenced;
#[cfg(feature = "tensorrt")]
pub(crate) use node::implementation;
pub(crate) use node::{Node, only_layer};
pub(crate) use plan::Plan;
pub(crate) use state::Places;
#[cfg(feature = "onnxruntime")]
pub(crate) use state::copy;
#[cfg(any(feature = "onnxruntime", test))]
pub(crate) use tactics::Tactics;
