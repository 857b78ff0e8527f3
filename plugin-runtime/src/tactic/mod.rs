//! Tactics: type and layout combinations, their enumeration and timing.

mod choices;
mod combination;
mod expansion;
#[cfg(test)]
mod expansion_tests;
pub mod grammar;

pub use choices::{Choices, Independent, Positions, Together};
pub use combination::{AutoTuneCombination, MAX_TACTICS, Tactic};
pub use expansion::{Combination, MAX_COMBINATIONS, merge};
