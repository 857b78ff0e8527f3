//! Plugins for a GPU, each with an impl for the CPU as its reference.

pub mod ahead;
pub mod elementwise;
pub mod extents;
mod impls;
pub mod kinds;
pub mod sizes;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use plugin_runtime::prelude::*;

/// Threads of a block.
pub const BLOCK: u32 = 256;

/// A thread for each of `n` elements.
///
/// # Errors
/// When there are more than can be launched.
pub fn each(n: usize) -> Result<LaunchConfig> {
    LaunchConfig::for_elements(n, BLOCK)
}

/// One block.
pub fn one_block() -> LaunchConfig {
    LaunchConfig { block: [BLOCK, 1, 1], ..LaunchConfig::default() }
}

/// The address of true extents, or 0, as kernels take it.
pub fn address(extents: Option<DeviceSlice<'_, i64>>) -> u64 {
    extents.map_or(0, |extents| extents.address())
}

/// How often the GPU's impl of `counted` was called, by test.
static CALLS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// How often the host ran the GPU's impl of [`elementwise::counted()`] in a test.
pub fn calls_of(test: &str) -> usize {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner).get(test).copied().unwrap_or(0)
}

/// Begins to count anew.
pub fn forget_calls(test: &str) {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner).remove(test);
}

/// Counts one more.
pub fn count_call(test: &str) {
    *CALLS.lock().unwrap_or_else(PoisonError::into_inner).entry(test.into()).or_default() += 1;
}
