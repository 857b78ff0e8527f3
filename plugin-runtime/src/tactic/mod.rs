//! Tactics: type and layout combinations, their enumeration and timing.

mod candidates;
mod choices;
mod combination;
mod expansion;
#[cfg(test)]
mod expansion_tests;
pub mod grammar;
mod sample_data;
mod selection;
mod timer;
mod trial;
mod tune;

pub(crate) use candidates::{Rules, data_dependent, tactic_name, unknown_tactic};
pub use choices::{Choices, Independent, Positions, Together};
pub use combination::{AutoTuneCombination, MAX_TACTICS, Tactic};
pub use expansion::{Combination, MAX_COMBINATIONS, merge};
pub(crate) use timer::Effort;
pub(crate) use trial::{check_size, workspace_expr};
pub(crate) use tune::{Choice, Tuning, tune};
