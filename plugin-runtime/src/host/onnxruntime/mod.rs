//! The linked plugins inside stock ONNX Runtime.
//!
//! A crate of plugins that is built as a `cdylib` is a library of custom operators: a program gives its path to
//! `SessionOptions.register_custom_ops_library` (or what its language calls that), and then runs any model that holds the
//! plugins, beside all operators that the runtime knows, on its CPU and CUDA providers. Nothing is linked; ONNX Runtime
//! 1.17 and all newer ones do.
//!
//! # How a node names a plugin
//!
//! By the plugin's namespace as its domain and the plugin's name as its operator; models of
//! [`Network::to_onnx`](crate::network::Network::to_onnx) do. The domain's version is the plugin's. Names that a plugin
//! claims by `#[register(.., onnx = ..)]` do as well, and so do files as TensorRT's exporters write them: without a domain,
//! with the namespace in the attribute `plugin_namespace`. In that domain, which is ONNX's own, a plugin is left out whose
//! name is that of an operator of ONNX.
//!
//! The attributes `plugin_version`, `aot` and `aot_preferred` mean what they mean to
//! [`Network::from_onnx`](crate::network::Network::from_onnx).
//!
//! # What runs
//!
//! The provider that the session gives a node decides the device. Tensors are LINEAR and of the model's types. Of the
//! combinations and tactics that the autotune function lists for these, the first one runs, unless one of these says
//! otherwise; what a node runs as, and why, is logged when the session is made, at level verbose.
//!
//! | option of the session | environment | what it does |
//! |---|---|---|
//! | `plugin_runtime.lockfile` | `PLUGIN_RUNTIME_LOCKFILE` | The path of a tuning lockfile. Of the records of the node's plugin, version, attributes, types and device those of the nearest extents decide: the quickest tactic runs, and none that is recorded as wrong |
//! | `plugin_runtime.tune` | `PLUGIN_RUNTIME_TUNE` | 1: tries and times all tactics of each node whose inputs' extents are known when the session is made, as a build does, and adds what it finds to the lockfile, if there is one |
//!
//! Options of the session reach nodes from ONNX Runtime 1.24 on. Where both are set, the option holds.
//!
//! * Extents that follow from the inputs' are known to the session: its memory plan is as good as for its own operators.
//! * An extent that a plugin finds makes the node wait for its stream on a GPU, so that such a node can't be in a session
//!   that captures graphs.
//! * A type of an output that depends on attributes is known to ONNX Runtime 1.20 and newer; older ones take the type that
//!   goes with the attributes' defaults, or with small numbers and empty lists where they have none.
//! * A node may leave out outputs from ONNX Runtime 1.29 on.
//! * ONNX Runtime doesn't tell which attributes a node has, only what one of a given name holds. So an attribute whose
//!   name is misspelt passes for one that isn't there: where the plugin has a default, that counts.
//!   [`Network::from_onnx`](crate::network::Network::from_onnx) refuses such a node, and names what is near.
//! * It doesn't tell an attribute's kind either. A graph, a list of tensors or of graphs, and before ONNX Runtime 1.25
//!   a list of strings pass for an empty list; other kinds that the plugin doesn't take are refused.
//! * A plugin that updates an input in place does so where the session allows that, and on a copy otherwise.
//! * CPU work is spread over the session's own threads, as many as its options say.

mod abi;
mod api;
mod attributes;
mod client;
mod domain;
mod export;
mod in_place;
mod kernel;
mod log;
mod names;
mod operators;
mod shapes;

pub use abi::OrtApiBase;
pub use client::{Library, Session, SessionOptions, Slot};
pub use export::{RegisterCustomOps, register};
