//! Hosts: other engines that run the linked plugins. Each adapter translates its host's tensors, attributes and streams,
//! and has no logic of its own; what they share stands here.
//!
//! [`onnxruntime`]: ONNX Runtime. [`tensorrt`]: TensorRT 10, TensorRT 11 and TensorRT-RTX. [`tvm_ffi`]: NumPy, CuPy and PyTorch,
//! by apache-tvm-ffi. [`torch`]: PyTorch. [`jax`]: JAX. [`description`]: what a library says of its plugins to Python.
//!
//! # Tactics
//!
//! Hosts that don't time tactics themselves take the first one that the autotune function lists for a node's types, unless
//! one of these says otherwise; ONNX Runtime also has options of sessions for them.
//!
//! | variable | what it does |
//! |---|---|
//! | `PLUGIN_RUNTIME_LOCKFILE` | The path of a tuning lockfile. Of the records of the node's plugin, version, attributes, types and device those of the nearest extents decide: the quickest tactic runs, and none that is recorded as wrong |
//! | `PLUGIN_RUNTIME_TUNE` | 1: tries and times all tactics when a node's extents are met first, as a build does, and adds what it finds to the lockfile, if there is one |

#![cfg_attr(
    all(test, not(feature = "onnxruntime")),
    allow(dead_code, unused_imports, reason = "the tests of a few hosts, or of none, use parts of it")
)]

#[cfg(feature = "python")]
mod attributes;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod call;
#[cfg(feature = "python")]
mod calls;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod decision;
#[cfg(feature = "python")]
pub mod description;
mod fence;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
mod few;
#[cfg(feature = "jax")]
pub mod jax;
#[cfg(unix)]
mod library;
mod node;
#[cfg(feature = "onnxruntime")]
pub mod onnxruntime;
#[cfg_attr(not(any(feature = "onnxruntime", test)), expect(dead_code, reason = "hosts need different parts of it"))]
mod plan;
mod pool;
#[cfg(any(feature = "torch", feature = "jax"))]
mod settings;
mod state;
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
mod tactics;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
mod taken;
#[cfg(all(feature = "tensorrt", unix))]
pub mod tensorrt;
#[cfg(test)]
mod tests;
#[cfg(all(feature = "torch", unix))]
pub mod torch;
#[cfg(all(feature = "tvm_ffi", unix))]
pub mod tvm_ffi;

#[cfg(feature = "tensorrt")]
pub(crate) use call::Home;
pub(crate) use call::{Call, Lease};
#[cfg(any(feature = "jax", feature = "tvm_ffi"))]
pub(crate) use calls::ReadyCall;
#[cfg(feature = "python")]
pub(crate) use calls::{Calls, Described, KeyRoom};
pub(crate) use decision::{Decider, Decision};
pub(crate) use fence::fenced;
#[cfg(any(feature = "torch", feature = "jax"))]
pub(crate) use fence::leaked;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
pub(crate) use few::Few;
#[cfg(feature = "tensorrt")]
pub(crate) use node::implementation;
pub(crate) use node::{Node, only_layer};
pub(crate) use plan::Plan;
#[cfg(any(feature = "torch", feature = "jax"))]
pub use settings::plugin_runtime_set_tactics;
pub(crate) use state::Places;
#[cfg(any(feature = "onnxruntime", feature = "tvm_ffi", feature = "torch"))]
pub(crate) use state::copy;
#[cfg(feature = "python")]
pub(crate) use tactics::Said;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
pub(crate) use tactics::Tactics;
#[cfg(any(feature = "onnxruntime", feature = "python"))]
pub(crate) use taken::taken;
