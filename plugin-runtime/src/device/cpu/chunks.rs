//! Disjoint parts of one slice, written by many threads.

use std::marker::PhantomData;

use super::pool::Spread;
use super::threads::{All, FirstError};
use crate::error::Result;

/// Cuts `out` into chunks of `chunk_len` elements (the last may be shorter; 0 counts as 1) and calls `task` with each
/// chunk and its index, on all threads of the pool.
///
/// # Panics
/// As [`parallel_for`](super::parallel_for).
pub fn for_each_chunk_mut<T: Send>(out: &mut [T], chunk_len: usize, task: impl Fn(usize, &mut [T]) + Sync) {
    for_each_chunk_on(&All, out, chunk_len, task);
}

/// As [`for_each_chunk_mut`], for a task that can fail.
///
/// # Errors
/// The first error that a task returned. All chunks are visited all the same.
///
/// # Panics
/// As [`parallel_for`](super::parallel_for).
pub fn try_for_each_chunk_mut<T: Send>(
    out: &mut [T],
    chunk_len: usize,
    task: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    let error = FirstError::default();
    for_each_chunk_mut(out, chunk_len, |index, chunk| error.note(task(index, chunk)));
    error.into_result()
}

pub(super) fn for_each_chunk_on<T: Send>(
    threads: &impl Spread,
    out: &mut [T],
    chunk_len: usize,
    task: impl Fn(usize, &mut [T]) + Sync,
) {
    let chunk_len = chunk_len.max(1);
    let parts = Parts::new(out);
    threads.spread(parts.len.div_ceil(chunk_len), &|index| {
        let start = index * chunk_len;
        let len = chunk_len.min(parts.len - start);
        #[expect(unsafe_code, reason = "the chunks are disjoint, which the compiler can't see")]
        // SAFETY: `start < parts.len` because `index` is below the number of chunks. Each index is handed out once, and
        // chunks of different indices don't overlap.
        let chunk = unsafe { parts.part(start, len) };
        task(index, chunk);
    });
}

/// A mutable slice that hands out parts of itself to several threads.
pub(super) struct Parts<'a, T> {
    start: *mut T,
    pub(super) len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: it stands for a `&mut [T]`; what it hands out are `&mut [T]` to disjoint parts, each for one thread.
#[expect(unsafe_code, reason = "a raw pointer stands for the slice")]
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Parts { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The elements `start .. start + len`.
    ///
    /// # Safety
    /// `start + len` is at most `self.len`, and no two parts overlap while both are in use.
    #[expect(unsafe_code, reason = "the caller vouches for bounds and disjointness")]
    pub(super) unsafe fn part(&self, start: usize, len: usize) -> &'a mut [T] {
        debug_assert!(start.checked_add(len).is_some_and(|end| end <= self.len));
        // SAFETY: the range lies in the slice that this was made of and isn't in use elsewhere, as the caller vouches.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}
