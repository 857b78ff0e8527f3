//! The CPU: what an impl needs to use every core and the whole memory bandwidth from safe code.
//!
//! - [`parallel_for`], [`for_each_chunk_mut`] and [`compact`] spread work over one pool of threads. It starts on first
//!   use and is shared by everything in the process; after that nothing here allocates. Where a host runs a plugin and
//!   has threads of its own to lend, its threads do the work.
//! - [`stream_into`] writes outputs that are too large for the caches.
//!
//! Waking a thread takes some microseconds. Work that touches less than [`PARALLEL_BYTES`] is done sooner
//! without: [`parallel_from`].

mod blocked;
mod cast;
mod chunks;
mod compact;
mod crossed;
#[cfg(target_arch = "x86_64")]
mod features;
mod halves;
mod int4;
mod interleave;
#[cfg(any(feature = "onnxruntime", test))]
mod lent;
mod lines;
mod minifloat;
mod place;
mod pool;
pub(crate) mod reformat;
mod stream;
mod tasks;
#[cfg(test)]
mod tests;
mod threads;
mod vector;

pub use chunks::{for_each_chunk_mut, try_for_each_chunk_mut};
pub use compact::{Claim, compact};
pub use halves::{map_halves, narrow, update_halves, widen};
#[cfg(feature = "onnxruntime")]
pub(crate) use lent::{Lender, with_threads_of};
pub use stream::{StreamWriter, stream_into};
pub(in crate::device) use threads::check_threads;
pub use threads::{PARALLEL_BYTES, STREAM_BYTES, parallel_for, parallel_from, threads};
pub use vector::{bits_of_flags, prefetch, vectorized};
