//! Plugins of these tests: each for the CPU, as the reference, and for a GPU.

pub(crate) mod ahead;
pub(crate) mod elementwise;
pub(crate) mod extents;
pub(crate) mod large;
pub(crate) mod late;
pub(crate) mod partial;
pub(crate) mod sizes;
pub(crate) mod wrong;

use std::collections::BTreeMap;
use std::sync::Mutex;

use plugin_runtime::prelude::*;

/// Threads of a block.
pub(crate) const BLOCK: u32 = 256;

/// A thread for each of `n` elements.
pub(crate) fn each(n: usize) -> Result<LaunchConfig> {
    LaunchConfig::for_elements(n, BLOCK)
}

/// One block.
pub(crate) fn one_block() -> LaunchConfig {
    LaunchConfig { block: [BLOCK, 1, 1], ..LaunchConfig::default() }
}

/// The address of true extents, or 0, as kernels take it.
pub(crate) fn address(extents: Option<DeviceSlice<'_, i64>>) -> u64 {
    extents.map_or(0, |extents| extents.address())
}

/// How often the GPU's impl of `counted` was called, by test.
static CALLS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

/// How often the host ran the GPU's impl of [`elementwise::counted()`] in a test.
pub(crate) fn calls_of(test: &str) -> usize {
    CALLS.lock().unwrap().get(test).copied().unwrap_or(0)
}

/// Begins to count anew.
pub(crate) fn forget_calls(test: &str) {
    CALLS.lock().unwrap().remove(test);
}

pub(crate) fn count_call(test: &str) {
    *CALLS.lock().unwrap().entry(test.into()).or_default() += 1;
}
