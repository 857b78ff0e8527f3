//! What the attributes accept: every form, in surroundings that are hard on expansions. `ui` holds what they refuse.

extern crate plugin_runtime as renamed;

mod aot_impl;
mod autotune;
mod beside_namesakes;
pub mod camel_case;
mod dispatch;
mod impl_before_register;
mod impl_plugin;
mod impl_unused;
pub mod kernels;
/// Public, as its lints are about what others see.
pub mod no_prelude;
mod other_errors;
mod runtime_renamed;
/// Public, as its lints are about what others see.
pub mod tactic;
pub mod trials;
