//! Tactics: type and layout combinations, their enumeration and timing.

mod combination;

pub use combination::{AutoTuneCombination, Tactic};
