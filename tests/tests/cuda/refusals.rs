//! What can't be done, and what is said of it.

mod bindings;
mod kernels;
mod memory;
mod tactics;
