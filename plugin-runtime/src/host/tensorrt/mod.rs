//! The linked plugins inside stock TensorRT 10, TensorRT 11 and TensorRT-RTX.
//!
//! A crate of plugins that is built as a `cdylib` is a library of plugins for TensorRT: `trtexec --dynamicPlugins`, or
//! `get_plugin_registry().load_library(path)` in a program, and the ONNX parser takes any model that holds them, beside all
//! operators that TensorRT knows. No C++ is compiled and nothing is linked: the interfaces of the host that loads the library
//! are laid out here, for x86-64 and AArch64 Linux.
//!
//! # How a node names a plugin
//!
//! By the plugin's name as its operator, and its namespace as its domain or in the attribute `plugin_namespace`. Names that
//! a plugin claims by `#[register(.., onnx = ..)]` do as well. The plugin's version is in `plugin_version`.
//!
//! # What becomes of a plugin
//!
//! | here | there |
//! |---|---|
//! | the register function | output types, shapes by the host's expression builder, size tensors, aliased inputs |
//! | the autotune function | format combinations and tactics, which the host times on its device |
//! | the impl for `cuda`, or AOT kernels | enqueue, in the host's stream and memory |
//! | `workspace` | the workspace at the largest extents of the profile |
//! | attributes | fields, which the plan keeps |
//!
//! * An extent that a size tensor gives is one of the host's own; it can't compute with one, and refuses such shapes.
//! * Inputs that a model marks as shape inputs are refused: a plugin's shapes follow from its inputs' shapes.
//! * The types of the outputs are asked for before the inputs' ranks are known, so they mustn't depend on these.
//! * A plugin that updates an input in place needs `PreviewFeature::kALIASED_PLUGIN_IO_10_03`, and TensorRT 10.3.
//! * Tactics have numbers there; what they are called stands in the plugin's metadata.
//!
//! What goes wrong is written to the host's log, with the layer, its plugin, tactic and shapes.

mod abi;
mod arguments;
mod attributes;
mod build;
mod creator;
mod described;
mod export;
mod instance;
mod log;
mod object;
mod outputs;
mod quick;
mod run;
mod running;
mod shapes;
mod types;
mod version;
mod workspace;

pub use export::{creators_for, getCreators, setLoggerFinder};
