//! Tuning lockfiles: what is taken from them, what is added, and what they don't put up with.

mod at_once;
mod counting;
mod paths;
mod reuse;
