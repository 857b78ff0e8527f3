//! Combinations of types, layouts and tactics: what an author lists of them, and what that comes to.

mod auto_tune;
mod choices;
mod expansion;
pub mod grammar;
mod merge;

pub use auto_tune::{AutoTuneCombination, IntoTactics, MAX_TACTICS, Tactic};
pub use choices::{Choices, Independent, IntoChoices, Positions, Together};
pub use expansion::{Combination, MAX_COMBINATIONS};
pub use merge::merge;
