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
//! # Kernels in the plan
//!
//! TensorRT from 10.9 on has quick plugins besides, of kind V3QUICK. A plugin with an `#[aot_impl]` is one too, unless its impl
//! for `cuda` asks for scratch memory, which quick plugins don't get. Of its two creators the ONNX parser finds the quick one;
//! a program can take either. TensorRT-RTX refuses quick plugins, and is given none.
//!
//! | asked for | by | what runs |
//! |---|---|---|
//! | nothing | | the impl for `cuda`; the kernels in the plan where there is none |
//! | AOT | the node's attribute `aot` = 1; `STRICT_AOT` | the kernels in the plan |
//! | rather AOT | `kPREFER_AOT_PYTHON_PLUGINS` of the network; `PREFER_AOT` | the kernels in the plan |
//! | JIT | the node's attribute `aot` = 0; `STRICT_JIT` | the impl for `cuda`; an error where there is none |
//! | rather JIT | `kPREFER_JIT_PYTHON_PLUGINS` of the network; `PREFER_JIT` | the impl for `cuda`; where there is none, the plugin launches its AOT kernels itself |
//!
//! A plan with kernels holds them for the GPU that builds it, and how they are launched: it runs without this library. TensorRT
//! launches one kernel, whose parameters are the inputs' addresses, 32-bit integers ([`AotArg::I32`](crate::device::cuda::AotArg)),
//! the outputs' addresses. What is launched otherwise, of several kernels, with scratch memory, other scalars, another order of
//! parameters, or as far as a size tensor that the kernel itself finds, is refused: the message says so, and what to do.
//!
//! # Errors
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
