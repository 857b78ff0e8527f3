//! The linked plugins as operators of stock PyTorch, 2.10 and newer, on Linux.
//!
//! A crate of plugins that is built as a `cdylib` is a library of operators: after `torch.ops.load_library("libmine.so")` a
//! plugin `mine::scale` is `torch.ops.mine.scale`. Nothing is linked and no C++ is compiled: kernels are registered through
//! PyTorch's stable C interface, which is found in the process that loads the library.
//!
//! # What becomes of a plugin
//!
//! | here | there |
//! |---|---|
//! | inputs | arguments of type `Tensor` |
//! | an input that is updated in place | `Tensor(a!)`; the output isn't returned |
//! | attributes without a default | arguments after the inputs |
//! | attributes with a default | arguments by keyword |
//! | integers; bytes and lists of integers | `int`; `int[]` |
//! | floats; lists of floats; text; booleans | `float`; `float[]`; `str`; `bool`, `bool[]` |
//! | outputs | tensors, one or a tuple; a size tensor is one of them |
//! | a plugin's newest version | the operator; an older one is an overload, `torch.ops.mine.scale.v1` |
//!
//! What a namespace holds besides letters, digits and `_` becomes `_`. A default that a schema can't hold, such as infinity,
//! is `None` there.
//!
//! # What runs
//!
//! The tensors' device decides which impl; they all lie on one. On a GPU work is enqueued in the current stream of that
//! device, memory is PyTorch's, and a call whose types, attributes and extents were met before can be captured into a CUDA
//! graph. An extent that a plugin finds makes the call wait; the output has its true length. Tensors that aren't row-major,
//! or start where a plugin can't use them, are copied before, and back where they are updated.
//!
//! Of the combinations and tactics that the autotune function lists, the first one runs, unless a tuning lockfile says
//! otherwise; see `PLUGIN_RUNTIME_LOCKFILE` and `PLUGIN_RUNTIME_TUNE` at [`host`](crate::host).
//!
//! # Loading
//!
//! Plugins are registered once a process: when the library is loaded, if PyTorch is there, and else by
//! [`plugin_runtime_register_torch`], which the Python package calls. To load one library again changes nothing. Two
//! libraries may share a namespace; where both have a plugin of one id, the first one's stays, and the second one's is
//! refused by name, on stderr and by that function.
//!
//! `torch.compile` and `torch.export` need to know shapes without running: the Python package registers that.

mod abi;
mod arguments;
mod export;
mod kernel;
mod operators;
mod schema;
mod tensor;
mod types;

pub use export::plugin_runtime_register_torch;
