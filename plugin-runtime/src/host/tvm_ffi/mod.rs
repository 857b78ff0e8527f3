//! The linked plugins as functions of [apache-tvm-ffi](https://github.com/apache/tvm-ffi): for the arrays of NumPy, CuPy and
//! PyTorch, and whatever else exchanges tensors by DLPack.
//!
//! A crate of plugins that is built as a `cdylib` is a module for `tvm_ffi.load_module`. The Python package
//! `plugin_runtime` makes functions with names, signatures and docs of it; without that package,
//! `module["plugin_runtime_function"]("sample::circ_pad_plugin")` gives one plugin as a function. Nothing is linked; Linux
//! and macOS.
//!
//! # The function that gives functions
//!
//! `plugin_runtime_function(id, version, lockfile, tune)`; what is None or left out from the right is the newest version, the
//! lockfile of the variable `PLUGIN_RUNTIME_LOCKFILE`, and `PLUGIN_RUNTIME_TUNE`, if they are set.
//!
//! | | what it does |
//! |---|---|
//! | `lockfile` | The path of a tuning lockfile. Of its records those of the nearest extents decide: the quickest tactic runs, and none that is recorded as wrong |
//! | `tune` | True: tries and times all tactics at the first call with inputs of new extents, and adds what it finds to the lockfile, if there is one |
//!
//! Otherwise the first combination and tactic that the plugin lists for the inputs' types runs.
//!
//! # A plugin's function
//!
//! It takes the inputs, then the attributes in the order in which they were registered: ints, floats, bools, texts, bytes,
//! and lists of numbers. None, or what is left out from the right, has its default. It returns the output, or a list of
//! several.
//!
//! * Inputs are contiguous, and all on one device, which decides the impl. Otherwise a BufferError or a ValueError says so.
//! * Outputs lie in memory that the caller's framework allocates, where it has an allocator, as PyTorch does; and else in
//!   memory of our own. One whose extents depend on data has its true extents.
//! * An output that is updated in place over an input isn't returned: the input holds it, and its position stands for it.
//! * On a GPU the work is enqueued in the stream that tvm-ffi has for the device. A plugin that finds extents waits for it.
//! * What a call needs besides the outputs is kept from one call to the next, for each device, types and attributes, and for
//!   each extents where a lockfile or tuning decides: such a call allocates nothing else.

mod abi;
mod api;
mod arguments;
mod export;
mod function;
mod memory;
mod run;
#[cfg(test)]
mod tests;
mod value;

pub use abi::Any;
pub use export::__tvm_ffi_plugin_runtime_function;
