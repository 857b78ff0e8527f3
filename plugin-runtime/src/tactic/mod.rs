//! Tactics: type and layout combinations, their enumeration and timing.

mod candidates;
mod check;
mod clock;
mod conversions;
mod cost;
mod device_bench;
mod difference;
mod inspect;
mod laid_out;
mod layer_data;
mod layer_extents;
mod layer_trials;
mod layer_tuning;
mod layouts;
mod lockfile;
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
mod node;
#[cfg(any(feature = "testing", test))]
mod proving;
mod record;
mod report;
mod results;
mod room;
mod sample_data;
mod scratch;
mod selection;
mod standing;
mod timer;
mod timings;
mod trial;
mod tune;
mod unchecked;

pub(crate) use candidates::Rules;
#[cfg(feature = "tensorrt")]
pub(crate) use candidates::{Candidate, enumerate, implementation};
#[cfg(any(feature = "testing", test))]
pub(crate) use check::AuthorReference;
pub use cost::{Phase, PhaseCost, TuningCost};
#[cfg(any(feature = "testing", test))]
pub(crate) use difference::{coarsest, difference};
pub use inspect::{TimedSubject, TimingRecord, read_lockfile};
pub(crate) use layer_data::Given;
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
pub(crate) use node::{Recorded, first_listed, tried};
#[cfg(any(feature = "testing", test))]
pub(crate) use proving::{OneLayer, Proved};
#[cfg(feature = "tensorrt")]
pub(crate) use record::{kernels_checksum, values_text};
pub(crate) use report::Told;
pub use report::{LayerReport, Trial, TrialOutcome};
pub(crate) use timer::Effort;
pub(crate) use timings::{Keeping, Timings};
pub(crate) use tune::{Choice, Tuned, Tuning, tune};
