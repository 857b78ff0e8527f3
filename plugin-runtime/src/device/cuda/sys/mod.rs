//! The driver's types and functions.

#[cfg(not(feature = "cuda"))]
mod absent;

#[cfg(not(feature = "cuda"))]
pub(super) use absent::*;
#[cfg(feature = "cuda")]
pub(super) use cudarc::driver::sys::*;
