//! Work on memory, cut into tasks.

use std::ops::Range;

use super::chunks::for_each_chunk_mut;
use super::threads::{PARALLEL_BYTES, parallel_for};

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

/// Cuts `0..parts`, which read and write as many bytes each, into tasks for all threads where there is much to do.
pub(super) fn in_parts(all_bytes: usize, parts: usize, task: impl Fn(Range<usize>) + Sync) {
    if all_bytes < PARALLEL_BYTES {
        return task(0..parts);
    }
    let parts_per_task = parts.div_ceil(all_bytes.div_ceil(TASK_BYTES)).max(1);
    parallel_for(parts.div_ceil(parts_per_task), |index| {
        let first = index * parts_per_task;
        task(first..parts.min(first + parts_per_task));
    });
}
