//! Engines on a GPU, checked against the CPU's.
//!
//! With no GPU each test says by name that it was left out. `GPU_TESTS` changes that, and more; several words are separated
//! by commas:
//!
//! | word | what it does |
//! |---|---|
//! | `require` | no GPU is a failure |
//! | `quick` | smaller sizes and counts, and nothing that makes the GPU fail: for running under compute-sanitizer |

mod allocations;
mod aot;
mod capture;
mod compiled;
mod conformance;
mod dlpack;
mod driver;
mod endurance;
mod environment;
mod extents;
mod faults;
mod foreign;
mod gpu;
mod large;
mod lifetimes;
mod lockfile;
mod plugins;
mod reduce;
mod refusals;
mod repeats;
mod rig;
mod run_engine;
mod samples;
mod streams;
mod suite;
#[cfg(unix)]
mod tensorrt;
mod tuning;
