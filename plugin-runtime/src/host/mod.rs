//! Hosts: other engines that run the linked plugins. Each adapter translates its host's tensors, attributes and streams,
//! and has no logic of its own; what they share stands here.
//!
//! [`onnxruntime`]: ONNX Runtime. [`tensorrt`]: TensorRT 10, TensorRT 11 and TensorRT-RTX. [`tvm_ffi`]: NumPy, CuPy and PyTorch,
//! by apache-tvm-ffi. [`description`]: what a library says of its plugins to Python.

#[cfg(feature = "python")]
mod attributes;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod call;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod decision;
#[cfg(feature = "python")]
pub mod description;
mod fence;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
mod few;
#[cfg(unix)]
mod library;
mod node;
#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod plan;
mod pool;
mod state;
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
mod tactics;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
mod taken;
#[cfg(all(feature = "tensorrt", unix))]
pub mod tensorrt;
#[cfg(test)]
mod tests;
#[cfg(all(feature = "tvm_ffi", unix))]
pub mod tvm_ffi;

pub(crate) use call::{Call, Lease};
pub(crate) use decision::{Decider, Decision};
pub(crate) use fence::fenced;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
pub(crate) use few::Few;
#[cfg(feature = "tensorrt")]
pub(crate) use node::implementation;
pub(crate) use node::{Node, only_layer};
pub(crate) use plan::Plan;
pub(crate) use state::Places;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
pub(crate) use state::copy;
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
pub(crate) use tactics::Tactics;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
pub(crate) use taken::taken;
