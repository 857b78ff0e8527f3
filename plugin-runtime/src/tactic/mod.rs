//! Tactics: type and layout combinations, their enumeration and timing.

mod aot;
mod candidates;
mod check;
mod clock;
mod conversions;
mod difference;
mod inspect;
mod layer_run;
mod layer_trials;
mod lockfile;
mod record;
mod report;
mod results;
mod room;
mod sample_data;
mod selection;
mod standing;
mod timer;
mod timings;
mod trial;
mod tune;

pub(crate) use aot::{AotStep, aot_step};
pub(crate) use candidates::{Rules, data_dependent};
pub use inspect::{TimedSubject, TimingRecord, read_lockfile};
pub use report::{LayerReport, Trial, TrialOutcome};
pub(crate) use timer::Effort;
pub(crate) use timings::{Keeping, Timings};
pub(crate) use trial::{Given, check_size, workspace_expr};
pub(crate) use tune::{Choice, Tuning, tune};
