//! Tactics: type and layout combinations, their enumeration and timing.

mod combination;
pub mod grammar;

pub use combination::{AutoTuneCombination, Tactic};
