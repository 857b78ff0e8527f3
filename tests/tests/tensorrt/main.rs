//! The linked plugins as TensorRT drives them, as far as that needs no GPU.

#![cfg(unix)]

mod attributes;
mod hostile;
mod libraries;
mod questions;
mod quick;
mod refusals;
mod suite;
