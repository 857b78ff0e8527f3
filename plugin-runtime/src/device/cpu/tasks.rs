//! Work on memory, cut into tasks.

use super::chunks::for_each_chunk_mut;
use super::threads::PARALLEL_BYTES;

/// Bytes read and written by one task of a large reformat.
const TASK_BYTES: usize = 256 << 10;

/// Cuts `dst` into tasks for all threads where it is large. `task` gets the index of the first unit of its part; units
/// have `unit` bytes.
pub(super) fn in_tasks(src_bytes: usize, dst: &mut [u8], unit: usize, task: impl Fn(usize, &mut [u8]) + Sync) {
    let all = src_bytes.saturating_add(dst.len());
    if all < PARALLEL_BYTES {
        return task(0, dst);
    }
    let units = dst.len().div_ceil(unit);
    let tasks = all.div_ceil(TASK_BYTES);
    let units_per_task = units.div_ceil(tasks);
    for_each_chunk_mut(dst, units_per_task * unit, |index, part| task(index * units_per_task, part));
}
