//! The linked plugins inside stock JAX.
//!
//! A crate of plugins that is built as a `cdylib` holds a handler of XLA's foreign function interface for each platform, and
//! one handler runs every plugin. Nothing is linked; version 0.1 of the interface is claimed, which all versions of JAX from
//! 0.5 on take. The Python package registers the handlers and makes functions of the plugins:
//! `plugins.jax().mine.scale(x, factor=2.0)`.
//!
//! | platform | handler |
//! |---|---|
//! | `cpu` | [`plugin_runtime_jax_cpu`] |
//! | `CUDA` | [`plugin_runtime_jax_cuda`]; where XLA may record calls into command buffers, [`plugin_runtime_jax_cuda_recorded`] |
//!
//! The attribute `plugin_runtime.plugin` names the plugin, `namespace::name`, and `plugin_runtime.version` its version, 1
//! if it is left out; the others are the plugin's: numbers, text, and arrays of numbers. They are checked when an
//! executable is made, and each call is found by them, its device and its types.
//!
//! * Outputs have fixed sizes: one that depends on data has its upper bound, zeros behind what was found, and the size
//!   tensor says how much that is. Only its first extent may depend on data.
//! * A plugin that updates an input in place needs that output aliased to the input; where XLA gives it other memory, the
//!   input is copied there first.
//! * On a GPU work is enqueued in the call's stream and waits for nothing; what a size tensor holds isn't checked. Scratch
//!   memory is XLA's.
//! * A call can be recorded into a command buffer once an equal one was run.
//! * Tactics are chosen as [`host`](crate::host) says.

mod abi;
mod attributes;
mod export;
mod handler;
mod types;

pub use abi::CallFrame;
pub use export::{plugin_runtime_jax_cpu, plugin_runtime_jax_cuda, plugin_runtime_jax_cuda_recorded};
